# SPDX-License-Identifier: ISC
"""Destinations of the bad days: hosts that do worse than not to keep a policy.
Their addresses are 127.3.0.N (mail hosts), 127.4.0.N (policy hosts) and
127.5.0.N (tarpits)."""
from destinations import Destination, Mx, RECORD, enforce, policy, refused

# When a mail host goes wrong, and how: see bad_hosts.py.
HOST_FAULTS = [
    (step, fault)
    for fault, steps in (
        ("silence", ("banner", "ehlo", "starttls", "handshake", "tls-ehlo")),
        ("megabyte", ("banner", "ehlo", "starttls", "after-220", "handshake",
                      "tls-ehlo")),
        ("lines", ("banner", "ehlo", "starttls", "tls-ehlo")),
        ("octets", ("banner", "ehlo", "starttls", "tls-ehlo")))
    for step in steps]
TARPITS = 200


def crooked_host(n, step, fault):
    domain = "%s-%s.test" % (fault, step)
    host = "mx." + domain
    return Destination(
        domain, "%s at %s" % (fault, step),
        mx=[Mx(host, listens=False, address="127.3.0.%d" % n)],
        policy=enforce(host, address="127.4.0.%d" % n),
        expect=refused(status_of(step, fault)))


def status_of(step, fault):
    """Who does not even get to STARTTLS could not be tried."""
    in_clear = step in ("banner", "ehlo") or \
        (step, fault) == ("starttls", "silence")
    return "4.4.1" if in_clear else "4.7.5"


CROOKED_HOSTS = [crooked_host(n, *fault)
                 for n, fault in enumerate(HOST_FAULTS, 1)]


def plain(n, domain, max_age=604800):
    """Breaks its policy."""
    d = Destination(
        domain, "breaks its policy",
        mx=[Mx("mx." + domain, starttls="no", address="127.3.1.%d" % n)],
        policy=policy("enforce", "mx." + domain, address="127.4.1.%d" % n),
        expect=refused("4.7.4"))
    d.policy.body = d.policy.body.replace("604800", "%d" % max_age)
    return d


LONG = plain(1, "week.test")
SHORT = plain(2, "hour.test", 3600)
FRESH = [plain(n + 10, "fresh%d.test" % n) for n in range(20)]
BAD_PUBLISHED = [*CROOKED_HOSTS, LONG, SHORT, *FRESH]


def tarpit_domain(n):
    return "tarpit%d.test" % n


def tarpit_address(n):
    return "127.5.0.%d" % (n + 1)


def tarpit_lines():
    """The zone lines of domains whose policy hosts accept and never answer."""
    lines = []
    for n in range(TARPITS):
        domain = tarpit_domain(n)
        lines += ['_mta-sts.%s. TXT "%s"' % (domain, RECORD),
                  "mta-sts.%s. A %s" % (domain, tarpit_address(n)),
                  "%s. MX 10 mx.good.test." % domain]
    return lines
