# SPDX-License-Identifier: ISC
"""Hands mail to the mail server, as a person's mail program would."""
import smtplib
import subprocess
import time
from dataclasses import dataclass

PORT = 2525
UNFILTERED = 2526       # a listener without the filter
SENDER = "sender@lab.test"


@dataclass
class Reply:
    """The answer to RCPT, and how long it took."""
    code: int
    text: str
    seconds: float

    def __str__(self):
        return "%d %s" % (self.code, self.text)


def submit(recipient, subject, sender=SENDER, asking=lambda: None, port=PORT):
    """One message over SMTP in clear (the TLS server of OpenSMTPD 6.8 does not
    work with OpenSSL 3). asking is called just before RCPT is sent."""
    with smtplib.SMTP("127.0.0.1", port, "client.lab.test", 120) as smtp:
        smtp.ehlo_or_helo_if_needed()
        smtp.mail(sender)
        asking()
        start = time.monotonic()
        code, text = smtp.rcpt(recipient)
        reply = Reply(code, text.decode("ascii", "replace"),
                      time.monotonic() - start)
        if code == 250:
            code, text = smtp.data(message(recipient, subject, sender))
            if code != 250:
                raise RuntimeError("DATA: %d %s" % (code, text))
        return reply


def submit_two(first, second, subject):
    """One message to two recipients: the replies to RCPT."""
    with smtplib.SMTP("127.0.0.1", PORT, "client.lab.test", 120) as smtp:
        smtp.ehlo_or_helo_if_needed()
        smtp.mail(SENDER)
        codes = [smtp.rcpt(first)[0], smtp.rcpt(second)[0]]
        if 250 in codes:
            smtp.data(message(first, subject, SENDER))
        return codes


def ask_and_leave(recipient):
    """A client that hangs up while it waits for the answer to RCPT."""
    with smtplib.SMTP("127.0.0.1", PORT, "client.lab.test", 120) as smtp:
        smtp.ehlo_or_helo_if_needed()
        smtp.mail(SENDER)
        smtp.putcmd("rcpt", "TO:<%s>" % recipient)
        smtp.close()


def submit_locally(recipient, subject):
    """One message through sendmail(8) and the server's socket: (exit status,
    what it said)."""
    done = subprocess.run(
        ["/usr/sbin/sendmail", "-f", SENDER, recipient],
        input=message(recipient, subject, SENDER), text=True, timeout=120,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.strip()


def submit_text(recipients, text, sender, port=UNFILTERED):
    """One message, header and body in octets with CRLF, for recipients who must
    all be accepted."""
    with smtplib.SMTP("127.0.0.1", port, "client.lab.test", 120) as smtp:
        refused = smtp.sendmail(sender, recipients, text)
        if refused:
            raise RuntimeError("refused: %s" % refused)


def message(recipient, subject, sender):
    return ("From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\n\r\nHello.\r\n" %
            (sender, recipient, subject))
