# SPDX-License-Identifier: ISC
"""Sends mail to a destination and compares what happens with what must."""
import itertools
import re

from mailer import PORT, UNFILTERED, submit
from process import Timeout, wait_for

DELIVERY_S = 60
REPLY_MAX = 400     # octets
_numbers = itertools.count(1)


def new_subject(domain):
    return "%s %d" % (domain, next(_numbers))


def new_sender():
    """One whose bounces arrive."""
    return "s%d@home.test" % next(_numbers)


def rows(lab, destination):
    """The arguments of Rows.add(), a row for each gate: what the filter says
    at submission, what the relay does at delivery. What the filter refuses is
    handed in again past the filter, as a forwarded message would be."""
    letter = Letter(lab, destination)
    try:
        row = letter.at_filter()
        if letter.reply.code != 250:
            letter = Letter(lab, destination)
            letter.submit(UNFILTERED)
        return row, letter.at_relay()
    except (OSError, RuntimeError, Timeout) as error:
        return [(destination.domain, "no error", "failed", False, str(error))]


class Letter:
    """One message to a destination."""

    def __init__(self, lab, destination):
        self.lab = lab
        self.destination = destination
        self.subject = new_subject(destination.domain)
        self.sender = new_sender()
        self.reply = None       # to RCPT

    def submit(self, port):
        self.reply = submit("user@" + self.destination.domain, self.subject,
                            self.sender, port=port)
        if self.reply.code != 250 or not self.destination.at_delivery.mx:
            self.lab.refused.add(self.subject)

    def at_filter(self):
        d = self.destination
        self.submit(PORT)
        ok = self.reply.code == d.expect.code == 250 or \
            is_right_refusal(d, self.reply)
        if ok and d.expect.log:
            wait_for("log line '%s'" % d.expect.log, lambda:
                     self.lab.server.logged(d.domain, d.expect.log), 5)
        details = [d.what]
        if self.reply.code != 250:
            details.append("%s  (%.1f s)" % (self.reply, self.reply.seconds))
        return (d.domain, "filter: " + d.expect.at_filter(),
                outcome(self.reply), ok, *details)

    def at_relay(self):
        d = self.destination
        happened, ok, *words = fate(self.lab, self.subject, self.sender,
                                    d.at_delivery, d.domain)
        others = told(self.lab, self.sender, d.at_delivery)
        return (d.domain, "relay: " + d.at_delivery.at_relay(), happened,
                ok and not others, *words, *others)


def fate(lab, subject, sender, expect, domain, seconds=DELIVERY_S):
    """What becomes of a message to one recipient: (what happened, whether it
    is right, the words of the queue or the bounce)."""
    happened, words = wait_for("the end of '%s'" % subject, lambda:
                               arrival(lab, subject) or
                               queued(lab, sender) or bounced(lab, sender),
                               seconds)
    ok = happened == expect.at_relay() or (
        not expect.mx and not expect.status and
        happened.startswith(expect.at_relay()))
    if words:
        ok = ok and is_clear(words, domain, *expect.words)
    return happened, ok, *filter(None, [words])


def told(lab, sender, expect):
    """The hosts that were asked to take a message of the sender, but may not
    have it."""
    return ["%s was asked to take it%s" % (a.mx, "" if a.tls else ", in clear")
            for a in lab.sinks.asked(lambda a: a.sender == sender)
            if (a.mx, a.tls) != (expect.mx, expect.tls)]


def arrival(lab, subject):
    got = lab.sinks.received(lambda m: m.subject == subject)
    if not got:
        return None
    return " and ".join("to %s%s" % (m.mx, "" if m.tls else " in clear")
                        for m in got), ""


def queued(lab, sender):
    """Once the first try has ended. After a 5xx it is not there for long."""
    found = lab.queue.find(lambda q: q.sender == sender and q.why and
                           not q.why.startswith("5"))
    return found and ("queued " + status(found[0].why), found[0].why)


def bounced(lab, sender):
    found = lab.sinks.received(lambda m: m.recipient == sender)
    if not found:
        return None
    words = re.search(rb"[45]\d\d [45]\.\d+\.\d+ [^\r]*", found[0].text)
    words = words.group().decode() if words else "no status"
    return "bounced " + status(words), words


def status(words):
    """Reply code and enhanced status, as far as they are there."""
    return " ".join(itertools.takewhile(
        lambda word: word[:1].isdigit(), words.split()[:2])) or "without status"


def is_clear(words, *wanted):
    """They tell a person what is wrong with what."""
    words = words.lower()
    return len(words) < REPLY_MAX and words.isprintable() and \
        all(word.lower() in words for word in wanted)


def outcome(reply):
    if reply.code == 250:
        return "accepted"
    return "refused %d %s" % (reply.code, reply.text.partition(" ")[0])


def is_right_refusal(destination, reply):
    """The reply must tell a person what is wrong with which domain."""
    expect = destination.expect
    return (reply.code == expect.code and
            reply.text.startswith(expect.status + " ") and
            is_clear(reply.text, destination.domain, *expect.words))


def delivery(lab, subject, mx, tls):
    messages = wait_for("delivery of '%s'" % subject, lambda:
                        lab.sinks.received(lambda m: m.subject == subject),
                        DELIVERY_S)
    got = messages[0]
    happened = "to %s%s" % (got.mx, "" if got.tls else " in clear")
    return happened, len(messages) == 1 and (got.mx, got.tls) == (mx, tls)


def refused_mail(lab):
    """For Rows.check(): none of it may have come through."""
    arrived = lab.sinks.received(lambda m: m.subject in lab.refused)
    return "%d of %d have" % (len(arrived), len(lab.refused)), not arrived, \
        *map(str, arrived)
