# SPDX-License-Identifier: ISC
"""Bad days of the state directory. Whatever becomes of the store, mail is
judged; without it by what memory holds."""
import os
import random
import shutil
import signal
import sqlite3
import time

from mail_server import STATE
from mailer import submit
from judge import new_subject
from namespace import USERS, run
from process import wait_for
from trials import BAD, judged_again, kill_engine

STORE = os.path.join(STATE, "policies.sqlite")
FILLER = os.path.join(STATE, "filler")


def state(lab):
    """the state directory is full, damaged, gone"""
    check = lab.rows.check
    trials = [
        ("full at the start", "judged, said once", full_at_start),
        ("full while running", "judged, said once", full_while_running),
        ("noise, while stopped", "judged, moved aside", noise_stopped),
        ("noise, while running", "judged, before and after", noise_running),
        ("read-only", "judged, said once", read_only),
        ("deleted while running", "judged, before and after", deleted),
        ("newer schema", "judged, not touched", newer_schema),
    ]
    for name, expected, trial in trials:
        lab.server.stop()
        own_directory()
        try:
            check(name, expected, lambda: trial(lab))
        finally:
            lab.server.stop()
            run("umount", STATE)
    lab.server.start()


def own_directory(size="8m"):
    """A small file system of its own for the state directory."""
    run("mount", "-t", "tmpfs", "-o", "size=%s,mode=700,uid=%d,gid=%d" % (
        size, USERS["strictmx"], USERS["strictmx"]), "tmpfs", STATE)


def fill():
    with open(FILLER, "wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            pass        # full now


def both_judged(lab):
    """(what happened, whether it is right, the reply): mail to a good and to
    a bad destination."""
    good = wait_for("the good one to pass", lambda: submit(
        "user@good.test", new_subject("good.test")).code == 250)
    happened, ok, *details = judged_again(lab, BAD)
    return happened, ok and good, *details


def lines_about_store(lab):
    return [line for line in lab.server.process.text().splitlines()
            if "policy store" in line]


def said_once(lab):
    """(what happened, whether it is right): one complaint, whatever is asked
    for after it."""
    happened, ok, *details = both_judged(lab)
    for n in range(5):
        submit("user@fresh%d.test" % n, new_subject("fresh"))
    both_judged(lab)
    lines = lines_about_store(lab)
    return "%s, %d line(s)" % (happened, len(lines)), ok and \
        len(lines) == 1, *details, *lines[:3]


def full_at_start(lab):
    fill()
    lab.server.start()
    return said_once(lab)


def full_while_running(lab):
    lab.server.start()
    both_judged(lab)
    fill()
    happened, ok, *details = said_once(lab)
    # Policies of memory bind, and are written again when there is room.
    os.unlink(FILLER)
    submit("user@fresh9.test", new_subject("fresh"))
    wait_for("the end of it in the log",
             lambda: len(lines_about_store(lab)) == 2, 5)
    return happened, ok, *details, lines_about_store(lab)[1]


def noise(path):
    size = max(os.path.getsize(path), 8192)
    with open(path, "r+b") as file:
        file.write(random.Random(1).randbytes(size))


def noise_stopped(lab):
    lab.server.start()
    both_judged(lab)
    lab.server.stop()
    noise(STORE)
    lab.server.start()
    happened, ok, *details = both_judged(lab)
    lines = lines_about_store(lab)
    aside = [name for name in os.listdir(STATE)
             if name.startswith("policies.sqlite.")]
    return "%s, %d aside" % (happened, len(aside)), ok and \
        len(aside) == 1 and any(aside[0] in line for line in lines), \
        *details, *lines


def noise_running(lab):
    lab.server.start()
    both_judged(lab)
    for name in os.listdir(STATE):
        if os.path.getsize(os.path.join(STATE, name)) > 0:
            noise(os.path.join(STATE, name))
    happened, ok, *details = both_judged(lab)
    for n in range(5):
        submit("user@fresh%d.test" % n, new_subject("fresh"))
    kill_engine()
    after, fine, *_ = both_judged(lab)
    return "%s, then %s" % (happened, after), ok and fine, *details, \
        *lines_about_store(lab)[:4]


def read_only(lab):
    lab.server.start()
    both_judged(lab)
    lab.server.stop()
    run("mount", "-o", "remount,ro", STATE)
    lab.server.start()
    return said_once(lab)


def deleted(lab):
    lab.server.start()
    both_judged(lab)
    for name in os.listdir(STATE):
        os.unlink(os.path.join(STATE, name))
    happened, ok, *details = both_judged(lab)
    submit("user@fresh1.test", new_subject("fresh"))
    kill_engine()
    after, fine, *_ = both_judged(lab)
    return "%s, then %s" % (happened, after), ok and fine and \
        os.path.exists(STORE), *details, *lines_about_store(lab)[:4]


def newer_schema(lab):
    lab.server.start()
    both_judged(lab)
    lab.server.stop()
    with sqlite3.connect(STORE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with open(STORE, "rb") as file:
        before = file.read()
    lab.server.start()
    happened, ok, *details = said_once(lab)
    lab.server.stop()
    with open(STORE, "rb") as file:
        return happened, ok and file.read() == before, *details


TRIALS = [state]
