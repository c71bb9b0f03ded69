# SPDX-License-Identifier: ISC
"""Destinations of Exim's trials beside those of destinations.py: several hosts
of which some are bad, hosts that domains share, names that are aliases, DANE.
"""
from certificates import cn_only, expired, good, self_signed
from destinations import Destination, Mx, accepted, enforce, policy

ANY = accepted()    # exim_trials.py says what is expected of Exim


def enforced(domain, what, mx, *patterns, **others):
    return Destination(domain, what, mx, ANY,
                       policy=enforce(*patterns or ("*." + domain,)), **others)


def plain(domain, what, mx, **others):
    return Destination(domain, what, mx, ANY, record=(), **others)


def tlsa(host, usage="3 1 1", data="{key}"):
    """{key} is the digest of the key that all certificates of the lab have."""
    return "_25._tcp.%s. TLSA %s %s" % (host, usage, data)


EXIM_DESTINATIONS = [
    enforced("fallback.test", "four bad hosts before a good one", [
        Mx("mx1.fallback.test", 1, self_signed("mx1.fallback.test")),
        Mx("mx2.fallback.test", 2, good("other.test")),
        Mx("mx3.fallback.test", 3, starttls="no"),
        Mx("mx4.fallback.test", 4, expired("mx4.fallback.test")),
        Mx("mx5.fallback.test", 5)]),
    enforced("all-bad.test", "four bad hosts", [
        Mx("mx1.all-bad.test", 1, self_signed("mx1.all-bad.test")),
        Mx("mx2.all-bad.test", 2, starttls="no"),
        Mx("mx3.all-bad.test", 3, expired("mx3.all-bad.test")),
        Mx("mx4.all-bad.test", 4, starttls="454")]),
    enforced("partly.test", "first MX not in the policy", [
        Mx("mx1.partly.test", 5), Mx("mx2.partly.test", 10)],
        "mx2.partly.test"),
    enforced("wild-deep.test", "certificate for *.wild-deep.test, MX deeper", [
        Mx("mx.sub.wild-deep.test", certificate=good("*.wild-deep.test"))],
        "*.sub.wild-deep.test"),
    Destination("watched.test", "mode testing: self-signed, not in the policy",
                [Mx("mx.watched.test",
                    certificate=self_signed("mx.watched.test"))],
                ANY, policy=policy("testing", "other.watched.test")),
    plain("plain-tls.test", "no policy, self-signed", [
        Mx("mx.plain-tls.test", certificate=self_signed("mx.plain-tls.test"))]),
    enforced("alias.test", "MX is an alias; certificate for its name", [
        Mx("host.alias.test", certificate=good("mx.alias.test"))],
        "mx.alias.test", implicit_mx=True,
        dns=("alias.test. MX 10 mx.alias.test.",
             "mx.alias.test. CNAME host.alias.test.")),
    enforced("alias-bad.test", "MX is an alias; certificate for its end", [
        Mx("host.alias-bad.test")],
        "mx.alias-bad.test", implicit_mx=True,
        dns=("alias-bad.test. MX 10 mx.alias-bad.test.",
             "mx.alias-bad.test. CNAME host.alias-bad.test.")),
    enforced("cn-mx.test", "the second of two knows its name as CN only", [
        Mx("mx1.cn-mx.test", 1, cn_only("mx1.cn-mx.test")),
        Mx("mx2.cn-mx.test", 2)]),

    # Two domains with one host, which is bad.
    enforced("shared-a.test", "enforce, shares its host", [
        Mx("mx.shared.test", certificate=self_signed("mx.shared.test"))],
        "mx.shared.test"),
    plain("shared-b.test", "no policy, the same host", [],
          dns=("shared-b.test. MX 10 mx.shared.test.",)),
    # And one that is good, but that one of the policies does not list.
    enforced("joint-a.test", "enforce, does not list its host", [
        Mx("mx.joint.test")], "mx.elsewhere.test"),
    enforced("joint-b.test", "enforce, lists the same host", [],
             "mx.joint.test", dns=("joint-b.test. MX 10 mx.joint.test.",)),

    # DANE.
    enforced("dane.test", "TLSA fits, self-signed", [
        Mx("mx.dane.test", certificate=self_signed("mx.dane.test"))],
        dns=(tlsa("mx.dane.test"),)),
    enforced("dane-unlisted.test", "TLSA fits, MX not in the policy", [
        Mx("mx.dane-unlisted.test",
           certificate=self_signed("mx.dane-unlisted.test"))],
        "mx.elsewhere.test", dns=(tlsa("mx.dane-unlisted.test"),)),
    enforced("dane-bad.test", "TLSA does not fit, certificate is good", [
        Mx("mx.dane-bad.test")],
        dns=(tlsa("mx.dane-bad.test", data="00" * 32),)),
    plain("dane-plain.test", "TLSA fits, no policy", [
        Mx("mx.dane-plain.test",
           certificate=self_signed("mx.dane-plain.test"))],
        dns=(tlsa("mx.dane-plain.test"),)),

    # For the trials of an engine that goes at a bad moment.
    enforced("handshake.test", "the engine is killed in the session", [
        Mx("mx.handshake.test")]),
    enforced("data.test", "the engine is killed before DATA", [
        Mx("mx.data.test")]),
]
