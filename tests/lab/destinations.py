# SPDX-License-Identifier: ISC
"""The destinations: what each domain publishes, how its hosts behave and what
must happen to mail for it, side by side. To add a case, add an entry.

Names are written in full. Addresses are given out in the order of the table:
MX hosts 127.0.1.N or fd00::1:N, policy hosts 127.0.2.N or fd00::2:N.
"""
from dataclasses import dataclass

from certificates import (Certificate, cn_only, expired, good, self_signed,
                          unknown_ca)


@dataclass
class Mx:
    """A mail host: see sinks.py."""
    host: str
    preference: int = 10
    certificate: Certificate = None     # None: a good one
    # "yes", "no" (not offered), "454", "close" (after 220), "inject" (plain
    # text after 220) or "tls1.1" (nothing newer)
    starttls: str = "yes"
    offers: tuple = ("8BITMIME",)       # beside SIZE and STARTTLS
    listens: bool = True
    ipv6: bool = False
    address: str = ""
    # (usage, selector, matching type, of whom): see dane.py
    tlsa: tuple = ()


@dataclass
class Policy:
    """What https://mta-sts.DOMAIN/ answers: see policy_host.py."""
    body: str = ""
    status: int = 200
    content_type: str = "text/plain"
    headers: tuple = ()
    certificate: Certificate = None     # None: a good one
    silent: bool = False                # takes the request, never answers
    ipv6: bool = False
    address: str = ""


def policy(mode, *patterns, **options):
    lines = ["version: STSv1", "mode: " + mode]
    lines += ["mx: " + pattern for pattern in patterns]
    lines += ["max_age: 604800", ""]
    return Policy("\r\n".join(lines), **options)


def enforce(*patterns, **options):
    return policy("enforce", *patterns, **options)


@dataclass
class Expect:
    """code is that of the reply to RCPT, 250 at the filter also where the mail
    is delivered. A refusal begins with it and status, and holds all the words.
    mx: who must have got the mail."""
    code: int = 250
    status: str = ""
    words: tuple = ()
    mx: str = ""
    tls: bool = False
    log: str = ""           # in a line about the domain in the server's log

    def at_filter(self):
        if self.code != 250:
            return "refused %d %s" % (self.code, self.status)
        return "accepted"

    def at_relay(self):
        if self.code != 250:
            return ("%s %d %s" % ("queued" if self.code < 500 else "bounced",
                                  self.code, self.status)).strip()
        return "to %s%s" % (self.mx, "" if self.tls else " in clear")


def refused(status, *words):
    """At delivery: it stays in the queue."""
    return Expect(451, status, words)


def bounced(code, status, *words):
    return Expect(code, status, words)


def delivered(mx, tls=True, log=""):
    return Expect(mx=mx, tls=tls, log=log)


def accepted(log=""):
    return Expect(log=log)


RECORD = "v=STSv1; id=20240101;"
MANY = 100


@dataclass
class Destination:
    domain: str
    what: str
    mx: list
    expect: Expect
    policy: Policy = None
    record: tuple = (RECORD,)           # TXT at _mta-sts.DOMAIN
    dns: tuple = ()                     # lines beside, or instead of, these
    implicit_mx: bool = False           # the MX host has no MX record
    at_delivery: Expect = None          # None: as at submission

    def __post_init__(self):
        self.at_delivery = self.at_delivery or self.expect


def clear(host):
    """A host without STARTTLS: mail for it passes only where none binds."""
    return Mx(host, starttls="no")


def silent(domain):
    return Destination(
        domain, "policy host never answers",
        mx=[Mx("mx." + domain)],
        policy=enforce("mx." + domain, silent=True),
        expect=accepted(),      # with a relay, which will know more
        at_delivery=refused("4.4.3", "fetched"))


DESTINATIONS = [
    # A policy in mode enforce, and hosts that keep or break it.
    Destination(
        "good.test", "all is well",
        mx=[Mx("mx.good.test")],
        policy=enforce("mx.good.test"),
        expect=delivered("mx.good.test")),
    Destination(
        "second-mx.test", "first MX not listed, second good",
        mx=[clear("mx1.second-mx.test"),
            Mx("mx2.second-mx.test", preference=20)],
        policy=enforce("mx2.second-mx.test"),
        expect=delivered("mx2.second-mx.test")),
    Destination(
        "third-mx.test", "first MX expired, second without STARTTLS, third "
        "good",
        mx=[Mx("mx1.third-mx.test", certificate=expired("mx1.third-mx.test")),
            Mx("mx2.third-mx.test", preference=20, starttls="no"),
            Mx("mx3.third-mx.test", preference=30)],
        policy=enforce("*.third-mx.test"),
        expect=delivered("mx3.third-mx.test")),
    Destination(
        "no-starttls.test", "STARTTLS not offered",
        mx=[clear("mx.no-starttls.test")],
        policy=enforce("mx.no-starttls.test"),
        expect=refused("4.7.4", "mx.no-starttls.test", "STARTTLS")),
    Destination(
        "starttls-454.test", "STARTTLS offered, answered 454",
        mx=[Mx("mx.starttls-454.test", starttls="454")],
        policy=enforce("mx.starttls-454.test"),
        expect=refused("4.7.4", "mx.starttls-454.test", "STARTTLS")),
    Destination(
        "starttls-close.test", "STARTTLS answered 220, then closed",
        mx=[Mx("mx.starttls-close.test", starttls="close")],
        policy=enforce("mx.starttls-close.test"),
        expect=refused("4.7.5", "mx.starttls-close.test", "TLS")),
    Destination(
        "starttls-inject.test", "plain text slipped in after the 220",
        mx=[Mx("mx.starttls-inject.test", starttls="inject")],
        policy=enforce("mx.starttls-inject.test"),
        expect=refused("4.7.5", "mx.starttls-inject.test", "STARTTLS")),
    Destination(
        "tls1.1.test", "nothing newer than TLS 1.1",
        mx=[Mx("mx.tls1.1.test", starttls="tls1.1")],
        policy=enforce("mx.tls1.1.test"),
        expect=refused("4.7.5", "mx.tls1.1.test", "TLS")),
    Destination(
        "expired.test", "certificate expired",
        mx=[Mx("mx.expired.test", certificate=expired("mx.expired.test"))],
        policy=enforce("mx.expired.test"),
        expect=refused("4.7.5", "certificate of mx.expired.test", "expired")),
    Destination(
        "self-signed.test", "certificate self-signed",
        mx=[Mx("mx.self-signed.test",
               certificate=self_signed("mx.self-signed.test"))],
        policy=enforce("mx.self-signed.test"),
        expect=refused("4.7.5", "certificate of mx.self-signed.test",
                       "self-signed")),
    Destination(
        "wrong-name.test", "certificate names another host",
        mx=[Mx("mx.wrong-name.test", certificate=good("mx.good.test"))],
        policy=enforce("mx.wrong-name.test"),
        expect=refused("4.7.5", "certificate of mx.wrong-name.test", "name")),
    Destination(
        "cn-only.test", "host named by the subject's CN, not by a SAN",
        mx=[Mx("mx.cn-only.test", certificate=cn_only("mx.cn-only.test"))],
        policy=enforce("mx.cn-only.test"),
        expect=refused("4.7.5", "certificate of mx.cn-only.test", "name")),
    Destination(
        "unknown-ca.test", "certificate of an authority nobody trusts",
        mx=[Mx("mx.unknown-ca.test",
               certificate=unknown_ca("mx.unknown-ca.test"))],
        policy=enforce("mx.unknown-ca.test"),
        expect=refused("4.7.5", "certificate of mx.unknown-ca.test", "CA")),
    Destination(
        "wildcard.test", "MX matches *.wildcard.test, certificate too",
        mx=[Mx("mx.wildcard.test", certificate=good("*.wildcard.test"))],
        policy=enforce("*.wildcard.test"),
        expect=delivered("mx.wildcard.test")),
    Destination(
        "too-deep.test", "MX one label too deep for *.too-deep.test",
        mx=[Mx("a.mx.too-deep.test")],
        policy=enforce("*.too-deep.test"),
        expect=refused("4.7.5", "a.mx.too-deep.test", "not list")),
    Destination(
        "not-listed.test", "no MX is in the policy",
        mx=[Mx("mx1.not-listed.test"),
            Mx("mx2.not-listed.test", preference=20)],
        policy=enforce("mx.elsewhere.test"),
        expect=refused("4.7.5", "mx1.not-listed.test", "not list")),
    Destination(
        "unreachable.test", "the MX cannot be reached",
        mx=[Mx("mx.unreachable.test", listens=False)],
        policy=enforce("mx.unreachable.test"),
        expect=refused("4.4.1", "mx.unreachable.test")),
    Destination(
        "mx-servfail.test", "policy known, MX look-up fails",
        mx=[],
        policy=enforce("mx.mx-servfail.test"),
        dns=("mx-servfail.test. CNAME mail.broken.test.",),
        expect=refused("4.4.3", "MX")),
    Destination(
        "xn--bcher-kva.test", "internationalised domain, as A-labels",
        mx=[Mx("mx.xn--bcher-kva.test")],
        policy=enforce("*.xn--bcher-kva.test"),
        expect=delivered("mx.xn--bcher-kva.test")),
    Destination(
        "implicit.test", "no MX record: the domain is the host",
        mx=[Mx("implicit.test")], implicit_mx=True,
        policy=enforce("implicit.test"),
        expect=delivered("implicit.test")),
    Destination(
        "implicit-bad.test", "no MX record, and the host breaks the policy",
        mx=[clear("implicit-bad.test")], implicit_mx=True,
        policy=enforce("implicit-bad.test"),
        expect=refused("4.7.4", "implicit-bad.test", "STARTTLS")),
    Destination(
        "null-mx.test", "null MX: takes no mail",
        mx=[],
        policy=enforce("mx.null-mx.test"),
        dns=("null-mx.test. MX 0 .",),
        expect=accepted(),
        at_delivery=bounced(556, "5.1.10")),
    Destination(
        "ipv6.test", "MX and policy host have IPv6 only",
        mx=[Mx("mx.ipv6.test", ipv6=True)],
        policy=enforce("mx.ipv6.test", ipv6=True),
        expect=delivered("mx.ipv6.test")),
    Destination(
        "ipv6-bad.test", "as before, and the certificate expired",
        mx=[Mx("mx.ipv6-bad.test", ipv6=True,
               certificate=expired("mx.ipv6-bad.test"))],
        policy=enforce("mx.ipv6-bad.test", ipv6=True),
        expect=refused("4.7.5", "certificate of mx.ipv6-bad.test",
                       "expired")),

    # Nothing is enforced.
    Destination(
        "testing.test", "mode testing, a bad MX",
        mx=[clear("mx.testing.test")],
        policy=policy("testing", "mx.testing.test"),
        expect=delivered("mx.testing.test", tls=False, log="would-defer")),
    Destination(
        "mode-none.test", "mode none, MX without STARTTLS",
        mx=[clear("mx.mode-none.test")],
        policy=policy("none"),
        expect=delivered("mx.mode-none.test", tls=False)),
    Destination(
        "no-record.test", "no MTA-STS at all, MX without STARTTLS",
        mx=[clear("mx.no-record.test")],
        record=(),
        expect=delivered("mx.no-record.test", tls=False)),
    Destination(
        "no-domain.test", "no such domain",
        mx=[], record=(),
        expect=accepted(),
        at_delivery=bounced(550, "5.1.2")),
    Destination(
        "clear-close.test", "no MTA-STS, handshake fails: anew, in clear",
        mx=[Mx("mx.clear-close.test", starttls="close")],
        record=(),
        expect=delivered("mx.clear-close.test", tls=False)),
    Destination(
        "clear-454.test", "no MTA-STS, STARTTLS answered 454: goes on in clear",
        mx=[Mx("mx.clear-454.test", starttls="454")],
        record=(),
        expect=delivered("mx.clear-454.test", tls=False)),
    Destination(
        "any-tls.test", "no MTA-STS, certificate self-signed and of another: "
        "TLS all the same",
        mx=[Mx("mx.any-tls.test", certificate=self_signed("elsewhere.test"))],
        record=(),
        expect=delivered("mx.any-tls.test")),
    Destination(
        "dead-mx.test", "no MTA-STS, first MX cannot be reached",
        mx=[Mx("mx1.dead-mx.test", listens=False),
            Mx("mx2.dead-mx.test", preference=20)],
        record=(),
        expect=delivered("mx2.dead-mx.test")),

    # Something is published, but no policy can be had from it.
    Destination(
        "two-records.test", "two records: none",
        mx=[clear("mx.two-records.test")],
        policy=enforce("mx.two-records.test"),
        record=(RECORD, "v=STSv1; id=2;"),
        expect=delivered("mx.two-records.test", tls=False)),
    Destination(
        "broken-record.test", "record without an id",
        mx=[clear("mx.broken-record.test")],
        policy=enforce("mx.broken-record.test"),
        record=("v=STSv1;",),
        expect=delivered("mx.broken-record.test", tls=False)),
    Destination(
        "policy-404.test", "policy host answers 404",
        mx=[clear("mx.policy-404.test")],
        policy=enforce("mx.policy-404.test", status=404),
        expect=delivered("mx.policy-404.test", tls=False)),
    Destination(
        "policy-redirect.test", "policy host redirects to a good policy",
        mx=[clear("mx.policy-redirect.test")],
        policy=enforce(
            "mx.policy-redirect.test", status=301, headers=(
                "Location: https://mta-sts.good.test/.well-known/mta-sts.txt",
            )),
        expect=delivered("mx.policy-redirect.test", tls=False)),
    Destination(
        "policy-certificate.test", "policy host shows another's certificate",
        mx=[clear("mx.policy-certificate.test")],
        policy=enforce("mx.policy-certificate.test",
                       certificate=good("mta-sts.good.test")),
        expect=delivered("mx.policy-certificate.test", tls=False)),
    Destination(
        "policy-html.test", "policy as text/html",
        mx=[clear("mx.policy-html.test")],
        policy=enforce("mx.policy-html.test", content_type="text/html"),
        expect=delivered("mx.policy-html.test", tls=False)),
    Destination(
        "policy-large.test", "policy of more than 64 KiB",
        mx=[clear("mx.policy-large.test")],
        policy=enforce("mx.policy-large.test",
                       *("m%d.policy-large.test" % n for n in range(4000))),
        expect=delivered("mx.policy-large.test", tls=False)),
    Destination(
        "policy-broken.test", "policy without max_age",
        mx=[clear("mx.policy-broken.test")],
        policy=Policy("version: STSv1\nmode: enforce\n"
                      "mx: mx.policy-broken.test\n"),
        expect=delivered("mx.policy-broken.test", tls=False)),
    Destination(
        "txt-bogus.test", "TXT look-up fails: DNSSEC bogus",
        mx=[clear("mx.txt-bogus.test")],
        record=(),
        dns=("_mta-sts.txt-bogus.test. CNAME record.broken.test.",),
        expect=accepted(log="could not be looked up"),
        at_delivery=refused("4.4.3", "record")),
    Destination(
        "txt-dead.test", "TXT look-up fails: name server dead",
        mx=[clear("mx.txt-dead.test")],
        record=(),
        dns=("_mta-sts.txt-dead.test. CNAME record.dead.test.",),
        expect=accepted(log="could not be looked up"),
        at_delivery=refused("4.4.3", "record")),

    # Nobody knows yet whether something is enforced.
    silent("policy-silent.test"),

    # A bad policy that must not be looked at.
    Destination(
        "local.test", "in local-domains of the configuration",
        mx=[clear("mx.local.test")],
        policy=enforce("mx.local.test"),
        expect=delivered("mx.local.test", tls=False)),
]

# Published like the others, judged by trials.py. A silent policy host holds a
# lookup up only once: a minute later the fetch has failed.
FOR_TRIALS = [
    Destination(
        "turns.test", "its MX is taken over between submission and delivery",
        mx=[Mx("mx.turns.test", listens=False)],
        policy=enforce("mx.turns.test"),
        expect=delivered("mx.turns.test"),
        at_delivery=refused("4.7.4", "mx.turns.test", "STARTTLS")),
    Destination(
        "hardens.test", "mode testing at submission, enforce at delivery",
        mx=[clear("mx.hardens.test")],
        policy=policy("testing", "mx.hardens.test"),
        expect=accepted(log="would-defer"),
        at_delivery=refused("4.7.4", "mx.hardens.test", "STARTTLS")),
    Destination(
        "in-between.test", "somebody in between takes STARTTLS away",
        mx=[Mx("mx.in-between.test", listens=False)],
        policy=enforce("mx.in-between.test"),
        expect=refused("4.7.4", "mx.in-between.test", "STARTTLS")),
    Destination(
        "house.test", "its MX serves house-mate.test too",
        mx=[Mx("mx.house.test")],
        policy=enforce("mx.house.test"),
        dns=("house-mate.test. MX 10 mx.house.test.",),
        expect=delivered("mx.house.test")),
    Destination(
        "seven.test", "no 8BITMIME, no SMTPUTF8",
        mx=[Mx("mx.seven.test", offers=())],
        policy=enforce("mx.seven.test"),
        expect=delivered("mx.seven.test")),
    Destination(
        "utf8.test", "8BITMIME and SMTPUTF8",
        mx=[Mx("mx.utf8.test", offers=("8BITMIME", "SMTPUTF8"))],
        policy=enforce("mx.utf8.test"),
        expect=delivered("mx.utf8.test")),
    Destination(
        "many.test", "many0.test and so on have its MX",
        mx=[Mx("mx.many.test")], record=(),
        dns=tuple("many%d.test. MX 10 mx.many.test." % n
                  for n in range(MANY)),
        expect=delivered("mx.many.test")),
    Destination(
        "postfix.test", "Postfix",
        mx=[Mx("mx.postfix.test", listens=False)],
        policy=enforce("mx.postfix.test"),
        expect=delivered("mx.postfix.test")),
    Destination(
        "exim.test", "Exim",
        mx=[Mx("mx.exim.test", listens=False)],
        policy=enforce("*.exim.test"),
        expect=delivered("mx.exim.test")),
    Destination(
        "opensmtpd.test", "OpenSMTPD in clear, mode testing",
        mx=[Mx("mx.opensmtpd.test", listens=False, starttls="no")],
        policy=policy("testing", "mx.opensmtpd.test"),
        expect=delivered("mx.opensmtpd.test", tls=False)),
    Destination(
        "two-hosts.test", "one good host, one whose certificate expired",
        mx=[Mx("mx1.two-hosts.test"),
            Mx("mx2.two-hosts.test", preference=20,
               certificate=expired("mx2.two-hosts.test"))],
        policy=enforce("*.two-hosts.test"),
        expect=delivered("mx1.two-hosts.test")),
    silent("slow.test"),
    silent("gone.test"),
    silent("pending.test"),
    Destination(
        "lab.test", "the senders' own domain: bounces go there",
        mx=[clear("mx.lab.test")],
        policy=enforce("mx.lab.test"),
        expect=refused("4.7.4", "mx.lab.test", "STARTTLS")),
    Destination(
        "home.test", "the senders' own domain at delivery: bounces arrive",
        mx=[Mx("mx.home.test")],
        policy=enforce("mx.home.test"),
        expect=delivered("mx.home.test")),
    Destination(
        "kept.test", "its record and policy host are taken away",
        mx=[clear("mx.kept.test")],
        policy=enforce("mx.kept.test"),
        expect=refused("4.7.4", "mx.kept.test", "STARTTLS")),
]

PUBLISHED = DESTINATIONS + FOR_TRIALS
BY_DOMAIN = {d.domain: d for d in PUBLISHED}


def give_addresses(destinations):
    """IPv6 addresses that the host must have are returned."""
    hosts = [mx for d in destinations for mx in d.mx]
    policies = [d.policy for d in destinations if d.policy is not None]
    for net, servers in ((1, hosts), (2, policies)):
        for n, server in enumerate(servers, 1):
            form = "fd00::%d:%x" if server.ipv6 else "127.0.%d.%d"
            server.address = form % (net, n)
    return [s.address for s in hosts + policies if s.ipv6]


def zone_lines(destination):
    """The records of a destination below "test."."""
    d = destination
    lines = ['_mta-sts.%s. TXT "%s"' % (d.domain, r) for r in d.record]
    for mx in d.mx:
        if not d.implicit_mx:
            lines.append("%s. MX %d %s." % (d.domain, mx.preference, mx.host))
        lines.append(address_line(mx.host, mx))
    if d.policy is not None:
        lines.append(address_line("mta-sts." + d.domain, d.policy))
    return lines + list(d.dns)


def address_line(name, server):
    return "%s. %s %s" % (name, "AAAA" if server.ipv6 else "A",
                          server.address)
