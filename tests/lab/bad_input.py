# SPDX-License-Identifier: ISC
"""What comes to the filter from smtpd, cut, shuffled, doubled, broken. Each
request is answered once and as it should be, whatever stands around it."""
import random

from filter_peer import (FilterPeer, connect, disconnect, rcpt, session_name,
                         tx_mail)
from mail_server import QUERY_SOCKET
from process import wait_for
from query_client import start_daemon
from trials import BAD

SEED = 822
SESSIONS = 1000
GOOD = "user@good.test"
MAILBOXES = [       # and what must be said
    (GOOD, "proceed"), ("user@" + BAD, "reject|451 4.7.4 "),
    ("user@no-record.test", "proceed"), ("a|b@good.test", "proceed"),
    ("a|b@" + BAD, "reject|451 4.7.4 "), ("|@" + BAD, "reject|451 4.7.4 "),
    ("user@%s|" % BAD, "proceed"), ("", "proceed"), ("user", "proceed"),
    ("user@[127.0.0.1]", "proceed"), ("\"a b|@c\"@" + BAD, "reject|451 4.7.4 "),
    ("user@" + "x" * 300 + ".test", "proceed")]


def filter_input(lab):
    """what comes to the filter is cut, shuffled, doubled, broken"""
    check = lab.rows.check
    lab.server.stop()
    daemon = start_daemon(lab)
    for version in ("0.6", "0.7", "0.9"):
        check("protocol " + version, "each mailbox as it should be",
              lambda: with_filter(lab, each_mailbox, version))
    for name, expected, trial in (
            ("octet by octet", "one right answer each", octet_by_octet),
            ("doubled lines", "at most one answer each", doubled),
            ("shuffled lines", "no answer without a request", shuffled),
            ("lines of 64 KiB", "passed over, the next one read", long_lines),
            ("noise between lines", "one right answer each", noise),
            ("%d sessions at once" % SESSIONS, "one right answer each",
             thousand)):
        check(name, expected, lambda: with_filter(lab, trial, "0.7"))
    check("cut anywhere", "the filter ends with 0", lambda: cut(lab))
    daemon.stop()
    lab.server.start()


def with_filter(lab, trial, version):
    """A filter of its own for a trial; it must end well."""
    peer = FilterPeer(lab.logs + "/filter.log", "-s", QUERY_SOCKET)
    peer.begin(version)
    wait_for("the daemon", lambda: peer.one(
        session_name(1 << 40), GOOD)[0] == "proceed")
    peer.forget()
    happened, ok, *details = trial(peer, version)
    # Whatever came before: the next session is served.
    last = peer.one("ffffffffffffffff", "user@" + BAD)[0]
    status = peer.end()
    return happened, ok and last.startswith("reject|451 4.7.4 ") and \
        not peer.wrong and status == 0, *details, *peer.wrong[:3]


def conversation(version):
    """The lines of one session for each mailbox, and what must be said."""
    lines, expected = [], {}
    for n, (mailbox, decision) in enumerate(MAILBOXES):
        session = session_name(n)
        lines += [connect(session, version), tx_mail(session, version),
                  rcpt(session, mailbox, version)]
        expected[session] = decision
    return lines, expected


def as_expected(peer, expected):
    """(what happened, whether it is right)"""
    peer.answered(len(expected))
    wrong = ["%s: %s" % (session, peer.answers.get(session))
             for session, decision in expected.items()
             if len(peer.answers.get(session, [])) != 1 or
             not peer.answers[session][0][0].startswith(decision)]
    return "%d answers, %d wrong" % (peer.n_answers(), len(wrong)), \
        not wrong and peer.n_answers() == len(expected), *wrong[:3]


def each_mailbox(peer, version):
    lines, expected = conversation(version)
    peer.send("".join(lines))
    return as_expected(peer, expected)


def octet_by_octet(peer, version):
    lines, expected = conversation(version)
    for octet in "".join(lines).encode():
        peer.send(bytes([octet]))
    return as_expected(peer, expected)


def doubled(peer, version):
    """smtpd never asks twice in one session, and would end by a second
    answer: only the last request of a session is answered for sure."""
    lines, expected = conversation(version)
    peer.send("".join(line + line for line in lines))
    peer.answered(len(expected))
    peer.one(session_name(5000), GOOD)
    wrong = [session for session, decision in expected.items()
             if not 1 <= len(peer.answers[session]) <= 2 or
             not all(d.startswith(decision)
                     for d, _ in peer.answers[session])]
    return "%d answers, %d wrong" % (peer.n_answers(), len(wrong)), \
        not wrong, *wrong


def shuffled(peer, version):
    """Reports of a session may come after its request, even its end."""
    lines, expected = conversation(version)
    lines += [disconnect(session, version) for session in expected]
    chance = random.Random(SEED)
    wrong = []
    for turn in range(200):
        peer.forget()
        chance.shuffle(lines)
        peer.send("".join(lines))
        # What is still open is over after this.
        peer.send("".join(disconnect(s, version) for s in expected))
        peer.one(session_name(6000 + turn), GOOD)
        wrong += [(turn, session) for session, decision in expected.items()
                  if not right_or_none(peer.answers.get(session, []),
                                       decision)]
    return "200 turns, %d wrong" % len(wrong), not wrong, "seed %d" % SEED, \
        *map(str, wrong[:3])


def right_or_none(answers, decision):
    return not answers or (len(answers) == 1 and
                           answers[0][0].startswith(decision))


def long_lines(peer, version):
    for length in (1 << 16, 1 << 17, 1 << 20):
        session = session_name(length)
        peer.send(connect(session, version) + rcpt(
            session, "x" * length + "@" + BAD, version))
        peer.send("x" * length + "\n")
    lines, expected = conversation(version)
    peer.send("".join(lines))
    peer.answered(len(expected))
    peer.one(session_name(7000), GOOD)
    answers = dict(peer.answers)
    # smtpd writes no such line; one that fits is no mailbox that DNS knows.
    odd = {s: a for s, a in answers.items() if s not in expected}
    wrong = [s for s, d in expected.items()
             if not right_or_none(answers[s], d)]
    return "%d answers, %d wrong" % (len(answers), len(wrong)), \
        not wrong and all(len(a) == 1 for a in odd.values()), *wrong


def noise(peer, version):
    lines, expected = conversation(version)
    chance = random.Random(SEED)
    junk = [b"\n", b"|\n", b"filter\n", b"filter|0.7|1|smtp-in|rcpt-to\n",
            b"report|0.7|1|smtp-out|tx-mail|1|2|ok|a@b\n", b"\0\xff\xfe\n",
            b"config|protocol|0.7\n", b"filter-result|1|2|proceed\n",
            chance.randbytes(500).replace(b"\n", b" ") + b"\n"]
    for line in lines:
        peer.send(chance.choice(junk) + line.encode() + chance.choice(junk))
    return as_expected(peer, expected)


def thousand(peer, version):
    expected = {}
    for n in range(SESSIONS):
        mailbox, decision = MAILBOXES[n % len(MAILBOXES)]
        expected[session_name(n)] = decision
        peer.ask(session_name(n), mailbox, version)
    return as_expected(peer, expected)


def cut(lab):
    """smtpd ends in the middle of a line."""
    text = "".join(conversation("0.7")[0][:6])
    chance = random.Random(SEED)
    places = sorted(chance.sample(range(len(text)), 20))
    statuses = set()
    for place in places:
        peer = FilterPeer(lab.logs + "/filter.log", "-s", QUERY_SOCKET)
        peer.begin()
        peer.send(text[:place])
        statuses.add(peer.end())
    return "%d places, status %s" % (len(places), statuses), statuses == {0}


TRIALS = [filter_input]
