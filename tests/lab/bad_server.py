# SPDX-License-Identifier: ISC
"""Bad days of the mail server: a crowd of clients, and its end while they
wait."""
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

from bad_destinations import tarpit_domain
from bad_engine import LOAD, REFUSED
from bad_hosts import Tarpits, is_held
from crowd import ask_together
from mail_server import greets, leftovers
from process import running, wait_for
from trials import BAD, judged_again

CROWD = 1000
PENDING = 50


def crowd(lab):
    """1,000 sessions at once"""
    check = lab.rows.check
    check("%d sessions" % CROWD, "all answered, none wrong", thousand)
    check("mail after that", "judged", lambda: judged_again(lab, BAD))


def thousand():
    mailboxes = [LOAD[n % len(LOAD)] for n in range(CROWD)]
    replies = ask_together(mailboxes)
    wrong = ["%s: %s" % (m, r) for m, r in zip(mailboxes, replies)
             if r.code != (451 if m in REFUSED else 250)]
    slowest = max(r.seconds for r in replies)
    return "%d answers, %d wrong, slowest %.1f s" % (
        len(replies), len(wrong), slowest), not wrong and greets(), *wrong[:5]


def server_ends(lab):
    """smtpd ends while mail is pending"""
    check = lab.rows.check
    with Tarpits():
        check("SIGTERM, %d pending" % PENDING, "no process left after 5 s",
              lambda: ended(lab, signal.SIGTERM, parent))
        check("kill -9, %d pending" % PENDING, "no process left after 5 s",
              lambda: ended(lab, signal.SIGKILL, parent))
        check("kill -9 of every part", "no process left after 5 s",
              lambda: ended(lab, signal.SIGKILL, every_part))


def parent(lab):
    return [lab.server.process.popen.pid]


def every_part(_):
    return running("smtpd")


def ended(lab, number, which):
    with ThreadPoolExecutor(1) as pool:
        asked = threading.Event()
        clients = pool.submit(until_it_ends, asked)
        asked.wait(20)
        wait_for("the first fetch", lambda: is_held(0), 20)
        early = clients.done()
        for pid in which(lab):
            os.kill(pid, number)
        wait_for("end of filter and engine", lambda: not leftovers(), 5)
        wait_for("end of smtpd", lambda: not running("smtpd"), 5)
        clients.result()
    lab.server.process.popen.wait()
    lab.server.start()
    return "none", not early


def until_it_ends(asked):
    try:
        ask_together(["user@" + tarpit_domain(n) for n in range(PENDING)],
                     asked.set)
    except (OSError, RuntimeError, ValueError):
        pass            # the server went, as it was to


TRIALS = [crowd, server_ends]
