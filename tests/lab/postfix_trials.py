# SPDX-License-Identifier: ISC
"""Postfix's own SMTP client, with strictmxd behind smtp_tls_policy_maps: what
goes out, what stays in the queue, and what happens when the engine is away."""
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import dane
from destinations import BY_DOMAIN, DESTINATIONS, delivered, refused
from judge import delivery, new_subject
from namespace import USERS
from postfix_sender import MAP, MAP_PORT, MAP_SOCKET, PostfixSender
from process import Timeout, wait_for
from query_client import start_daemon

CONFIGURATION = "/opt/strictmx/etc/strictmx.conf"
SECTION = """
socketmap {
	listen = {"127.0.0.1:%d", "%s"}
	group = postfix
	report-testing = yes
}
""" % (MAP_PORT, MAP_SOCKET)

# Where Postfix does otherwise than the relay.
AT_POSTFIX = {
    # Postfix 3.7 takes the CN when there is no SAN, which RFC 8461 4.2 does
    # not allow; no attribute of its policy table says otherwise.
    "cn-only.test": delivered("mx.cn-only.test"),
}

# What Postfix's log must hold about a message that stays.
WHY = {
    "not-listed.test": "does not list its MX mx1.not-listed.test",
    "too-deep.test": "does not list its MX a.mx.too-deep.test",
    "txt-bogus.test": "record of txt-bogus.test could not be looked up",
    "txt-dead.test": "record of txt-dead.test could not be looked up",
    "policy-silent.test": "of policy-silent.test has not been fetched yet",
    "mx-servfail.test": "Name service error for name=mx-servfail.test",
    "no-starttls.test": "TLS is required, but was not offered",
    "expired.test": "certificate has expired",
    "wrong-name.test": "Server certificate not verified",
}


# The same, of a Postfix that is told the policy itself.
WHY_NEWER = {
    "not-listed.test": "external policy failure (validation-failure)",
    "too-deep.test": "external policy failure (validation-failure)",
}


def postfix(lab):
    """Postfix asks the engine by itself"""
    check = lab.rows.check
    lab.server.stop()
    configure(lab)
    sender = PostfixSender(lab)
    sender.engine = start_daemon(lab)
    sender.start()
    lab.rows.stage("Postfix %s, %s" % (sender.version, sender.map))
    check("postmap", "policy, none, why not", lambda: postmap(sender))
    check("postmap, Unix socket", "the same", lambda: unix_socket(sender))
    if sender.newer:
        check("mode testing, told", "as the level may", lambda: told(sender))
    check("engine away, then back", "deferred, then delivered",
          lambda: engine_away(lab, sender))
    check("log", "verified, for each that met a policy", lambda: logged(
        sender, judge_all(lab, sender)))
    check("held mail", "tried again, none has gone out",
          lambda: held(lab, sender))
    check("mode = testing", "to the bad host", lambda: staging(lab, sender))
    sender.stop()
    sender.engine.stop()
    lab.configure()
    lab.server.start()


def configure(lab, **settings):
    lab.configure(**settings)
    with open(CONFIGURATION, "a", encoding="ascii") as file:
        file.write(SECTION)


def postmap(sender):
    good = sender.query("GOOD.test")
    none = sender.query("no-record.test")
    bad = sender.query("txt-dead.test")
    return "%d, %d, %d" % (good[0], none[0], bad[0]), \
        good[0] == 0 and not good[2] and (good[1] + " ").startswith(
            "secure match=mx.good.test servername=hostname ") and \
        none == (1, "", "") and bad[0] == 1 and \
        WHY["txt-dead.test"] in bad[2], good[1], bad[2]


def told(sender):
    """Mail there went out in clear before: this is not more than a report."""
    status, answer, why = sender.query("testing.test")
    return answer[:30], status == 0 and answer.startswith(
        "may policy_type=sts policy_domain=testing.test "), answer, why


def unix_socket(sender):
    found = os.stat(MAP_SOCKET)
    status, answer, why = sender.query(
        "good.test", sender.map.replace(MAP, "socketmap:unix:%s:" % MAP_SOCKET))
    return "exit status %d, group %d" % (status, found.st_gid), \
        (status, answer) == (0, sender.query("good.test")[1]) and \
        (found.st_gid, found.st_mode & 0o777) == (USERS["postfix"], 0o660), why


def judge_all(lab, sender):
    """Mail to every destination; those that Postfix does not even ask about
    are left out: no host is there."""
    destinations = [d for d in DESTINATIONS if expectation(d).mx or
                    expectation(d).code == 451]
    destinations += [c.destination for c in dane.CASES]
    with ThreadPoolExecutor(16) as pool:
        for row in pool.map(lambda d: judge(lab, sender, d), destinations):
            lab.rows.add(*row)
    return destinations


def logged(sender, destinations):
    """The line that tells a user that it works. Of DANE, a few stand for all:
    some hosts are not verified, some are known by another name."""
    missing = [d.domain for d in destinations if expectation(d).tls and
               (d.domain in SOME_OF_DANE or
                d.domain not in AT_DANE and d.policy is not None) and
               not sender.logged("Verified TLS connection established to " +
                                 expectation(d).mx)]
    return "%d lines missing" % len(missing), not missing, *missing


def held(lab, sender):
    wait_for("a second try", lambda: any(
        len(sender.statuses(recipient)) > 1 for recipient in sender.held), 60)
    out = lab.sinks.received(lambda m: m.recipient in sender.held)
    return "%d of %d have" % (len(out), len(sender.held)), \
        len(sender.held) > 10 and not out, *map(str, out)


def at_dane(case):
    """What `ask` says before, Postfix does after."""
    mx = case.destination.mx[0]
    if case.action == "defer":
        return refused("4.7.5")
    return delivered(mx.host, tls=mx.starttls != "no")


SOME_OF_DANE = ("tlsa-own.test", "tlsa-ta.test", "tlsa-sts-own.test",
                "tlsa-sts-unlisted.test")
AT_DANE = {c.destination.domain: at_dane(c) for c in dane.CASES}


def expectation(destination):
    if destination.domain in AT_DANE:
        return AT_DANE[destination.domain]
    return AT_POSTFIX.get(destination.domain, destination.at_delivery)


def judge(lab, sender, destination):
    """The arguments of Rows.add()."""
    try:
        return judge_one(lab, sender, destination)
    except (OSError, RuntimeError, Timeout) as error:
        return "Postfix: " + destination.domain, \
            expectation(destination).at_relay(), "failed", False, str(error)


def why_words(sender, domain):
    """At the first try or a later one."""
    if sender.newer and domain in WHY_NEWER:
        return WHY_NEWER[domain]
    return WHY.get(domain, "")


def judge_one(lab, sender, destination):
    expect = expectation(destination)
    domain = destination.domain
    subject = new_subject(domain)
    name = "Postfix: " + domain
    if expect.code == 451:
        recipient = sender.send(domain, subject)
        if domain != "policy-silent.test":      # the fetch fails, in the end
            sender.held.add(recipient)
        status, why = sender.status(recipient)
        words = why_words(sender, domain)
        wait_for("'%s' in the log" % words, lambda: sender.logged(words))
        return name, "deferred", status, status == "deferred", \
            destination.what, why
    sender.send(domain, subject)
    happened, ok = delivery(lab, subject, expect.mx, expect.tls)
    return name, expect.at_relay(), happened, ok, destination.what


def engine_away(lab, sender):
    sender.engine.stop(signal.SIGKILL)
    subject = new_subject("good.test")
    status, why = sender.status(sender.send("good.test", subject))
    early = lab.sinks.received(lambda m: m.subject == subject)
    sender.engine = start_daemon(lab)
    happened, ok = delivery(lab, subject, "mx.good.test", True)
    return "%s, then %s" % (status, happened), \
        status == "deferred" and not early and ok, why


def staging(lab, sender):
    """What would stay goes out, and the log says that it would have stayed."""
    domain = "no-starttls.test"
    configure(lab, mode="testing")
    engine = sender.engine
    engine.popen.send_signal(signal.SIGHUP)
    engine.wait_until("the reload", lambda: "configuration reloaded" in
                      engine.text())
    subject = new_subject(domain)
    sender.send(domain, subject)
    return delivery(lab, subject, BY_DOMAIN[domain].mx[0].host, False)


TRIALS = [postfix]
