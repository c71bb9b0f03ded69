# SPDX-License-Identifier: ISC
"""DANE: signed and unsigned zones, hosts whose certificates fit their TLSA
records or not, and what an attacker could try. Judged by `strictmx ask` of a
daemon, which shows the facts; some mail goes the whole way.

A host's tlsa are (usage, selector, matching type, of whom): "own" is its own
certificate, "sub" and "unknown" are authorities, "nobody" fits no chain.
"""
import json
import os
import socket
import subprocess
import threading
from dataclasses import dataclass

import namespace
from bad_resolver import ADDRESS, NO_DNSSEC, BadResolver, question_end
from certificates import (below_sub, expired, good, self_signed, unknown_ca)
from destinations import Destination, Mx, enforce, policy, zone_lines
from judge import delivery, new_subject
from mail_server import QUERY_SOCKET
from mailer import submit
from process import wait_for
from query_client import start_daemon
from zones import LAPSE_S, SERVFAIL, STRIPPED, STRIPPER, query

OWN = (3, 0, 1, "own")
NOBODY = (3, 1, 1, "nobody")
AUTHORITIES = ("sub", "unknown", "lab")


@dataclass
class Case:
    """What `ask` must say of a destination."""
    destination: Destination
    action: str = "proceed"
    source: str = "dane"
    result: str = "none"
    state: str = "usable"       # of the first host; "": not looked at
    words: str = ""             # in the reason


def case(name, what, *tlsa, zone="test", certificate=None, starttls="yes",
         listens=True, mta_sts=None, dns=(), **expect):
    domain = "%s.%s" % (name, zone)
    mx = Mx("mx." + domain, certificate=certificate, starttls=starttls,
            listens=listens, tlsa=tlsa)
    record = () if mta_sts is None else ("v=STSv1; id=1;",)
    return Case(Destination(domain, what, [mx], None, policy=mta_sts,
                            record=record,
                            dns=tuple(line % {"d": domain} for line in dns)),
                **expect)


def own(*names):
    return self_signed(*names)


def alias(name, what, *lines, tlsa=(), **expect):
    """Its MX is an alias of the host."""
    made = case(name, what, certificate=own("x.test"), dns=(
        "%(d)s. MX 10 alias.%(d)s.",
        *(lines or ("alias.%(d)s. CNAME mx.%(d)s.",))), **expect)
    made.destination.mx[0].tlsa = tlsa
    made.destination.implicit_mx = True
    return made


BAD = {"action": "defer", "result": "tlsa-invalid",
       "words": "matches none of the TLSA records"}
NO_DANE = {"source": "none", "state": "none"}
UNKNOWN = {"action": "defer", "result": "dnssec-invalid", "state": "unknown",
           "words": "could not be looked up"}

CASES = [
    # Certificates that fit.
    case("tlsa-own", "DANE-EE, self-signed", OWN, certificate=own("a.test")),
    case("tlsa-old", "DANE-EE, expired", OWN,
         certificate=expired("mx.tlsa-old.test")),
    case("tlsa-name", "DANE-EE, another name", OWN,
         certificate=good("other.test")),
    case("tlsa-key", "DANE-EE, the key's SHA-512", (3, 1, 2, "own"),
         certificate=own("a.test")),
    case("tlsa-ta", "DANE-TA, an intermediate that is sent along",
         (2, 0, 1, "sub"), certificate=below_sub("mx.tlsa-ta.test")),
    case("tlsa-ta-next-hop", "DANE-TA, the domain's own name",
         (2, 1, 1, "sub"), certificate=below_sub("tlsa-ta-next-hop.test")),
    case("tlsa-ta-full", "DANE-TA in full, not sent along",
         (2, 0, 0, "unknown"), certificate=unknown_ca("mx.tlsa-ta-full.test")),
    case("tlsa-full", "DANE-EE in full", (3, 0, 0, "own"),
         certificate=own("a.test")),
    case("tlsa-rollover", "two records, the second fits", NOBODY, OWN,
         certificate=own("a.test")),
    # Certificates that do not.
    case("tlsa-bad", "good for the web, not for DANE", NOBODY, **BAD),
    case("tlsa-ta-bad", "DANE-TA of another authority", (2, 0, 1, "lab"),
         certificate=below_sub("mx.tlsa-ta-bad.test"), **BAD),
    case("tlsa-ta-unsent", "DANE-TA by digest, not sent along",
         (2, 0, 1, "unknown"),
         certificate=unknown_ca("mx.tlsa-ta-unsent.test"), **BAD),
    case("tlsa-ta-name", "DANE-TA, another name", (2, 0, 1, "sub"),
         certificate=below_sub("other.test"), action="defer",
         result="certificate-host-mismatch", words="name"),
    case("tlsa-clear", "TLSA, and no STARTTLS", OWN, starttls="no",
         action="defer", result="starttls-not-supported", words="STARTTLS"),
    case("tlsa-away", "TLSA, and not reachable", OWN, listens=False,
         action="defer", words="451 4.4.1"),
    # None of use.
    case("tlsa-pkix", "usage 1: encrypted, whoever it is", (1, 1, 1, "own"),
         certificate=own("a.test"), state="unusable"),
    case("tlsa-pkix-clear", "usage 0, and no STARTTLS", (0, 0, 1, "lab"),
         starttls="no", state="unusable", action="defer",
         result="starttls-not-supported"),
    # MTA-STS beside.
    case("tlsa-sts-bad", "DANE fails, MTA-STS would not", NOBODY,
         mta_sts=enforce("mx.tlsa-sts-bad.test"), **BAD),
    case("tlsa-sts-own", "MTA-STS fails, DANE does not", OWN,
         certificate=own("a.test"), mta_sts=enforce("mx.tlsa-sts-own.test")),
    case("tlsa-sts-unlisted", "not listed, but DANE", OWN,
         certificate=own("a.test"), mta_sts=enforce("elsewhere.test")),
    case("tlsa-sts-testing", "DANE fails, policy in mode testing", NOBODY,
         mta_sts=policy("testing", "mx.tlsa-sts-testing.test"), **BAD),
    case("tlsa-sts-pkix", "no usable TLSA: what MTA-STS asks",
         (1, 1, 1, "own"), certificate=own("mx.tlsa-sts-pkix.test"),
         mta_sts=enforce("mx.tlsa-sts-pkix.test"), state="unusable",
         source="sts", action="defer", result="certificate-not-trusted"),
    case("tlsa-sts-none", "no TLSA: what MTA-STS asks",
         mta_sts=enforce("mx.tlsa-sts-none.test"), source="sts", state="none"),
    # Names.
    case("tlsa-wild", "TLSA by a wildcard", certificate=own("a.test"),
         dns=("*._tcp.mx.%(d)s. TLSA OWN",)),
    case("tlsa-by-alias", "TLSA by an alias", certificate=own("a.test"),
         dns=("_25._tcp.mx.%(d)s. CNAME tlsa.%(d)s.", "tlsa.%(d)s. TLSA OWN")),
    alias("tlsa-alias", "MX is an alias: TLSA at the final name",
          tlsa=(OWN,)),
    alias("tlsa-alias-own", "MX is an alias: TLSA at its own name",
          "alias.%(d)s. CNAME mx.%(d)s.",
          "_25._tcp.alias.%(d)s. TLSA NOBODY", **BAD),
    alias("tlsa-alias-out", "an alias into an unsigned zone: its own name",
          "alias.%(d)s. CNAME host.child.optout.test.",
          "host.child.optout.test. A 127.0.3.99",
          "_25._tcp.alias.%(d)s. TLSA NOBODY",
          action="defer", words="451 4.4.1"),
    # Zones.
    case("plain", "NSEC: no TLSA, and that is proved", starttls="no",
         **NO_DANE),
    case("own", "NSEC3", OWN, zone="nsec3.test", certificate=own("a.test")),
    case("bad", "NSEC3, no match", NOBODY, zone="nsec3.test", **BAD),
    case("plain", "NSEC3: no TLSA, and that is proved", starttls="no",
         zone="nsec3.test", **NO_DANE),
    case("own", "NSEC3 with opt-out", OWN, zone="optout.test",
         certificate=own("a.test")),
    case("plain", "opt-out: no TLSA", starttls="no", zone="optout.test",
         **NO_DANE),
    case("unsigned", "an unsigned zone below: TLSA do not count", NOBODY,
         zone="child.optout.test", **NO_DANE),
    case("unsigned", "signed, no DS in the parent: TLSA do not count", NOBODY,
         zone="nods.test", **NO_DANE),
    # Look-ups that fail.
    case("tlsa-bogus", "TLSA bogus: the parent's DS fits no key",
         dns=("_25._tcp.mx.%(d)s. CNAME x.broken.test.",), **UNKNOWN),
    case("tlsa-lapsed", "TLSA bogus: signatures have expired",
         dns=("_25._tcp.mx.%(d)s. CNAME x.lapsed.test.",
              "x.lapsed.test. TLSA OWN"), **UNKNOWN),
    case("tlsa-dead", "TLSA look-up times out",
         dns=("_25._tcp.mx.%(d)s. CNAME x.dead.test.",), action="defer",
         state="unknown", result="", words="451 4."),
    case("tlsa-stripped", "TLSA stripped from the answers", OWN,
         zone="stripped.test", certificate=own("a.test"), **UNKNOWN),
    case("tlsa-spoilt", "TLSA bogus: the signature is broken", OWN,
         zone="stripped.test", certificate=own("a.test"), **UNKNOWN),
]

PKIX = next(c for c in CASES if c.destination.domain == "tlsa-pkix.test")
# Who would be seen by a resolver that does not validate.
WITNESS = case("tlsa-witness", "for the resolver that is replaced", NOBODY)
DANE_PUBLISHED = [c.destination for c in (*CASES, WITNESS)]


def lines(authority, destination):
    """All records of a destination."""
    made = zone_lines(destination)
    for mx in destination.mx:
        made += ["_25._tcp.%s. TLSA %s" % (mx.host, record(
            authority, mx, *tlsa)) for tlsa in mx.tlsa]
        made = [with_record(authority, mx, line) for line in made]
    return made


def with_record(authority, mx, line):
    """A line that ends in "TLSA OWN", or NOBODY."""
    for word, tlsa in (("OWN", OWN), ("NOBODY", NOBODY)):
        if line.endswith(" TLSA " + word):
            return line[:-len(word)] + record(authority, mx, *tlsa)
    return line


def record(authority, mx, usage, selector, mtype, whose):
    if whose == "nobody":
        return "%d %d %d %s" % (usage, selector, mtype, "5a" * 32)
    path = authority.path(whose + ".pem") if whose in AUTHORITIES else \
        authority.file(mx.certificate or good(mx.host))
    return authority.tlsa(usage, selector, mtype, path)


def ask(domain):
    """The facts of `strictmx ask --json`."""
    return strictmx("ask", "-s", QUERY_SOCKET, "postmaster@" + domain)


def strictmx(verb, *argv):
    done = subprocess.run(
        ["/opt/strictmx/bin/strictmx", verb, "--json", *argv], text=True,
        timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, **namespace.sanitizer_environment()})
    return json.loads(done.stdout)


def judged(c):
    """A row's (what happened, whether it is right, the reason)."""
    facts = ask(c.destination.domain)
    hosts = facts["mx_set"]["hosts"]
    state = hosts[0]["dane"]["state"] if hosts and hosts[0]["dane"] else "off"
    got = (facts["action"], facts["source"], state)
    ok = got == (c.action, c.source, c.state) and \
        facts["result"] == (c.result or facts["result"]) and \
        c.words in facts["reason"]
    return "%s, %s, TLSA %s, %s" % (*got, facts["result"]), ok, \
        "%s: %s" % (c.destination.what, facts["reason"])


def dane(lab):
    """DANE: zones signed in all ways, hosts that fit their TLSA or not"""
    lab.server.stop()
    stripper = Stripper()
    wait_for("signatures of lapsed.test to expire", lambda: query(
        "x.lapsed.test", "TLSA").rcode == SERVFAIL, LAPSE_S + 20)
    daemon = start_daemon(lab)
    for c in CASES:
        lab.rows.check(c.destination.domain, "%s, %s, TLSA %s" % (
            c.action, c.source, c.state), lambda c=c: judged(c))
    lab.rows.check("stripped answers", "some were given", lambda: (
        "%d were" % stripper.stripped, stripper.stripped > 0))
    lab.rows.check("broken signatures", "some were given", lambda: (
        "%d were" % stripper.spoilt, stripper.spoilt > 0))
    daemon.stop()
    stripper.close()
    for c, word in ((CASES[0], "second TLSA record"), (PKIX, "usage 1")):
        lab.rows.check("strictmx check", "warns: " + word,
                       lambda c=c, word=word: warned(c, word))
    lab.server.start()
    lab.rows.check("mail under DANE", "to a self-signed host",
                   lambda: mail_good(lab))
    lab.rows.check("mail that DANE holds", "refused", lambda: mail_bad(lab))


def warned(c, word):
    """What `strictmx check` sees coming; the certificate has 10 days left."""
    facts = strictmx("check", c.destination.domain)
    return "%d warnings" % len(facts["warnings"]), \
        any(word in warning for warning in facts["warnings"]), \
        *facts["warnings"]


def mail_good(lab):
    subject = new_subject("tlsa-own.test")
    reply = submit("user@tlsa-own.test", subject)
    if reply.code != 250:
        return str(reply), False
    return delivery(lab, subject, "mx.tlsa-own.test", True)


def mail_bad(lab):
    subject = new_subject("tlsa-bad.test")
    lab.refused.add(subject)
    reply = submit("user@tlsa-bad.test", subject)
    return str(reply), reply.code == 451 and reply.text.startswith(
        "4.7.5 DANE of tlsa-bad.test: certificate of mx.tlsa-bad.test")


def dane_attacks(lab):
    """DANE: resolvers that lie, and one in the place of another"""
    check = lab.rows.check
    lab.server.stop()
    resolver, forger = BadResolver(), Forger()
    lab.configure(resolver=ADDRESS)
    daemon = start_daemon(lab)
    check("AD forged over UDP", "nobody asks over UDP", lambda: (
        *judged(CASES[0])[:2],))
    check("the forger", "was asked nothing", lambda: (
        "%d questions" % forger.asked, forger.asked == 0))
    resolver.fault = NO_DNSSEC
    check("resolver replaced", "who had DANE waits", lambda: in_force(daemon))
    check("in the log", "an error", lambda: (
        "found", bool(wait_for("the error", lambda:
                               "does not validate" in daemon.text(), 5))))
    check("others meanwhile", "as without DANE", without_dane)
    resolver.fault = None
    check("resolver is back", "judged as before", lambda: (
        "as before", bool(wait_for("DANE", lambda: judged(CASES[0])[1]))))
    daemon.stop()
    resolver.fault = NO_DNSSEC
    daemon = start_daemon(lab)
    check("replaced before the start", "an error, DANE is off", lambda: (
        *without_dane()[:1], without_dane()[1] and
        "does not validate" in daemon.text()))
    daemon.stop()
    forger.close()
    resolver.close()
    lab.configure()
    lab.server.start()


def in_force(daemon):
    facts = wait_for("a refusal", lambda: deferred("tlsa-own.test"), 20)
    return facts["reason"], facts["result"] == "dnssec-invalid" and \
        "was in force before" in facts["reason"]


def deferred(domain):
    facts = ask(domain)
    return facts if facts["action"] == "defer" else None


def without_dane():
    facts = ask(WITNESS.destination.domain)
    return "%s, %s" % (facts["action"], facts["source"]), \
        (facts["action"], facts["source"]) == ("proceed", "none")


class Udp:
    """A server on port 53 over UDP, until close()."""

    def __init__(self, address):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                message, sender = self.sock.recvfrom(4096)
                self.sock.sendto(self.answer(message), sender)
            except OSError:
                return

    def close(self):
        self.sock.close()


class Forger(Udp):
    """Says that there is nothing, and that DNSSEC proves it."""

    def __init__(self):
        self.asked = 0
        super().__init__(ADDRESS)

    def answer(self, message):
        self.asked += 1
        return message[:2] + b"\x81\xa0" + message[4:]


class Stripper(Udp):
    """Stands before the server of stripped.test and takes TLSA records out; of
    those of tlsa-spoilt it changes the signature."""

    def __init__(self):
        self.stripped = 0
        self.spoilt = 0
        super().__init__(STRIPPER)

    def answer(self, message):
        end = question_end(message)
        if message[end - 4:end - 2] != TLSA:
            return self.real_answer(message)
        if b"tlsa-spoilt" in message[:end].lower():
            self.spoilt += 1
            return with_broken_signature(self.real_answer(message))
        self.stripped += 1
        return message[:2] + b"\x84\0" + message[4:6] + bytes(6) + \
            message[12:end]

    def real_answer(self, message):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as real:
            real.settimeout(5)
            real.connect((STRIPPED, 53))
            real.send(message)
            return real.recv(4096)


def with_broken_signature(answer):
    """The last octet of the RRSIG of the TLSA records becomes another."""
    at = answer.index(RRSIG)
    while answer[at + 10:at + 12] != TLSA:
        at = answer.index(RRSIG, at + 1)
    end = at + 10 + int.from_bytes(answer[at + 8:at + 10], "big")
    return answer[:end - 1] + bytes([answer[end - 1] ^ 1]) + answer[end:]


RRSIG = (46).to_bytes(2, "big") + (1).to_bytes(2, "big")
TLSA = (52).to_bytes(2, "big")
DANE = [dane, dane_attacks]
