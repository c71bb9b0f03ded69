# SPDX-License-Identifier: ISC
"""A network beside the lab's: a mail host and a policy host that are not on
this host, so that the relay can be tried with what it is to keep away from.
198.51.100.1 is this host, .2 the mail host, .3 the policy host."""
import ctypes
import subprocess
from concurrent.futures import ThreadPoolExecutor

from destinations import Destination, Mx, delivered, enforce
from gates import both_gates
from judge import new_sender, new_subject
from mail_server import greets
from namespace import HOSTNAME, run
from relay_client import RelayClient
from relay_trials import arrived
from sinks import Listener, Session

CLONE_NEWNET = 0x40000000       # <sched.h>
THIS_HOST, NET = "198.51.100.1", 24

# MX hosts that are this host, by address or by name (RFC 5321 5.1).
INNER = {
    "inner1.test": "127.0.0.1", "inner2.test": "127.0.0.2",
    "inner3.test": "::1", "inner4.test": THIS_HOST,
    "inner5.test": "::ffff:127.0.0.1", "inner6.test": "0.0.0.0",
}


def inner_lines():
    for domain, address in INNER.items():
        yield "%s. MX 10 mx.%s." % (domain, domain)
        yield "mx.%s. %s %s" % (domain, "AAAA" if ":" in address else "A",
                                address)
    yield "named.test. MX 10 %s." % HOSTNAME
    yield "%s. A 198.51.100.2" % HOSTNAME
    yield "local-name.test. MX 10 localhost."
    yield "backup.test. MX 10 mx.other-net.test."
    yield "backup.test. MX 20 %s." % HOSTNAME
    yield "nearest.test. MX 10 %s." % HOSTNAME
    yield "nearest.test. MX 20 mx.other-net.test."


OTHER_NET = Destination(
    "other-net.test", "not on this host",
    mx=[Mx("mx.other-net.test", listens=False, address="198.51.100.2")],
    policy=enforce("mx.other-net.test", address="198.51.100.3"),
    expect=delivered("mx.other-net.test"), dns=tuple(inner_lines()))
LOOPS = [*INNER, "named.test", "local-name.test", "nearest.test"]


class OtherNet:
    """Sockets that a thread makes in a network of its own stay there."""

    def __init__(self, lab):
        self.thread = ThreadPoolExecutor(1)
        self.keeper = self.thread.submit(self.leave).result()
        run("ip", "link", "add", "near", "type", "veth", "peer", "name",
            "far", "netns", str(self.keeper.pid))
        run("ip", "address", "add", "%s/%d" % (THIS_HOST, NET), "dev", "near")
        run("ip", "link", "set", "near", "up")
        self.listener = self.thread.submit(self.serve, lab).result()

    @staticmethod
    def leave():
        """Its process stands for the network."""
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "no network of its own")
        return subprocess.Popen(["sleep", "infinity"])

    @staticmethod
    def serve(lab):
        for address in ("198.51.100.2", "198.51.100.3"):
            run("ip", "address", "add", "%s/%d" % (address, NET), "dev", "far")
        run("ip", "link", "set", "far", "up")
        lab.policy_hosts.listen(OTHER_NET.domain, OTHER_NET.policy)
        return lab.sinks.listen(OTHER_NET.mx[0])

    def close(self, lab):
        self.listener.close()
        lab.policy_hosts.stop(OTHER_NET.domain)
        self.keeper.kill()
        self.keeper.wait()
        run("ip", "link", "delete", "near")
        self.thread.shutdown()


class Inner(Session):
    """Must not be spoken to by the relay."""
    host, starttls = "inner", "no"


def own_host(lab):
    """MX hosts that are this host, and one that is not"""
    check = lab.rows.check
    net = OtherNet(lab)
    inner = [Listener(address, 25, type("Handler", (Inner,), {
        "sinks": lab.sinks})) for address in ("127.0.0.1", "127.0.0.2", "::1",
                                              THIS_HOST)]
    with both_gates(lab, allow_internal="no"):
        check("MX of another net", "delivered", lambda: direct(
            lab, "other-net.test"))
        check("%d x MX is this host" % len(LOOPS), "554 5.4.6, not connected",
              lambda: loops(lab))
        check("this host is backup MX", "to the nearer one", lambda: direct(
            lab, "backup.test"))
    for listener in inner:
        listener.close()
    net.close(lab)


def direct(lab, domain):
    subject = new_subject(domain)
    with RelayClient() as client:
        reply = client.deliver("user@" + domain, new_sender(),
                               b"Subject: %s\r\n\r\nx\r\n" % subject.encode())
    got = arrived(lab, subject)
    return "to " + got[0].mx, reply.startswith("250") and \
        (len(got), got[0].mx, got[0].tls) == (1, "mx.other-net.test", True)


def loops(lab):
    lab.sinks.heard.clear()
    wrong = []
    for domain in LOOPS:
        with RelayClient() as client:
            reply = client.envelope("user@" + domain, new_sender())
        if not reply.startswith("554 5.4.6 "):
            wrong.append("%s: %s" % (domain, reply))
    heard = [verb for mx, verb in lab.sinks.heard]
    return "%d of %d wrong, %d commands" % (
        len(wrong), len(LOOPS), len(heard)), \
        not wrong and not heard and greets(), *wrong


TRIALS = [own_host]
