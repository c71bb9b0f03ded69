# SPDX-License-Identifier: ISC
"""Trials of the relay: what is more than one message to one destination, at
delivery. Each function needs nothing from the others."""
import asyncio
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor

import odd_hosts
from crowd import Client
from destinations import BY_DOMAIN, MANY, Mx, enforce
from gates import both_gates
from judge import DELIVERY_S, fate, new_sender, new_subject, told
from mail_hosts import Exim, OpenSmtpd, Postfix
from mail_queue import smtpctl
from mail_server import RELAY_ADDRESSES, RELAY_PORT
from mailer import PORT, UNFILTERED, message, submit, submit_text
from namespace import USERS, without_quarantine, write
from process import wait_for
from relay_client import RelayClient
from stripper import strip

MEGABYTES = 20
CROWD = 1000
CROWD_DEADLINE_S = 60       # on a busy machine its look-ups take a while
BAD = "no-starttls.test"


def send(recipient, port=UNFILTERED):
    """(subject, sender) of one message that was accepted."""
    subject, sender = new_subject(recipient.partition("@")[2]), new_sender()
    reply = submit(recipient, subject, sender, port=port)
    if reply.code != 250:
        raise RuntimeError(str(reply))
    return subject, sender


def arrived(lab, subject, n=1):
    """The messages with that subject, when there are n."""
    def look():
        got = lab.sinks.received(lambda m: m.subject == subject)
        return len(got) >= n and got
    return wait_for("%d of '%s'" % (n, subject), look, DELIVERY_S)


def refused_at(lab, domain, recipient, port=UNFILTERED):
    """fate() of mail that must not get to the domain."""
    expect = BY_DOMAIN[domain].at_delivery
    subject, sender = send(recipient, port)
    lab.refused.add(subject)
    happened, ok, *words = fate(lab, subject, sender, expect, domain)
    others = told(lab, sender, expect)
    return happened, ok and not others, *words, *others


def unseen(lab):
    """mail whose end the filter does not see"""
    check = lab.rows.check
    lab.server.aliases = {"alias": "user@" + BAD}
    home = "/var/home/forwarder"
    os.makedirs(home)
    write(home + "/.forward", "user@expired.test\n")
    for path in (home, home + "/.forward"):
        os.chown(path, USERS["forwarder"], USERS["forwarder"])
    with both_gates(lab):
        check("alias", "accepted, queued 451 4.7.4", lambda: refused_at(
            lab, BAD, "alias@here.test", PORT))
        check(".forward", "accepted, queued 451 4.7.5", lambda: refused_at(
            lab, "expired.test", "forwarder@here.test", PORT))
        check("MX taken over", "queued 451 4.7.4, later delivered once",
              lambda: taken_over(lab))
        check("policy hardens", "queued 451 4.7.4", lambda: hardens(lab))
        check("STARTTLS stripped", "queued 451 4.7.4", lambda: stripped(lab))
    lab.server.aliases = {}


def held_back(lab, domain):
    """(subject, sender) of a message that the filter has let pass, and that
    smtpd does not yet deliver."""
    smtpctl("pause", "mta")
    return send("user@" + domain, PORT)


def released(lab, domain, subject, sender):
    smtpctl("resume", "mta")
    happened, ok, *words = fate(lab, subject, sender,
                                BY_DOMAIN[domain].at_delivery, domain)
    return happened, ok and not lab.sinks.asked(
        lambda a: a.sender == sender), *words


def taken_over(lab):
    """Between submission and delivery the MX loses STARTTLS; then the right one
    is back."""
    domain = "turns.test"
    mx = BY_DOMAIN[domain].mx[0]
    good = lab.sinks.listen(mx)
    subject, sender = held_back(lab, domain)
    good.close()
    bad = lab.sinks.listen(Mx(mx.host, starttls="no", address=mx.address))
    happened, ok, *words = released(lab, domain, subject, sender)
    bad.close()
    good = lab.sinks.listen(mx)
    smtpctl("schedule", "all")
    got = arrived(lab, subject)
    good.close()
    return "%s, then %d delivered" % (happened, len(got)), \
        ok and len(got) == 1 and got[0].tls, *words


def hardens(lab):
    """The policy that the filter saw was in mode testing."""
    domain = "hardens.test"
    subject, sender = held_back(lab, domain)
    lab.refused.add(subject)
    lab.policy_hosts.serving[domain].body = enforce("mx." + domain).body
    lab.dns.replace("_mta-sts.%s." % domain, "TXT", "v=STSv1; id=20240102;")
    return released(lab, domain, subject, sender)


def stripped(lab):
    domain = "in-between.test"
    mx = BY_DOMAIN[domain].mx[0]
    behind = lab.sinks.listen(Mx(mx.host, address="127.6.2.1"))
    between = strip(mx.address, "127.6.2.1")
    try:
        return refused_at(lab, domain, "user@" + domain)
    finally:
        between.close()
        behind.close()


def recipients(lab):
    """several recipients, and sessions that are kept"""
    check = lab.rows.check
    with both_gates(lab):
        check("5 recipients, 2 bad", "3 delivered once, 2 queued",
              lambda: five(lab))
        check("5 messages, one MX", "over one session", lambda: reuse(lab))
        check("2 domains, one MX", "a session each", lambda: shared(lab))
        check("200 in 100 domains", "each delivered once", lambda: many(lab))


def five(lab):
    good = ["user@good.test", "user@wildcard.test", "user@no-record.test"]
    bad = {"user@expired.test": "4.7.5", "user@" + BAD: "4.7.4"}
    subject, sender = new_subject("five"), new_sender()
    submit_text([*good, *bad], message("five@home.test", subject, sender)
                .encode(), sender)
    arrived(lab, subject, len(good))
    found = wait_for("two in the queue", lambda: (
        lambda q: len(q) == 2 and all(e.why for e in q) and q)(
            lab.queue.find(lambda q: q.sender == sender)))
    got = [m.recipient for m in arrived(lab, subject)]
    ok = sorted(got) == sorted(good) and all(
        e.why.startswith("451 %s " % bad[e.recipient]) for e in found)
    return "%d delivered, %d queued" % (len(got), len(found)), ok, *(
        "%s: %s" % (e.recipient, e.why) for e in found)


def sessions(lab, domains):
    """Of one message to each, one after the other: (session, TLS)"""
    got = []
    for domain in domains:
        subject, _ = send("user@" + domain)
        got.append(arrived(lab, subject)[0])
    return [m.session for m in got], all(m.tls for m in got)


def reuse(lab):
    used, tls = sessions(lab, ["good.test"] * 5)
    return "over %d" % len(set(used)), tls and len(set(used)) == 1


def shared(lab):
    used, _ = sessions(lab, ["house.test", "house-mate.test"] * 2)
    return "over %d" % len(set(used)), \
        used[0] == used[2] != used[1] == used[3]


def many(lab):
    """What shares an address of the relay with another domain waits for smtpd's
    next try (in production after 400 s, then 1600 s); here it is not waited
    for."""
    wanted = ["%s@many%d.test" % (user, n)
              for n in range(MANY) for user in ("one", "two")]
    subject, sender = new_subject("many"), new_sender()
    rounds = []

    def left():
        return lab.queue.find(lambda q: q.sender == sender)
    start = time.monotonic()
    submit_text(wanted, message("many@home.test", subject, sender).encode(),
                sender)
    while sum(rounds) < len(wanted) and len(rounds) < MANY:
        if rounds:
            smtpctl("schedule", "all")
        wait_for("the end of a try", lambda: all(
            q.waits and q.tries > len(rounds) for q in left()), DELIVERY_S)
        rounds.append(len(wanted) - sum(rounds) - len(left()))
    took = time.monotonic() - start
    got = lab.sinks.received(lambda m: m.subject == subject)
    return "%d in %.1f s, %d copies" % (
        len(got), took, len({(m.session, m.text) for m in got})), \
        sorted(m.recipient for m in got) == sorted(wanted), \
        "at each try of smtpd: %s" % ", ".join(map(str, rounds)), \
        "over %d sessions" % len({m.session for m in got})


def contents(lab):
    """what is in the messages"""
    check = lab.rows.check
    with both_gates(lab):
        check("8-bit text", "as it came, also without 8BITMIME",
              lambda: eight_bit(lab))
        check("SMTPUTF8", "553 5.6.7 where it is missing",
              lambda: smtputf8(lab))
        check("dots and long lines", "as they came", lambda: as_it_came(lab))
        check("smuggled ends", "one message each, CRLF only",
              lambda: smuggled(lab))
        check("50 Received lines", "554 5.4.6", lambda: loop(lab))
    with both_gates(lab, before=without_quarantine()) as daemon:
        check("%d MB" % MEGABYTES, "delivered, memory does not grow",
              lambda: large(lab, daemon))


def eight_bit(lab):
    text = b"Subject: %s\r\n\r\n\xc3\xa4\xff\xe4\r\n"
    same = []
    for domain in ("seven.test", "utf8.test"):
        subject, sender = new_subject(domain), new_sender()
        octets = text.replace(b"%s", subject.encode())
        submit_text(["user@" + domain], octets, sender)
        same.append(arrived(lab, subject)[0].text.endswith(octets[-6:]))
    return "%d of 2 as they came" % sum(same), all(same)


def smtputf8(lab):
    replies = []
    for domain in ("seven.test", "utf8.test"):
        with RelayClient() as client:
            replies.append(client.envelope("\u00fcser@" + domain, new_sender(),
                                           " SMTPUTF8"))
    told_it = lab.sinks.asked(lambda a: a.recipient == "\u00fcser@utf8.test")
    return "%s, %s" % tuple(r[:9] for r in replies), \
        replies[0].startswith("553 5.6.7") and \
        replies[1].startswith("250") and bool(told_it), *replies


def as_it_came(lab):
    subject, sender = new_subject("good.test"), new_sender()
    body = b"..\r\n...\r\n" + b"x" * 5000 + b"\r\n\tblank \r\n\r\n..end\r\n"
    octets = b"Subject: %s\r\n\r\n" % subject.encode() + body
    with RelayClient() as client:
        client.deliver("user@good.test", sender, octets)
    text = arrived(lab, subject)[0].text
    head, ok = text[:-len(octets)], text.endswith(octets)
    return "as they came" if ok else "changed", \
        ok and head.startswith(b"Received: ") and \
        head.count(b"Received:") == 1, *head.decode().splitlines()


def smuggled(lab):
    """Ends of data that only careless servers take for one (RFC 5321 4.1.1.4),
    with a second mail behind."""
    wrong = []
    ends = [b"\n.\r\n", b"\r.\r\n", b"\n.\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r",
            b"\n.\r", b"\r\n.\0\r\n", b"\r\n\0.\r\n", b"\r\r\n.\n\r\n"]
    for end in ends:
        subject, sender = new_subject("good.test"), new_sender()
        octets = b"Subject: %s\r\n\r\nbefore" % subject.encode() + end + \
            b"MAIL FROM:<smuggler@home.test>\r\n" \
            b"RCPT TO:<smuggled@good.test>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n"
        with RelayClient() as client:
            reply = client.deliver("user@good.test", sender, octets)
        got = lab.sinks.received(lambda m, s=subject: m.subject == s)
        bare = [m for m in got if re.search(rb"\r(?!\n)|(?<!\r)\n", m.text)]
        if reply.startswith("250") != (len(got) == 1) or bare:
            wrong.append("%s: %s, %d arrived" % (end, reply, len(got)))
    wrong += map(str, lab.sinks.asked(lambda a: a.recipient.startswith(
        "smuggled@")))
    return "%d of %d wrong" % (len(wrong), len(ends)), not wrong, *wrong


def loop(lab):
    replies = []
    for n in (50, 51):
        subject, sender = new_subject("good.test"), new_sender()
        octets = b"Received: from a by b\r\n" * n + \
            b"Subject: %s\r\n\r\nloop\r\n" % subject.encode()
        with RelayClient() as client:
            replies.append(client.deliver("user@good.test", sender, octets))
    return " and ".join(r[:9] for r in replies), \
        replies[0].startswith("250") and replies[1].startswith("554 5.4.6"), \
        *replies


def memory_kib(process, name):
    with open("/proc/%d/status" % process.popen.pid, encoding="ascii") as file:
        return int(next(line.split()[1] for line in file
                        if line.startswith(name + ":")))


def large(lab, daemon):
    subject, sender = new_subject("good.test"), new_sender()
    line = b"x" * 62 + b"\r\n"
    body = line * (MEGABYTES * 1024 * 1024 // len(line))
    before = memory_kib(daemon, "VmHWM")
    start = time.monotonic()
    submit_text(["user@good.test"], b"Subject: %s\r\n\r\n" % subject.encode() +
                body, sender)
    text = arrived(lab, subject)[0].text
    took = time.monotonic() - start
    grown = memory_kib(daemon, "VmHWM") - before
    return "in %.1f s, %d KiB more" % (took, grown), \
        text.endswith(b"\r\n\r\n" + body) and grown < 2048


def dialogue(lab):
    """the relay, spoken to directly"""
    check = lab.rows.check
    with both_gates(lab):
        check("extensions", "no number, nothing it cannot do", extensions)
        check("a second domain", "452 4.5.3", two_domains)
        check("all refused, DATA", "554 5.5.1", no_recipient)
    with both_gates(lab, deadline=CROWD_DEADLINE_S):
        check("%d sessions at once" % CROWD, "all answered, no 421",
              crowd)
        check("mail after that", "delivered", lambda: sane(lab))


def sane(lab):
    subject, _ = send("user@good.test")
    return "delivered", arrived(lab, subject)[0].tls


def extensions():
    with RelayClient() as client:
        found = {line[4:] for line in client.extensions[1:]}
        vrfy = client.say("VRFY user@good.test")
    return ", ".join(sorted(found)), found == {
        "PIPELINING", "8BITMIME", "SIZE", "ENHANCEDSTATUSCODES", "SMTPUTF8"} \
        and vrfy.startswith("252"), vrfy


def two_domains():
    with RelayClient() as client:
        first = client.envelope("user@good.test", new_sender())
        replies = [client.say("RCPT TO:<user@wildcard.test>"),
                   client.say("RCPT TO:<other@good.test>")]
        client.say("RSET", 250)
    return replies[0][:9], first.startswith("250") and \
        replies[0].startswith("452 4.5.3") and \
        replies[1].startswith("250"), first, *replies


def no_recipient():
    with RelayClient() as client:
        first = client.envelope("user@" + BAD, new_sender())
        reply = client.say("DATA")
        client.say("RSET", 250)
        second = client.envelope("user@good.test", new_sender())
    return reply[:9], first.startswith("451") and \
        reply.startswith("554 5.5.1") and second.startswith("250"), \
        first, reply, second


async def _crowd(domains):
    clients = [Client(RELAY_ADDRESSES[n % len(RELAY_ADDRESSES)], RELAY_PORT)
               for n in range(len(domains))]
    few = asyncio.Semaphore(64)

    async def open_one(client):
        async with few:
            await client.open()
    await asyncio.gather(*map(open_one, clients))
    await asyncio.gather(*(c.say("MAIL FROM:<%s>" % new_sender(), 250)
                           for c in clients))
    replies = await asyncio.gather(*(
        c.recipient("user@" + d) for c, d in zip(clients, domains)))
    await asyncio.gather(*(c.close() for c in clients))
    return replies


def crowd():
    domains = ["many%d.test" % (n % MANY) for n in range(CROWD)]
    replies = asyncio.run(_crowd(domains))
    good = sum(r.code == 250 for r in replies)
    wrong = sorted({str(r) for r in replies if r.code != 250 and not (
        r.code == 451 and r.text.startswith("4.3.2"))})
    return "%d taken, %d put off, slowest %.1f s" % (
        good, len(replies) - good, max(r.seconds for r in replies)), \
        len(replies) == CROWD and not wrong and good > 0, *wrong[:5]


def servers(lab):
    """real mail servers as MX hosts, at delivery"""
    with both_gates(lab):
        for host, domain in ((Postfix, "postfix.test"), (Exim, "exim.test"),
                             (OpenSmtpd, "opensmtpd.test")):
            lab.rows.check(host.__name__, "in its mailbox", lambda: to_server(
                lab, host, BY_DOMAIN[domain]))


def to_server(lab, host, destination):
    """Two messages, and a recipient that it does not know."""
    server = host(lab, destination)
    try:
        for _ in range(2):
            subject, _ = send("user@" + destination.domain)
            text = wait_for("the message", lambda: server.received(
                subject))[0]
    finally:
        server.stop()
    received = " ".join(text.decode().split("Received: ")[1].split())
    return "in its mailbox", destination.at_delivery.tls == \
        (" esmtps " in received.lower()), received


def odd(lab):
    """mail hosts that are odd at one step"""
    listeners = odd_hosts.listen(lab, odd_hosts.ODD)
    with both_gates(lab), ThreadPoolExecutor(16) as pool:
        for row in pool.map(lambda o: odd_row(lab, o), odd_hosts.ODD):
            lab.rows.add(*row)
    for listener in listeners:
        listener.close()


def odd_row(lab, host):
    """The arguments of Rows.add()."""
    domain, expect = host.destination.domain, host.expect
    try:
        subject, sender = send("user@" + domain)
        if not expect.mx:
            lab.refused.add(subject)
        return (host.name, expect.at_relay(),
                *fate(lab, subject, sender, expect, ""))
    except Exception as error:      # one host's row, not the others'
        return host.name, expect.at_relay(), "failed", False, str(error)


RELAY_TRIALS = [unseen, recipients, servers]

# These are a part of `contrib/quickstart test`, not of `run`.
RELAY_QUICK = [contents, dialogue, odd]
