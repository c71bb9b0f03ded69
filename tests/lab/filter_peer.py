# SPDX-License-Identifier: ISC
"""filter-strictmx without a mail server: this side plays smtpd, speaks
smtpd-filters(7) and sees that no answer is wrong, missing or one too many."""
import re
import socket
import subprocess
import threading
import time
from collections import Counter

from mail_server import FILTER
from namespace import USERS, sanitizer_environment
from process import Timeout, wait_for

TOKEN = "9b2e77a01c55aa10"
STAMP = "1795430768.605130"
# What smtpd takes; all else would end it.
RESULT = re.compile(r"filter-result\|([0-9a-f]{16})\|" + TOKEN +
                    r"\|(proceed|reject\|[45]\d\d [ -~]{1,510})$")


def connect(session, version="0.7"):
    return ("report|%s|%s|smtp-in|link-connect|%s|client.lab.test|pass|"
            "127.0.0.1:4711|127.0.0.1:2525\n" % (version, STAMP, session))


def tx_mail(session, version="0.7"):
    fields = "ok|sender@lab.test" if version >= "0.6" else "sender@lab.test|ok"
    return ("report|%s|%s|smtp-in|tx-mail|%s|1a2b3c4d|%s\n" %
            (version, STAMP, session, fields))


def rcpt(session, mailbox, version="0.7"):
    return ("filter|%s|%s|smtp-in|rcpt-to|%s|%s|%s\n" %
            (version, STAMP, session, TOKEN, mailbox))


def disconnect(session, version="0.7"):
    return ("report|%s|%s|smtp-in|link-disconnect|%s\n" %
            (version, STAMP, session))


def session_name(n):
    return "%016x" % n


class FilterPeer:
    """The process and its two ends. Answers are kept by session."""

    def __init__(self, log, *options, before=()):
        ours, theirs = socket.socketpair()
        with open(log, "ab") as file:
            self.popen = subprocess.Popen(
                [*before, FILTER, *options], stdin=theirs, stdout=theirs,
                stderr=file, cwd="/", user="strictmx", group="strictmx",
                extra_groups=[],
                env={"PATH": "/usr/bin:/bin", **sanitizer_environment()})
        theirs.close()
        self.sock = ours
        self.lock = threading.Lock()
        self.registered = []
        self.answers = {}           # by session: [(decision, when)]
        self.wrong = []             # lines that would end smtpd
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        with self.sock.makefile("r", encoding="latin-1", newline="\n") as file:
            for line in file:
                self.take(line)

    def take(self, line):
        line = line[:-1]
        found = RESULT.match(line)
        with self.lock:
            if line.startswith("register|"):
                self.registered.append(line)
            elif found:
                self.answers.setdefault(found[1], []).append(
                    (found[2], time.monotonic()))
            else:
                self.wrong.append(line)

    def begin(self, version="0.7"):
        self.send("config|smtpd-version|7.8.0-portable\n"
                  "config|protocol|%s\nconfig|subsystem|smtp-in\n"
                  "config|ready\n" % version)
        wait_for("registration", lambda: self.has_registered(), 20)

    def has_registered(self):
        if self.popen.poll() is not None:
            raise RuntimeError("filter ended with %d" % self.popen.returncode)
        return self.registered[-1:] == ["register|ready"]

    def send(self, text):
        self.sock.sendall(text if isinstance(text, bytes) else text.encode())

    def ask(self, session, mailbox, version="0.7"):
        """Connects, and asks for one recipient."""
        self.send(connect(session, version) + tx_mail(session, version) +
                  rcpt(session, mailbox, version))

    def answered(self, count):
        """Waits for that many answers in all."""
        wait_for("%d answers" % count, lambda: self.n_answers() >= count, 60)

    def n_answers(self):
        with self.lock:
            return sum(map(len, self.answers.values()))

    def decisions(self):
        """How often each kind: "proceed" or the first words of a refusal."""
        with self.lock:
            return Counter(" ".join(d.split()[:2]) for answers in
                           self.answers.values() for d, _ in answers)

    def forget(self):
        with self.lock:
            self.answers = {}

    def one(self, session, mailbox, version="0.7"):
        """(decision, seconds) of one question in a session of its own."""
        start = time.monotonic()
        self.ask(session, mailbox, version)
        decision, when = wait_for(
            "the answer to " + mailbox,
            lambda: self.answers.get(session), 60)[-1]
        self.send(disconnect(session, version))
        return decision, when - start

    def end(self):
        """As smtpd ends: its sockets close. The exit status."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass            # the filter was first
        self.sock.close()
        try:
            return self.popen.wait(5)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise Timeout("the filter did not end within 5 s") from None
