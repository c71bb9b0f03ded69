# SPDX-License-Identifier: ISC
"""Bad days of the relay: it is killed under load, hosts behind it fall silent,
or take a minute to answer."""
import os
import random
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import odd_hosts
from crowd import keep_busy
from gates import both_gates
from judge import fate
from mail_queue import smtpctl
from mailer import UNFILTERED
from process import Timeout, wait_for
from query_client import start_daemon
from relay_trials import arrived, send

KILLS = 100
SEED = 7672
CLIENTS = 8
LOAD = ["user@" + d for d in ("good.test", "no-record.test", "wildcard.test",
                              "ipv6.test", "third-mx.test", "any-tls.test")]
DRAIN_S = 240
CUT = ("Connection closed unexpectedly", "IO Error: Connection reset by peer")
SILENT_S = 300
PROMPT_S = 10           # for mail beside stalled sessions


def relay_killed(lab):
    """the relay is killed under load"""
    with both_gates(lab) as daemon:
        lab.rows.check("%d x kill -9 of the relay" % KILLS,
                       "none lost, doubled only by a cut",
                       lambda: killed_under_load(lab, daemon))


def killed_under_load(lab, daemon):
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(keep_busy, LOAD, CLIENTS, stop.is_set, UNFILTERED)
        try:
            kills = kill_at_random(lab, daemon, load)
        finally:
            stop.set()
        sent = load.result(120)
    subjects = {subject for _, reply, subject in sent if reply.code == 250}
    lost = drained(lab, subjects)
    copies = {subject: [] for subject in subjects}
    for m in lab.sinks.received(lambda m: m.subject in subjects):
        copies[m.subject].append(m)
    doubled = {s: c for s, c in copies.items() if len(c) > 1}
    results = results_of(lab)
    uncut = ["%s: %d copies, %s" % (s, len(c), results.get(c[0].sender))
             for s, c in doubled.items()
             if not fits_a_cut(len(c), results.get(c[0].sender, []))]
    return "%d kills, %d messages, %d lost, %d doubled" % (
        kills, len(subjects), len(lost), len(doubled)), \
        kills == KILLS and not lost and not uncut and \
        len(subjects) > KILLS, "seed %d" % SEED, *lost[:5], *uncut[:5]


def results_of(lab):
    """What smtpd's log says of each try, by sender; each message has its own.
    """
    results = {}
    found = re.finditer(r' from=<([^>]*)> .* result="(\w+)" stat="([^"]*)"',
                        lab.server.process.text())
    for match in found:
        results.setdefault(match[1], []).append(
            match[2] if match[2] == "Ok" else match[3])
    return results


def fits_a_cut(copies, results):
    """A host has a copy when it has read the dot. That smtpd sent another one
    is right only where it was cut off from the reply to that dot."""
    cut = sum(result in CUT for result in results)
    return results.count("Ok") == 1 and cut >= copies - 1


def kill_at_random(lab, daemon, load):
    """How often. daemon.popen is that of the new one each time: the caller
    stops it."""
    chance = random.Random(SEED)
    kills = 0
    while kills < KILLS and not load.done():
        time.sleep(chance.uniform(0, 0.5))
        os.kill(daemon.popen.pid, signal.SIGKILL)
        kills += 1
        daemon.popen.wait()
        daemon.popen = start_daemon(lab).popen
        try_again()
    return kills


def try_again():
    """What smtpd waits for (a route that failed, a later try), now."""
    for line in smtpctl("show", "routes").splitlines():
        if line.split()[1:2] != ["-"]:
            smtpctl("resume", "route", line.split(".")[0])
    smtpctl("schedule", "all")


def drained(lab, subjects):
    """Those that do not arrive."""
    missing = set(subjects)

    def arrived_all():
        missing.difference_update(
            m.subject for m in lab.sinks.received(lambda m: True))
        return not missing
    end = time.monotonic() + DRAIN_S
    while time.monotonic() < end:
        try:
            wait_for("the rest", arrived_all, 5)
            break
        except Timeout:
            try_again()
    return sorted(missing)


def stalls(lab):
    """hosts behind the relay that fall silent, and one that is slow"""
    odd = [*odd_hosts.SILENT, odd_hosts.SLOW]
    listeners = odd_hosts.listen(lab, odd)
    with both_gates(lab), ThreadPoolExecutor(len(odd)) as pool:
        rows = [pool.submit(stalled_row, lab, o) for o in odd]
        lab.rows.check("mail beside them", "at once", lambda: prompt(lab))
        for row in rows:
            lab.rows.add(*row.result())
    for listener in listeners:
        listener.close()


def prompt(lab):
    start = time.monotonic()
    subject, _ = send("user@good.test")
    got = arrived(lab, subject)
    took = time.monotonic() - start
    return "after %.1f s" % took, len(got) == 1 and took < PROMPT_S


def stalled_row(lab, host):
    """The arguments of Rows.add()."""
    domain, expect = host.destination.domain, host.expect
    start = time.monotonic()
    try:
        subject, sender = send("user@" + domain)
        if not expect.mx:
            lab.refused.add(subject)
        happened, ok, *words = fate(lab, subject, sender, expect, "", SILENT_S)
    except Exception as error:      # one host's row, not the others'
        return host.name, expect.at_relay(), "failed", False, str(error)
    took = "after %.0f s" % (time.monotonic() - start)
    return host.name, expect.at_relay(), happened, ok, *words, took


# The first leaves nothing behind, the other many thousands of messages.
TRIALS = [stalls, relay_killed]
