# SPDX-License-Identifier: ISC
"""The queue of the mail server, as smtpctl(8) shows it to an operator."""
import subprocess
import threading
import time
from dataclasses import dataclass

AGE_S = 0.2         # many ask at once: they share one look


@dataclass(frozen=True)
class Queued:
    envelope: str       # the first eight digits are the message's
    sender: str
    recipient: str
    tries: int
    waits: bool         # for the next try
    why: str            # "" before the first delivery has ended


class Queue:
    def __init__(self):
        self.lock = threading.Lock()
        self.seen_at = 0
        self.entries = []

    def look(self):
        with self.lock:
            if time.monotonic() - self.seen_at > AGE_S:
                self.entries = [entry(line) for line in
                                smtpctl("show", "queue").splitlines()]
                self.seen_at = time.monotonic()
            return self.entries

    def find(self, wanted):
        """The envelopes for which wanted(Queued) is true."""
        return [q for q in self.look() if wanted(q)]


def entry(line):
    """Addresses may hold a "|"; none does in the lab."""
    field = line.split("|", 13)
    return Queued(envelope=field[0], sender=field[4], recipient=field[5],
                  tries=int(field[10]), waits=field[11] == "pending",
                  why=field[13])


def smtpctl(*argv):
    done = subprocess.run(["/usr/sbin/smtpctl", *argv], text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError("smtpctl %s: %s" % (" ".join(argv),
                                               done.stdout.strip()))
    return done.stdout
