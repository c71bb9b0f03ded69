# SPDX-License-Identifier: ISC
"""Bad days of the engine: it is killed, has no descriptors left, is given a
broken configuration."""
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from bad_destinations import tarpit_domain
from bad_hosts import Tarpits, is_held
from crowd import ask_together, keep_busy
from mail_server import greets
from namespace import write
from process import Timeout, running, wait_for
from query_client import ask_once, start_daemon
from trials import BAD, ENGINE_AWAY, judged_again, kill_engine, restart

PENDING = 50
KILLS = 200
SEED = 8461
CONFIGURATION = "/opt/strictmx/etc/strictmx.conf"
LOAD = ["user@" + d for d in (
    "good.test", BAD, "no-record.test", "expired.test", "wildcard.test",
    "not-listed.test", "testing.test", "no-domain.test")]
REFUSED = {"user@" + d for d in (BAD, "expired.test", "not-listed.test")}

PLAIN = {"user@no-record.test", "user@no-domain.test"}      # no policy at all


def engine_killed(lab):
    """the engine is killed, and killed again"""
    check = lab.rows.check
    with Tarpits():
        check("kill -9, %d pending" % PENDING, "%d x 451 4.3.0, then judged" %
              PENDING, lambda: fifty_pending(lab))
    check("%d x kill -9 under load" % KILLS, "all answered, none wrong or lost",
          lambda: killed_under_load(lab))
    check("mail after that", "judged", lambda: judged_again(lab, BAD))
    restart(lab)


def fifty_pending(lab):
    kill_engine()       # a new one knows nothing of these domains
    judged_again(lab, BAD)
    with ThreadPoolExecutor(1) as pool:
        asked = threading.Event()
        crowd = pool.submit(ask_together, tarpit_mailboxes(PENDING), asked.set)
        asked.wait(20)
        wait_for("the first fetch", lambda: is_held(0), 20)
        # The answer to a later question: the engine has the earlier ones.
        judged_again(lab, BAD)
        early = crowd.done()
        killed = kill_engine()
        replies = crowd.result()
    away = sum(r.text.startswith(ENGINE_AWAY) for r in replies)
    happened, ok, *details = judged_again(lab, BAD)
    return "%d x 451 4.3.0, then %s" % (away, happened), ok and \
        not early and len(killed) == 1 and away == PENDING, *details, \
        *sorted(set(map(str, replies)))[:3]


def tarpit_mailboxes(n):
    return ["user@" + tarpit_domain(i) for i in range(n)]


def killed_under_load(lab):
    parts = running("smtpd")
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(keep_busy, LOAD, 40, stop.is_set)
        try:
            kills = kill_at_random(load)
        finally:
            stop.set()
        results = load.result(120)
    wrong = [(m, str(r)) for m, r, _ in results
             if not fits(m, r)]
    away = sum(r.text.startswith(ENGINE_AWAY) for _, r, _ in results)
    lost = not_delivered(lab, [s for m, _, s in results
                               if s and not m.endswith("@no-domain.test")])
    happened = "%d kills, %d answers (%d away), %d wrong, %d lost" % (
        kills, len(results), away, len(wrong), len(lost))
    return happened, kills == KILLS and not wrong and not lost and \
        parts == running("smtpd") and greets(), "seed %d" % SEED, \
        *map(str, wrong[:5])


def fits(mailbox, reply):
    """What the tables allow, with an engine that may be away."""
    if reply.code == 250:
        return mailbox not in REFUSED
    return reply.code == 451 and (
        reply.text.startswith(ENGINE_AWAY) or mailbox in REFUSED)


def kill_at_random(load):
    chance = random.Random(SEED)
    killed = set()
    while len(killed) < KILLS and not load.done():
        pid = wait_for("a new engine", lambda: [
            p for p in running("strictmxd") if p not in killed], 30)[0]
        time.sleep(chance.uniform(0, 0.8))
        os.kill(pid, signal.SIGKILL)
        killed.add(pid)
    return len(killed)


def not_delivered(lab, subjects):
    """Those of the accepted messages that do not arrive."""
    missing = set(subjects)

    def arrived():
        nonlocal missing
        got = {m.subject for m in lab.sinks.received(lambda m: True)}
        missing -= got
        return not missing
    try:
        wait_for("delivery of all", arrived, 120)
    except Timeout:
        pass            # they are named by the caller
    return missing


def descriptors(lab):
    """64 descriptors for filter and engine"""
    check = lab.rows.check
    lab.server.stop()
    lab.server.start(before="/usr/bin/prlimit --nofile=64:64 --")
    check("limit", "of filter and engine", limits)
    with Tarpits():
        check("64 descriptors", "300 sessions answered, none wrong",
              few_descriptors)
    check("mail after that", "judged", lambda: judged_again(lab, BAD))
    lab.server.stop()
    lab.server.start()


def limits():
    found = []
    for pid in running("filter-strictmx") + running("strictmxd"):
        with open("/proc/%d/limits" % pid, encoding="ascii") as file:
            found += [line.split()[3:5] for line in file
                      if line.startswith("Max open files")]
    return str(found), found == [["64", "64"]] * 2


def few_descriptors():
    mailboxes = tarpit_mailboxes(150) + [LOAD[n % len(LOAD)]
                                         for n in range(150)]
    replies = ask_together(mailboxes)
    wrong = ["%s: %s" % (m, r) for m, r in zip(mailboxes, replies)
             if not fits_in_need(m, r)]
    passed = sum(r.code == 250 for r in replies)
    return "%d proceed, %d refused, %d wrong" % (
        passed, len(replies) - passed, len(wrong)), not wrong and greets(), \
        *wrong[:5]


def fits_in_need(mailbox, reply):
    """What the tables allow when nothing more can be looked up in time."""
    if mailbox in REFUSED or "@tarpit" in mailbox:
        return reply.code == 451
    if mailbox in PLAIN:
        return reply.code == 250
    return reply.code == 250 or (
        reply.code == 451 and reply.text.startswith("4.4."))


def hangup(lab):
    """SIGHUP with a broken configuration"""
    check = lab.rows.check
    with open(CONFIGURATION, encoding="ascii") as file:
        good = file.read()
    check("filter: broken file", "old one stays, reason in the log",
          lambda: broken_for_filter(lab, good))
    check("filter: repaired file", "mode = testing holds",
          lambda: repaired_for_filter(lab, good))
    write(CONFIGURATION, good)
    lab.server.stop()
    daemon = start_daemon(lab)
    check("daemon: broken file", "old one stays, reason in the log",
          lambda: broken_for_daemon(daemon, good))
    check("daemon: repaired file", "mode = testing holds",
          lambda: repaired_for_daemon(daemon, good))
    write(CONFIGURATION, good)
    daemon.stop()
    lab.server.start()


def send_hangup(*programs):
    for program in programs:
        for pid in running(program):
            os.kill(pid, signal.SIGHUP)


def broken_for_filter(lab, good):
    judged_again(lab, BAD)
    write(CONFIGURATION, good + "mode = perhaps\n")
    send_hangup("filter-strictmx", "strictmxd")
    wait_for("the filter's reason", lambda: lab.server.logged(
        "filter-strictmx", "mode = ", "perhaps"), 5)
    wait_for("the filter's log line", lambda: lab.server.logged(
        "the configuration stays as it was"), 5)
    wait_for("the engine's log line", lambda: lab.server.logged(
        "reload refused: the old configuration stays"), 5)
    return judged_again(lab, BAD)


def repaired_for_filter(lab, good):
    write(CONFIGURATION, good + "mode = testing\n")
    send_hangup("filter-strictmx")
    wait_for("log line", lambda: lab.server.logged(
        "configuration reloaded"), 5)
    happened = ask_together(["user@" + BAD])[0]
    return str(happened), happened.code == 250


def broken_for_daemon(daemon, good):
    ask_once("user@" + BAD)
    write(CONFIGURATION, good.replace("deadline = ", "deadline = -"))
    daemon.popen.send_signal(signal.SIGHUP)
    daemon.wait_until("its reason", lambda: "deadline = " in daemon.text(), 5)
    daemon.wait_until("its log line", lambda: "the old configuration stays"
                      in daemon.text(), 5)
    word, text, _ = ask_once("user@" + BAD)
    return word, word == "defer", text


def repaired_for_daemon(daemon, good):
    write(CONFIGURATION, good + "mode = testing\n")
    daemon.popen.send_signal(signal.SIGHUP)
    daemon.wait_until("its log line", lambda: "configuration reloaded"
                      in daemon.text(), 5)
    word, text, _ = ask_once("user@" + BAD)
    return word, word == "proceed", text


TRIALS = [engine_killed, descriptors, hangup]
