# SPDX-License-Identifier: ISC
"""Sends mail to a destination and compares what happens with what must."""
import itertools

from mailer import submit
from process import Timeout, wait_for

DELIVERY_S = 60
REPLY_MAX = 400     # octets
_numbers = itertools.count(1)


def new_subject(domain):
    return "%s %d" % (domain, next(_numbers))


def row(lab, destination):
    """The arguments of Rows.add() for one message to a destination."""
    expect = destination.expect
    subject = new_subject(destination.domain)
    try:
        reply = submit("user@" + destination.domain, subject)
        if reply.code != 250:
            lab.refused.add(subject)
        happened, ok = compare(lab, destination, reply, subject)
    except (OSError, RuntimeError, Timeout) as error:
        return destination.domain, str(expect), "failed", False, str(error)
    details = [destination.what]
    if reply.code != 250:
        details.append("%s  (%.1f s)" % (reply, reply.seconds))
    return destination.domain, str(expect), happened, ok, *details


def compare(lab, destination, reply, subject):
    """(what happened, whether it is right)"""
    expect = destination.expect
    if reply.code != 250 or expect.code != 250:
        return outcome(reply), is_right_refusal(destination, reply)
    if expect.mx:
        happened, ok = delivery(lab, subject, expect.mx, expect.tls)
    else:
        got = lab.sinks.received(lambda m: m.subject == subject)
        happened, ok = ("delivered", False) if got else (str(expect), True)
    if ok and expect.log:
        wait_for("log line '%s'" % expect.log, lambda: lab.server.logged(
            destination.domain, expect.log), 5)
    return happened, ok


def outcome(reply):
    if reply.code == 250:
        return "accepted"
    return "refused %d %s" % (reply.code, reply.text.partition(" ")[0])


def is_right_refusal(destination, reply):
    """The reply must tell a person what is wrong with which domain."""
    expect = destination.expect
    text = reply.text.lower()
    return (reply.code == expect.code and
            text.startswith(expect.status + " ") and
            len(text) < REPLY_MAX and text.isprintable() and
            all(word.lower() in text
                for word in (destination.domain, *expect.words)))


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
