# SPDX-License-Identifier: ISC
"""Bad days of the network: resolvers, policy hosts and mail hosts that are
gone, silent or worse."""
import time
from concurrent.futures import ThreadPoolExecutor

import bad_hosts
from bad_destinations import (CROOKED_HOSTS, HOST_FAULTS, TARPITS,
                              tarpit_domain)
from bad_engine import not_delivered
from bad_resolver import ADDRESS, FAULTS, BadResolver
from destinations import BY_DOMAIN
from judge import is_right_refusal, new_subject
from mail_server import greets
from mailer import submit
from process import Process, wait_for
from query_client import QueryClient, ask_once, start_daemon
from trials import BAD, ENGINE_AWAY, judged_again, kill_engine, restart

GOOD, NONE = "good.test", "no-record.test"
CACHED_MS, COLD_MS = 100, 1000
HOST_DEADLINE_S = 15        # longer than a probe may take


def resolver(lab):
    """the resolver stops, and answers what nobody should believe"""
    check = lab.rows.check
    check("resolver stopped", "known policies still bind",
          lambda: stopped(lab))
    check("resolver is back", "judged as before", lambda: back(lab))
    bad = BadResolver()
    restart(lab, resolver=ADDRESS)
    learn()
    for fault in FAULTS:
        bad.fault = fault
        check("resolver: " + fault, "bad refused, none passes, no 5xx",
              lambda: three_under_fault(lab, bad))
    bad.fault = None
    bad.close()
    check("resolver: closed port", "bad refused, none passes, no 5xx",
          lambda: three_under_fault(lab, None))
    bad = BadResolver()
    check("resolver is right again", "judged as before", lambda: back(lab))
    restart(lab)
    bad.close()


def learn():
    """The policies are in the store from now on."""
    for domain in (GOOD, BAD):
        submit("user@" + domain, new_subject(domain))


def settled(domain):
    """Submits until there is an engine: (reply, subject)"""
    def ask():
        subject = new_subject(domain)
        reply = submit("user@" + domain, subject)
        return None if reply.text.startswith(ENGINE_AWAY) else (reply, subject)
    return wait_for("an engine", ask)


def ask_three(lab):
    """Replies for a domain whose policy is kept, a domain whose policy is
    broken and a domain without one, by an engine that knows only its store."""
    kill_engine()
    with ThreadPoolExecutor(3) as pool:
        replies = list(pool.map(settled, (GOOD, BAD, NONE)))
    lost = not_delivered(lab, [s for r, s in replies if r.code == 250])
    return [r for r, _ in replies], lost


def three_under_fault(lab, bad):
    asked = bad.asked if bad else -1
    (good, broken, none), lost = ask_three(lab)
    # The README's table: MX hosts cannot be looked up; no record, nothing
    # remembered.
    ok = (good.code == 451 and good.text.startswith("4.4.3") and
          broken.code == 451 and broken.text.startswith("4.4.3") and
          none.code == 250 and not lost)
    if bad is not None and bad.fault != "closes":
        ok = ok and bad.asked > asked
    return "good %d, bad %d, none %d" % (good.code, broken.code, none.code), \
        ok, str(broken), *lost


def stopped(lab):
    learn()
    lab.dns.unbound.stop()
    kill_engine()
    good, bad = settled(GOOD)[0], settled(BAD)[0]
    return "good %d, bad %d" % (good.code, bad.code), \
        (good.code, bad.code) == (451, 451) and greets(), str(good), str(bad)


def back(lab):
    if not lab.dns.unbound.alive():
        lab.dns.unbound = Process(
            "unbound", lab.dns.unbound.popen.args, lab.dns.unbound.log,
            lab.dns.libraries)
        lab.dns.unbound.wait_until("answers", lab.dns.validates)
    (good, bad, none), lost = ask_three(lab)
    return "good %d, bad %d, none %d" % (good.code, bad.code, none.code), \
        (good.code, none.code) == (250, 250) and not lost and \
        is_right_refusal(BY_DOMAIN[BAD], bad), str(bad)


def policy_hosts(lab):
    """200 policy hosts accept and never answer"""
    check = lab.rows.check
    lab.server.stop()
    tarpits = bad_hosts.Tarpits()
    daemon = start_daemon(lab)
    ask_once("user@" + BAD)
    crowd = QueryClient().greeted()
    for n in range(TARPITS):
        crowd.request("rcpt", "user@" + tarpit_domain(n))
    begun = time.monotonic()
    for n, after in enumerate((0, 0.5, 1.5, 3, 6, 12, 20)):
        time.sleep(max(0, begun + after - time.monotonic()))
        check("cached, %g s later" % after, "refused, < %d ms" % CACHED_MS,
              lambda: in_time(BAD, "defer", CACHED_MS))
        check("cold, %g s later" % after, "refused, < %d ms" % COLD_MS,
              lambda: in_time("fresh%d.test" % n, "defer", COLD_MS))
    check("the %d themselves" % TARPITS, "451 4.4.3 at the deadline",
          lambda: tarpits_told(crowd))
    crowd.close()
    daemon.stop()
    tarpits.close()
    lab.server.start()


def in_time(domain, wanted, limit_ms):
    word, text, seconds = ask_once("user@" + domain)
    return "%s, %.0f ms" % (word, 1000 * seconds), \
        word == wanted and " 4.7.4 " in text and 1000 * seconds < limit_ms


def tarpits_told(client):
    lines = [client.line().split(" ", 2) for _ in range(TARPITS)]
    numbers = {number for number, _, _ in lines}
    right = sum(word == "defer" and text.startswith("451 4.4.3")
                for _, word, text in lines)
    return "%d of %d" % (right, TARPITS), \
        len(numbers) == TARPITS and right == TARPITS


def mail_hosts(lab):
    """mail hosts that flood or fall silent"""
    restart(lab, deadline=HOST_DEADLINE_S)
    listeners = [bad_hosts.listen(lab.authority, d, fault)
                 for d, fault in zip(CROOKED_HOSTS, HOST_FAULTS)]
    with ThreadPoolExecutor(len(CROOKED_HOSTS)) as pool:
        replies = list(pool.map(
            lambda d: submit("user@" + d.domain, new_subject(d.domain)),
            CROOKED_HOSTS))
    for destination, reply in zip(CROOKED_HOSTS, replies):
        lab.rows.add(destination.domain, destination.expect.at_filter() + ", in time",
                     "refused %d %s, %.1f s" % (
                         reply.code, reply.text.split()[0], reply.seconds),
                     is_right_refusal(destination, reply) and
                     reply.seconds < HOST_DEADLINE_S + 1, str(reply))
    lab.rows.check("mail after that", "judged", lambda: judged_again(lab, BAD))
    for listener in listeners:
        listener.close()
    restart(lab)


TRIALS = [resolver, policy_hosts, mail_hosts]
