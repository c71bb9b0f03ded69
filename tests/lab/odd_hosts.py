# SPDX-License-Identifier: ISC
"""Mail hosts that keep their policy and are odd at one step of the dialogue:
what the relay makes of it (RFC 5321 4.2, 4.5.3). Addresses are 127.6.0.N (the
odd hosts), 127.6.1.N (their good neighbours) and 127.7.0.N (policy hosts)."""
import threading
from dataclasses import dataclass

import certificates
from destinations import Destination, Expect, Mx, bounced, delivered, enforce
from sinks import Listener, Session, tls_context

WORD = "marmalade"      # in what odd hosts say: it must reach a person
SILENCE, CLOSE, TWICE, LATE = "silence", "close", "twice", "late"
LATE_S = 60
PATIENCE_S = 600        # that a silent one waits for the client to leave

# The dialogue, in order. "dot": the answer to the message.
STEPS = ("banner", "ehlo", "starttls", "tls-ehlo", "mail", "rcpt", "data",
         "dot")
IN_CLEAR = ("banner", "ehlo", "starttls")


@dataclass
class Odd:
    """Says something (a reply, or one of the words above) at a step, and goes
    on; after 421, and SILENCE or CLOSE, that is the end."""
    step: str
    says: str
    name: str
    expect: Expect
    neighbour: bool = False     # a good host that is to be tried next
    destination: Destination = None


def queued(*words):
    """Whatever the enhanced status, which is the remote's or that of a policy
    that could not be kept."""
    return Expect(451, "", words)


def reply(code):
    return "%s %s" % (code, WORD)


def said_421(step):
    """The remote's words, as 451: the relay itself never says 421."""
    return Odd(step, reply("421 4.3.2"), "421-at-" + step, queued(WORD))


def closed(step):
    return Odd(step, CLOSE, "close-at-" + step, queued())


def twice(step):
    return Odd(step, TWICE, "twice-at-" + step, queued())


ODD = [
    *map(said_421, STEPS), *map(closed, STEPS),
    # Out of turn: with the reply, or before the command (RFC 5321 2.1).
    *map(twice, ("mail", "rcpt", "data")),
    Odd("rcpt", "354 go on", "354-at-rcpt", queued()),
    Odd("data", "250 2.0.0 ok", "250-at-data", queued()),
    Odd("dot", "354 go on", "354-at-dot", queued()),
    Odd("rcpt", "25", "malformed-at-rcpt", queued()),
    Odd("dot", "2" * 5000, "long-at-dot", queued()),
    # Passed on, to the queue or the bounce.
    Odd("rcpt", reply("550 5.1.1"), "550-at-rcpt",
        bounced(550, "5.1.1", WORD)),
    Odd("rcpt", reply("450 4.2.1"), "450-at-rcpt", Expect(450, "4.2.1",
                                                          (WORD,))),
    Odd("rcpt", reply("552 5.2.2"), "552-at-rcpt", Expect(452, "4.2.2",
                                                          (WORD,))),
    Odd("mail", reply("550 5.7.1"), "550-at-mail",
        bounced(550, "5.7.1", WORD)),
    Odd("mail", reply("452 4.3.1"), "452-at-mail", queued(WORD)),
    Odd("dot", reply("554 5.6.0"), "554-at-dot", bounced(554, "5.6.0", WORD)),
    Odd("dot", reply("451 4.3.0"), "451-at-dot", Expect(451, "4.3.0",
                                                        (WORD,))),
    Odd("data", reply("554 5.5.1"), "554-at-data",
        bounced(554, "5.5.1", WORD)),
    # The next host has a chance.
    Odd("banner", reply("554 5.3.2"), "next-after-banner", None, True),
    Odd("ehlo", reply("421 4.3.2"), "next-after-ehlo", None, True),
    Odd("starttls", reply("454 4.7.0"), "next-after-starttls", None, True),
    Odd("mail", reply("451 4.3.0"), "next-after-mail", None, True),
]

SILENT = [Odd(step, SILENCE, "silent-at-" + step, queued()) for step in STEPS]
SLOW = Odd("dot", LATE, "late-at-dot", None)
ALL = [*ODD, *SILENT, SLOW]


def publish(n, odd, certificate):
    domain = odd.name + ".test"
    host, next_host = "odd." + domain, "next." + domain
    mx = [Mx(host, listens=False, address="127.6.0.%d" % n)]
    if odd.neighbour:
        mx.append(Mx(next_host, preference=20, address="127.6.1.%d" % n))
        odd.expect = delivered(next_host)
    odd.expect = odd.expect or delivered(host)
    odd.destination = Destination(
        domain, "%s at %s" % (odd.says[:40], odd.step), mx=mx,
        policy=enforce("*." + domain, address="127.7.0.%d" % n,
                       certificate=certificate),
        expect=odd.expect)
    return odd.destination


POLICY_HOSTS = certificates.good(*("mta-sts.%s.test" % odd.name for odd in ALL))
ODD_PUBLISHED = [publish(n, odd, POLICY_HOSTS) for n, odd in enumerate(ALL, 1)]


class OddSession(Session):
    """A subclass says which."""
    odd = None
    starttls = "yes"
    ended = threading.Event()       # never set

    def greet(self):
        self.request.settimeout(PATIENCE_S)
        return self.at("banner", super().greet)

    def obey(self, verb, argument):
        step = "tls-ehlo" if verb == "ehlo" and self.secure else verb
        if step == "data":
            return self.data()
        return self.at(step, lambda: super(OddSession, self).obey(
            verb, argument))

    def data(self):
        if self.odd.step == "data":
            return self.at("data", lambda: self.reply("354 go ahead"))
        self.reply("354 go ahead")
        text = self.read_text()
        if text is None:
            return "end"
        return self.at("dot", lambda: self.take(text))

    def take(self, text):
        self.keep(text)
        self.reply("250 2.0.0 kept")

    def at(self, step, as_usual):
        """"end": no more commands are read."""
        says = self.odd.says
        if step != self.odd.step:
            return as_usual()
        if says == CLOSE:
            return "end"
        if says == SILENCE:
            while self.request.recv(65536):
                pass
            return "end"
        if says == LATE:
            self.ended.wait(LATE_S)
            return as_usual()
        if says == TWICE:
            as_usual()
            return self.reply("250 2.0.0 and more")
        self.reply(says)
        return "end" if says.startswith("421") else None


def listen(lab, odds):
    """All of these hosts, with one certificate: the listeners, to be closed.
    The neighbours are sinks like others."""
    hosts = [odd.destination.mx[0] for odd in odds]
    context = tls_context(lab.authority, certificates.good(
        *(mx.host for mx in hosts)))
    return [Listener(mx.address, 25, type("Handler", (OddSession,), {
        "sinks": lab.sinks, "host": mx.host, "tls": context, "odd": odd}))
            for odd, mx in zip(odds, hosts)]
