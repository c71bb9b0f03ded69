# SPDX-License-Identifier: ISC
"""Many SMTP clients at once, in one thread."""
import asyncio
import time

from judge import new_sender, new_subject
from mailer import PORT, SENDER, Reply, message

MESSAGES = 20       # in one session
GREETING_S = 3
OPENING = 4         # at once: smtpd's backlog is 5


class Client:
    """One SMTP session, with the mail server if not said otherwise."""

    def __init__(self, address="127.0.0.1", port=PORT):
        self.address = address
        self.port = port

    async def open(self):
        """smtpd listens with a short backlog: the kernel forgets some of many
        who connect at once, and they would wait for the greeting for ever."""
        while True:
            self.reader, self.writer = await asyncio.open_connection(
                self.address, self.port)
            try:
                await asyncio.wait_for(self.expect(220), GREETING_S)
                break
            except asyncio.TimeoutError:
                self.writer.close()
        await self.say("EHLO client.lab.test", 250)

    async def expect(self, code):
        while True:
            line = (await self.reader.readline()).decode("ascii", "replace")
            if line[3:4] != "-":
                break
        if not line.startswith("%d " % code):
            raise RuntimeError("expected %d, got '%s'" % (code, line.strip()))

    async def say(self, text, code):
        self.writer.write((text + "\r\n").encode())
        await self.expect(code)

    async def recipient(self, mailbox):
        start = time.monotonic()
        self.writer.write(("RCPT TO:<%s>\r\n" % mailbox).encode())
        line = (await self.reader.readline()).decode("ascii", "replace")
        if not line:
            raise RuntimeError("the mail server hung up")
        return Reply(int(line[:3]), line[4:].strip(),
                     time.monotonic() - start)

    async def submit(self, mailbox):
        """(reply to RCPT, subject of what was accepted)"""
        sender = new_sender()
        await self.say("MAIL FROM:<%s>" % sender, 250)
        reply = await self.recipient(mailbox)
        subject = ""
        if reply.code == 250:
            subject = new_subject(mailbox.partition("@")[2])
            await self.say("DATA", 354)
            await self.say(message(mailbox, subject, sender) + ".", 250)
        else:
            await self.say("RSET", 250)
        return reply, subject

    async def close(self):
        try:
            await self.say("QUIT", 221)
        finally:
            self.writer.close()


async def _together(mailboxes, asked):
    """All have sent MAIL before the first sends RCPT."""
    clients = [Client() for _ in mailboxes]
    few = asyncio.Semaphore(OPENING)

    async def open_one(client):
        async with few:
            await client.open()
    await asyncio.gather(*map(open_one, clients))
    await asyncio.gather(*(c.say("MAIL FROM:<%s>" % SENDER, 250)
                           for c in clients))
    replies = asyncio.gather(*(
        c.recipient(m) for c, m in zip(clients, mailboxes)))
    await asyncio.sleep(0)
    asked()
    replies = await replies
    await asyncio.gather(*(c.close() for c in clients))
    return replies


def ask_together(mailboxes, asked=lambda: None):
    """One open session for each mailbox, all at once: the replies to RCPT,
    in their order. asked is called when RCPT has been sent in all."""
    return asyncio.run(_together(mailboxes, asked))


async def _busy(mailboxes, n, stop, port):
    results = []

    async def one(first):
        turn = first
        while not stop():
            client = Client(port=port)
            await client.open()
            for _ in range(MESSAGES):
                mailbox = mailboxes[turn % len(mailboxes)]
                results.append((mailbox, *await client.submit(mailbox)))
                turn += 1
            await client.close()

    await asyncio.gather(*(one(i) for i in range(n)))
    return results


def keep_busy(mailboxes, n, stop, port=PORT):
    """n sessions submit one message after the other until stop() is true:
    (mailbox, reply to RCPT, subject of what was accepted) of each."""
    return asyncio.run(_busy(mailboxes, n, stop, port))
