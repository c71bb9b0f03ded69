# SPDX-License-Identifier: ISC
"""The wall clock jumps. Only a tree configured with --enable-debug-clock can
be told so, see common/clock.h."""
import os
import time

from bad_destinations import LONG, SHORT
from judge import new_subject
from mailer import submit
from namespace import WORK, write
from process import wait_for
from trials import ENGINE_AWAY, kill_engine

OFFSET = WORK + "/clock-offset"
ENGINE = "/opt/strictmx/sbin/strictmxd"
DAY_S = 86400
VERDICT_S = 3       # the TTL of the lab's records, and one


def clock(lab):
    """the wall clock moves by a day"""
    check = lab.rows.check
    set_clock(0)
    lab.server.stop()
    lab.server.start(before="/usr/bin/env STRICTMX_CLOCK_OFFSET=" + OFFSET)
    with open(ENGINE, "rb") as file:
        can = b"STRICTMX_CLOCK_OFFSET" in file.read()
    lab.rows.add("debug clock", "built in", "%s" % can, can)
    learn(lab)
    # From here on a policy is known only to who has kept it.
    # Of the week's and the hour's, by the engine that sees the jump, and by one
    # that begins then: the first holds on to what only the jump would end.
    for days, jumped, begun in (
            (1, (451, 451), (451, 250)), (0, (451, 451), (451, 451)),
            (-1, (451, 451), (451, 451)), (0, (451, 451), (451, 250)),
            (1, (451, 250), (451, 250)), (-1, (451, 451), (451, 451)),
            (8, (451, 451), (250, 250)), (-1, (451, 451), (451, 451))):
        check("clock %+d day(s)" % days, "%d %d, then %d %d" % (jumped + begun),
              lambda: moved(days, jumped, begun))
    lab.server.stop()
    os.unlink(OFFSET)
    lab.server.start()


def set_clock(days):
    write(OFFSET, "%d\n" % (days * DAY_S))


def learn(lab):
    """Two policies, one for a week and one for an hour; then their records
    are gone from DNS."""
    for destination in (LONG, SHORT):
        judged(destination)
        lab.dns.remove("_mta-sts.%s." % destination.domain, "TXT")


def judged(destination):
    def ask():
        reply = submit("user@" + destination.domain,
                       new_subject(destination.domain))
        return None if reply.text.startswith(ENGINE_AWAY) else reply
    return wait_for("an engine", ask).code


def moved(days, jumped, begun):
    """By the engine that runs, and by one that begins at that time."""
    set_clock(days)
    time.sleep(VERDICT_S)   # verdicts that are kept live by the other clock
    found = judged(LONG), judged(SHORT)
    kill_engine()
    again = judged(LONG), judged(SHORT)
    return "%d %d, then %d %d" % (found + again), \
        (found, again) == (jumped, begun)


TRIALS = [clock]
