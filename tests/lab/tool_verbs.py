# SPDX-License-Identifier: ISC
"""strictmx(1) in the lab: each verb against real hosts and a real daemon."""
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import namespace
from destinations import BY_DOMAIN, DESTINATIONS
from mail_server import QUERY_SOCKET
from process import Process, wait_for

GOOD, BAD = "good.test", "no-starttls.test"
FINE, BAD_EXIT, UNKNOWN = 0, 1, 3

# The same where a domain is under DANE; words of the whole table.
UNDER_DANE = {
    "tlsa-own.test": (FINE, ("DANE", "matched at", "TLSA 3 ")),
    "tlsa-ta.test": (FINE, ("DANE", "matched at", "TLSA 2 ")),
    "tlsa-sts-unlisted.test": (FINE, ("DANE", "matched at")),
    "tlsa-pkix.test": (FINE, ("DANE", "unusable")),
    "tlsa-bad.test": (BAD_EXIT, ("to fix   Publish TLSA records at "
                                 "_25._tcp.mx.tlsa-bad.test",)),
    "tlsa-clear.test": (BAD_EXIT, ("to fix   Switch STARTTLS on",)),
    "tlsa-ta-name.test": (BAD_EXIT, ("certificate for its name",)),
}

# What "check" must say of each destination: exit status, and words of what is
# to be fixed. Its policy host that never answers would cost a minute.
NOT_CHECKED = {"policy-silent.test"}
CHECKED = {
    "good.test": (FINE, ""),
    "second-mx.test": (FINE, ""),
    "third-mx.test": (BAD_EXIT, "Renew the certificate of mx1.third-mx"),
    "no-starttls.test": (BAD_EXIT, "Switch STARTTLS on at mx.no-starttls"),
    "starttls-454.test": (BAD_EXIT, "Switch STARTTLS on"),
    "starttls-close.test": (BAD_EXIT, "Look at TLS of"),
    "starttls-inject.test": (BAD_EXIT, "Look at TLS of"),
    "tls1.1.test": (BAD_EXIT, "Look at TLS of"),
    "expired.test": (BAD_EXIT, "Renew the certificate of mx.expired.test"),
    "self-signed.test": (BAD_EXIT, "self-signed"),
    "wrong-name.test": (BAD_EXIT, "certificate for its name"),
    "cn-only.test": (BAD_EXIT, "certificate for its name"),
    "unknown-ca.test": (BAD_EXIT, "a public CA"),
    "wildcard.test": (FINE, ""),
    "too-deep.test": (BAD_EXIT, '"mx: a.mx.too-deep.test"'),
    "not-listed.test": (BAD_EXIT, '"mx: mx1.not-listed.test"'),
    "unreachable.test": (BAD_EXIT, "answer on port 25"),
    "mx-servfail.test": (UNKNOWN, "MX hosts of mx-servfail.test"),
    "xn--bcher-kva.test": (FINE, ""),
    "implicit.test": (FINE, ""),
    "implicit-bad.test": (BAD_EXIT, "Switch STARTTLS on at implicit-bad"),
    "null-mx.test": (BAD_EXIT, "takes no mail"),
    "ipv6.test": (FINE, ""),
    "ipv6-bad.test": (BAD_EXIT, "Renew the certificate"),
    "testing.test": (BAD_EXIT, "Switch STARTTLS on"),
    "mode-none.test": (FINE, ""),
    "no-record.test": (FINE, ""),
    "clear-close.test": (FINE, ""),
    "clear-454.test": (FINE, ""),
    "any-tls.test": (FINE, ""),
    "dead-mx.test": (FINE, ""),
    "no-domain.test": (BAD_EXIT, "there is no domain"),
    "two-records.test": (BAD_EXIT, "Leave one TXT record"),
    "broken-record.test": (BAD_EXIT, "Mend the TXT record"),
    "policy-404.test": (BAD_EXIT, "404"),
    "policy-redirect.test": (BAD_EXIT, "301"),
    "policy-certificate.test": (BAD_EXIT, "valid certificate"),
    "policy-html.test": (BAD_EXIT, "text/html"),
    "policy-large.test": (BAD_EXIT, "64 KiB"),
    "policy-broken.test": (BAD_EXIT, "max_age"),
    "txt-bogus.test": (UNKNOWN, "_mta-sts.txt-bogus.test"),
    "txt-dead.test": (UNKNOWN, "_mta-sts.txt-dead.test"),
    "local.test": (BAD_EXIT, "Switch STARTTLS on"),
}


def strictmx(*argv):
    """(exit status, output, complaints)"""
    done = subprocess.run(
        ["/opt/strictmx/bin/strictmx", *argv], text=True, timeout=120,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, **namespace.sanitizer_environment()})
    return done.returncode, done.stdout, done.stderr


def told(*argv):
    """(exit status, JSON)"""
    status, text, complaints = strictmx(*argv, "--json")
    if status not in (0, 1) or complaints:
        raise RuntimeError("%r: %d: %s" % (argv, status, complaints))
    return status, json.loads(text)


def tool(lab):
    """strictmx: each verb"""
    check = lab.rows.check
    check("check", "each destination, with what to fix", check_all)
    check("check, two domains", "the worse one counts", check_two)
    check("check, addresses", "each one of each host", check_addresses)
    check("check, DANE", "each host's TLSA records", check_dane)
    log = os.path.join(lab.logs, "strictmxd-tool.log")
    lab.server.stop()
    daemon = Process("strictmxd", ["/opt/strictmx/sbin/strictmxd", "-d"], log,
                     namespace.sanitizer_environment())
    daemon.wait_until("listens", lambda: strictmx("stats")[0] == 0)
    strictmx("cache", "drop", "--all")
    check("why", "verdict, facts, failures", why)
    check("cache", "list, show, drop", cache)
    check("cache refresh", "fetched; failed, and kept",
          lambda: refresh(lab))
    check("stats", "what was asked and found", stats)
    check("lint policy --domain", "warns of a host not listed", lint_domain)
    daemon.stop()
    check("no daemon", "3, and how to start one", no_daemon)
    lab.server.start()


def check_one(domain):
    """None, or what was wrong."""
    status, text, _ = strictmx("check", domain)
    wanted, words = CHECKED[domain]
    if status != wanted or words not in text or \
            (status == FINE) == ("to fix" in text):
        return "%s: exit status %d, wanted %d and '%s'\n%s" % (
            domain, status, wanted, words, text)
    return None


def check_all():
    domains = [d.domain for d in DESTINATIONS if d.domain not in NOT_CHECKED]
    with ThreadPoolExecutor(8) as pool:
        wrong = [w for w in pool.map(check_one, domains) if w]
    return "%d of %d as they must" % (len(domains) - len(wrong),
                                      len(domains)), not wrong, \
        *[line for w in wrong for line in w.splitlines()]


def check_two():
    status, text, _ = strictmx("check", "--json", "expired.test", GOOD)
    lines = [json.loads(line) for line in text.splitlines()]
    words = [line["check"] for line in lines]
    again = strictmx("check", "txt-dead.test", GOOD)[0]
    return "%s, exit status %d; %d" % (words, status, again), \
        (status, words, again) == (BAD_EXIT, ["would fail", "fine"], UNKNOWN)


def check_addresses():
    """One host of this domain is good, on each address; one is not."""
    status, facts = told("check", "two-hosts.test")
    hosts = {host["host"]: host["addresses"]
             for host in facts["mx_set"]["hosts"]}
    good, bad = hosts["mx1.two-hosts.test"], hosts["mx2.two-hosts.test"]
    ok = [a["address"] for a in good + bad] == [
        mx.address for mx in BY_DOMAIN["two-hosts.test"].mx]
    ok = ok and good[0]["good"] and good[0]["starttls"] and \
        good[0]["tls"] == "TLSv1.3" and good[0]["certificate"] == "good"
    ok = ok and not bad[0]["good"] and bad[0]["starttls"] and \
        bad[0]["certificate"] == bad[0]["result"] == "certificate-expired"
    return "exit status %d, %s" % (status, facts["action"]), \
        ok and status == BAD_EXIT and facts["action"] == "proceed", \
        str(facts["fix"])


def check_dane():
    wrong = []
    for domain, (wanted, words) in UNDER_DANE.items():
        status, text, _ = strictmx("check", domain)
        if status != wanted or any(word not in text for word in words):
            wrong += ["%s: exit status %d, wanted %d and %s" % (
                domain, status, wanted, words), *text.splitlines()]
    facts = told("check", "tlsa-own.test")[1]
    host = facts["mx_set"]["hosts"][0]
    ok = host["under_dane"] and host["dane"]["tlsa"][0]["matched"]
    return "%d domains, %s" % (len(UNDER_DANE), facts["source"]), \
        ok and not wrong, *wrong


def why():
    strictmx("ask", "u@" + BAD)
    status, facts = told("why", BAD)
    kinds = {fact["fact"]: fact["source"] for fact in facts["facts"]}
    failures = [f["what"] for f in facts["failures"]]
    text = strictmx("why", BAD)[1]
    ok = (status == 1 and
          facts["verdict"]["result"] == "starttls-not-supported" and
          kinds == {"record": "dns", "policy": "https", "mx_set": "dns",
                    "tlsa": "dns", "probe": "smtp"} and
          failures[0] == "verdict" and "probe" in failures and
          facts["policy_life"] > 0 and "last failures" in text)
    return "%s, %s" % (facts["verdict"]["action"], failures), ok, \
        *text.splitlines()


def cache():
    strictmx("ask", "u@" + GOOD)
    listed = [p["domain"] for p in told("cache", "list")[1]["policies"]]
    status, shown = told("cache", "show", GOOD)
    text = strictmx("cache", "show", GOOD)[1]
    dropped = strictmx("cache", "drop", GOOD)[0]
    after = strictmx("cache", "show", GOOD)[0]
    left = [p["domain"] for p in told("cache", "list")[1]["policies"]]
    ok = (listed == [GOOD, BAD] and status == 0 and
          shown["mx"] == ["mx.good.test"] and
          shown["policy"]["mode"] == "enforce" and
          "mx.good.test" in text and dropped == 0 and after == 1 and
          left == [BAD])
    return "%s, then %s" % (listed, left), ok, *text.splitlines()


def refresh(lab):
    """Only the policy of a host that answers is renewed."""
    first = told("cache", "refresh", GOOD)
    lab.policy_hosts.stop("wildcard.test")
    strictmx("ask", "u@expired.test")
    again = told("cache", "refresh", "expired.test")
    absent = told("cache", "refresh", "wildcard.test")
    lab.policy_hosts.listen("wildcard.test", BY_DOMAIN["wildcard.test"].policy)
    back = told("cache", "refresh", "wildcard.test")
    ok = [r[0] for r in (first, again, absent, back)] == [0, 0, 1, 0] and \
        absent[1]["state"] == "failed" and \
        absent[1]["failure"]["result"] == "sts-policy-fetch-error"
    return "%s" % [r[0] for r in (first, again, absent, back)], ok, \
        str(absent[1]["failure"])


def stats():
    status, numbers = told("stats")
    text = strictmx("stats")[1]
    ok = (status == 0 and numbers["asked"] >= 3 and
          numbers["verdicts"]["defer"] >= 1 and
          numbers["fetches"]["good"] >= 4 and
          numbers["fetches"]["failed"] == {"sts-policy-fetch-error": 1} and
          numbers["probes"]["failed"]["starttls-not-supported"] >= 1 and
          numbers["sizes"]["policies_stored"] >= 3 and
          numbers["latency_ms"]["max"] > 0)
    return "%d asked, %d lookups" % (numbers["asked"], numbers["lookups"]), \
        ok, *text.splitlines()


def lint_domain():
    policy = os.path.join(namespace.WORK, "policy")
    with open(policy, "w", encoding="ascii") as out:
        out.write("version: STSv1\nmode: enforce\nmx: mx.elsewhere.test\n"
                  "max_age: 1209600\n")
    status, facts = told("lint", "policy", "--domain", GOOD, policy)
    words = [w["message"] for w in facts["warnings"]]
    return "exit status %d" % status, \
        status == 0 and any("no MX host of good.test" in w for w in words), \
        *words


def no_daemon():
    wait_for("the socket to go", lambda: not os.path.exists(QUERY_SOCKET), 5)
    status, _, complaints = strictmx("why", GOOD)
    return "exit status %d" % status, \
        status == 3 and "start the daemon" in complaints, complaints.strip()
