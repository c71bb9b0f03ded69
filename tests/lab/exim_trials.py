# SPDX-License-Identifier: ISC
"""Exim 4.96 sends, with what contrib/exim has: each domain is asked about, its
hosts filtered, its certificates judged in the handshake."""
import os
import signal
import socketserver
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import exim_sender
from exim_sender import Engine, forget, log_of, send
from judge import new_subject
from process import Timeout, wait_for

AT_ONCE = 30


@dataclass
class Row:
    """What must become of mail to a domain. mx: who gets it, none: it waits;
    words: in Exim's log; quiet: hosts that must not hear MAIL; unmet: hosts
    that must not even be connected to; clear: without TLS."""
    domain: str
    mx: str = ""
    words: tuple = ()
    quiet: tuple = ()
    unmet: tuple = ()
    clear: bool = False
    bounced: bool = False

    def __str__(self):
        if self.bounced:
            return "bounced"
        if not self.mx:
            return "waits"
        return "to %s%s" % (self.mx, " in clear" if self.clear else "")


def waits(domain, *words, quiet=None):
    return Row(domain, "", words,
               ("mx." + domain,) if quiet is None else quiet)


def numbered(domain, *numbers):
    return tuple("mx%d.%s" % (n, domain) for n in numbers)


ENFORCED = [
    Row("good.test", "mx.good.test", ("CV=yes",)),
    Row("wildcard.test", "mx.wildcard.test", ("CV=yes",)),
    Row("fallback.test", "mx5.fallback.test", (
        "certificate-not-trusted", "certificate-host-mismatch",
        "server did not offer TLS", "certificate-expired", "CV=yes"),
        quiet=numbered("fallback.test", 1, 2, 3, 4)),
    waits("all-bad.test", "certificate-not-trusted", "certificate-expired",
          "454", quiet=numbered("all-bad.test", 1, 2, 3, 4)),
    Row("partly.test", "mx2.partly.test", ("CV=yes",),
        unmet=("mx1.partly.test",)),
    Row("not-listed.test", "", ("no MX host of not-listed.test is listed",),
        unmet=numbered("not-listed.test", 1, 2)),
    Row("too-deep.test", "", ("no MX host of too-deep.test is listed",),
        unmet=("a.mx.too-deep.test",)),
    waits("cn-only.test", "certificate-host-mismatch"),
    waits("wild-deep.test", "certificate-host-mismatch",
          quiet=("mx.sub.wild-deep.test",)),
    waits("self-signed.test", "certificate-not-trusted"),
    waits("unknown-ca.test", "certificate-not-trusted"),
    waits("wrong-name.test", "certificate-host-mismatch"),
    waits("expired.test", "certificate-expired"),
    waits("no-starttls.test", "did not offer TLS"),
    waits("starttls-454.test", "454"),
    waits("starttls-close.test"),
    waits("tls1.1.test"),
    Row("cn-mx.test", "mx2.cn-mx.test", ("certificate-host-mismatch", "CV=yes"),
        quiet=("mx1.cn-mx.test",)),
    Row("alias.test", "host.alias.test", ("CV=yes",)),
    waits("alias-bad.test", "certificate-host-mismatch",
          quiet=("host.alias-bad.test",)),
    Row("xn--bcher-kva.test", "mx.xn--bcher-kva.test", ("CV=yes",)),
    Row("implicit.test", "implicit.test", ("CV=yes",)),
    waits("mx-servfail.test", quiet=()),
    Row("null-mx.test", "", ("556 5.1.10",), bounced=True),
]

NOT_ENFORCED = [
    Row("watched.test", "mx.watched.test", ("CV=no",)),
    Row("testing.test", "mx.testing.test", clear=True),
    Row("mode-none.test", "mx.mode-none.test", clear=True),
    Row("no-record.test", "mx.no-record.test", clear=True),
    Row("plain-tls.test", "mx.plain-tls.test", ("CV=no",)),
    Row("local.test", "mx.local.test", clear=True),
    Row("policy-404.test", "mx.policy-404.test", clear=True),
]

DANE = [
    Row("dane.test", "mx.dane.test", ("CV=dane",)),
    Row("dane-unlisted.test", "mx.dane-unlisted.test", ("CV=dane",)),
    Row("dane-plain.test", "mx.dane-plain.test", ("CV=dane",)),
    waits("dane-bad.test"),
]

UNKNOWN = [
    waits("txt-dead.test", "MTA-STS", "txt-dead.test"),
    waits("policy-silent.test", "still being looked up"),
]


def happened_to(lab, row, subject):
    """(what happened, whether it is right, Exim's words)"""
    _, lines = log_of(subject)
    text = "\n".join(lines)
    got = lab.sinks.received(lambda m: m.subject == subject)
    marks = [line[:2] for line in lines if line[:2] in ("=>", "==", "**")]
    if got:
        happened = "to %s%s" % (got[0].mx, "" if got[0].tls else " in clear")
    else:
        happened = {"==": "waits", "**": "bounced"}.get(
            marks[-1] if marks else "", "nothing told")
    loud = [mx for mx in row.quiet if lab.sinks.has_heard(mx, "MAIL")]
    loud += [mx for mx in row.unmet if lab.sinks.has_heard(mx, "EHLO")]
    ok = (happened == str(row) and len(got) <= 1 and not loud and
          all(word in text for word in row.words))
    return happened + "".join(", MAIL to " + mx for mx in loud), ok, \
        *(() if ok else lines)


def tell(lab, row, prefix=""):
    subject = new_subject(row.domain)
    lab.rows.check(prefix + row.domain, str(row), lambda: (
        send(subject, "user@" + row.domain),
        happened_to(lab, row, subject))[1])


def tell_all(lab, rows, prefix=""):
    """All at once: a message each."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda row: tell(lab, row, prefix), rows))


def nothing_lost(lab):
    lab.rows.check("log of Exim", "each '<=' ends in '=>', '==' or '**'",
                   lambda: ("%d without an end" % len(exim_sender.lost()),
                            not exim_sender.lost(), *exim_sender.lost()))


@contextmanager
def sender(lab, macros="", routers=None, **settings):
    """Exim, and an engine for it, in the place of smtpd."""
    lab.server.stop()
    lab.sinks.heard.clear()     # what others said
    exim_sender.install()
    exim_sender.plain_conf(macros, routers)
    engine = Engine(lab, **settings)
    try:
        yield engine
        nothing_lost(lab)
    finally:
        engine.stop()
        lab.configure()
        lab.server.start()


def exim(lab):
    """Exim with contrib/exim asks the engine's socket"""
    check = lab.rows.check
    with sender(lab) as engine:
        tell_all(lab, ENFORCED + NOT_ENFORCED + DANE + UNKNOWN)
        check("would-defer", "in the engine's log", lambda: would_defer(engine))
        check("outcomes", "of good and bad sessions", lambda: outcomes(engine))
        check("exim -bt", "as README.md says", address_test)
        queue_of_two(lab)
        check("%d at once" % AT_ONCE, "all delivered", lambda: many(lab))
        engine_troubles(lab, engine)


def would_defer(engine):
    """Of a certificate in mode testing; of a host that is not listed."""
    found = [engine.logged("domain=watched.test", "action=would-defer", word)
             for word in ("result=certificate-not-trusted", "does not list")]
    return str(found), all(found)


def outcomes(engine):
    wanted = [("good.test", "mx.good.test", "none"),
              ("expired.test", "mx.expired.test", "certificate-expired"),
              ("fallback.test", "mx1.fallback.test", "certificate-not-trusted"),
              ("fallback.test", "mx3.fallback.test", "starttls-not-supported"),
              ("testing.test", "mx.testing.test", "starttls-not-supported"),
              ("dane-bad.test", "mx.dane-bad.test", "tlsa-invalid"),
              ("tls1.1.test", "mx.tls1.1.test", "validation-failure")]

    def missing():
        return [w for w in wanted if not engine.logged(
            "domain=%s " % w[0], " session mx=%s " % w[1],
            "result=%s " % w[2])]
    try:
        wait_for("outcomes", lambda: not missing(), 5)
    except Timeout:
        pass            # those that are missing are named below
    left = missing()
    return "%d of %d" % (len(wanted) - len(left), len(wanted)), not left, \
        *map(str, left)


def address_test():
    said = exim_sender.exim("-bt", "user@good.test")
    router = "router = strictmx_enforce, transport = strictmx_smtp"
    return router if router in said else "no '%s'" % router, \
        router in said and "host mx.good.test" in said


def queue_of_two(lab):
    """Two domains on one MX host wait in the queue and go out in one run."""
    forget()
    for number, rows in enumerate((
            [waits("shared-a.test", quiet=()),
             Row("shared-b.test", "mx.shared.test", ("CV=no",))],
            [waits("joint-a.test", quiet=()),
             Row("joint-b.test", "mx.joint.test", ("CV=yes",))])):
        for turn in (1, 2):
            subjects = [new_subject(row.domain) for row in rows]
            for subject, row in zip(subjects, rows):
                send(subject, "user@" + row.domain, how="-odq")
            both = new_subject("both")
            send(both, *("user@" + row.domain for row in rows), how="-odq")
            exim_sender.run_queue()
            for subject, row in zip(subjects, rows):
                lab.rows.check("queue %d.%d %s" % (number, turn, row.domain),
                               str(row), lambda s=subject, r=row:
                               happened_to(lab, r, s))
            lab.rows.check("queue %d.%d both" % (number, turn),
                           "one waits, one goes",
                           lambda s=both: one_of_two(lab, s, rows))
        forget()


def one_of_two(lab, subject, rows):
    _, lines = log_of(subject)
    got = lab.sinks.received(lambda m: m.subject == subject)
    happened = [m.recipient for m in got]
    return str(happened), happened == ["user@" + rows[1].domain] and any(
        line.startswith("== user@" + rows[0].domain) for line in lines)


def many(lab):
    forget()
    subjects = [new_subject("good.test") for _ in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda s: send(s, "user@good.test"), subjects))
    got = lab.sinks.received(lambda m: m.subject in set(subjects))
    put_off = [s for s in subjects if any(
        line.startswith("==") for line in log_of(s)[1])]
    return "%d delivered, %d put off" % (len(got), len(put_off)), \
        len(got) == AT_ONCE and not put_off and all(m.tls for m in got)


NOT_NOW = "MTA-STS policy state of %s is unknown"


def engine_troubles(lab, engine):
    """The engine goes away at the worst moments, and comes back."""
    check = lab.rows.check
    forget()
    check("engine killed in a handshake", "waits, then delivered", lambda:
          killed_at(lab, engine, "handshake.test", ("EHLO", "STARTTLS"),
                    "strictmx: no answer"))
    engine.kill()
    for domain in ("good.test", "no-record.test"):
        tell(lab, waits(domain, NOT_NOW % domain, quiet=()), "engine gone: ")
    with Broken():
        tell(lab, waits("good.test", NOT_NOW % "good.test", quiet=()),
             "engine answers nothing: ")
    engine.start()
    engine.kill(signal.SIGSTOP)
    tell(lab, waits("good.test", NOT_NOW % "good.test", quiet=()),
         "engine asleep: ")
    engine.kill(signal.SIGCONT)
    forget()
    tell(lab, Row("good.test", "mx.good.test", ("CV=yes",)), "engine back: ")


def killed_at(lab, engine, domain, verbs, word):
    """The engine dies when the MX host has heard the verbs; the message waits,
    and is delivered when there is an engine again."""
    mx = "mx." + domain
    subject = new_subject(domain)
    heard = []

    def watch(command):
        heard.append(command)
        if heard == list(verbs):
            engine.kill()
    lab.sinks.watchers[mx] = watch
    try:
        send(subject, "user@" + domain)
    finally:
        del lab.sinks.watchers[mx]
    happened, waited, *lines = happened_to(
        lab, waits(domain, word, quiet=()), subject)
    engine.start()
    exim_sender.run_queue()
    then, ok, *more = happened_to(
        lab, Row(domain, mx, ("CV=yes",)), subject)
    return "%s, then %s" % (happened, then), waited and ok, *(
        () if waited and ok else (*lines, *more))


class Broken:
    """Something at the engine's socket that says an empty line to all."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.rfile.readline()
            self.wfile.write(b"\n")

    def __enter__(self):
        if os.path.exists(exim_sender.SOCKET):
            os.unlink(exim_sender.SOCKET)
        self.server = socketserver.ThreadingUnixStreamServer(
            exim_sender.SOCKET, self.Handler)
        os.chmod(exim_sender.SOCKET, 0o666)
        threading.Thread(target=self.server.serve_forever, args=(0.1,),
                         daemon=True).start()

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        os.unlink(exim_sender.SOCKET)


PROGRAM = "STRICTMX_PROGRAM = " + exim_sender.PROGRAM


def exim_program(lab):
    """Exim runs strictmx-exim, in its three ways"""
    with sender(lab, PROGRAM) as engine:
        rows = [Row("good.test", "mx.good.test", ("CV=yes",)),
                waits("expired.test", "certificate-expired"),
                Row("partly.test", "mx2.partly.test", ("CV=yes",)),
                Row("no-record.test", "mx.no-record.test", clear=True),
                waits("txt-dead.test", "txt-dead.test")]
        tell_all(lab, rows, "${run}: ")
        forget()
        exim_sender.plain_conf(PROGRAM, "routers-program")
        tell_all(lab, rows + [
            Row("not-listed.test", "", ("does not list its MX",)),
            Row("fallback.test", "mx5.fallback.test", ("CV=yes",))],
                 "queryprogram: ")
        forget()
        exim_sender.plain_conf("STRICTMX_GUARD = " + exim_sender.PROGRAM)
        tell_all(lab, rows[:2] + rows[3:4], "guard: ")
        lab.rows.check("guard: engine killed in TLS", "waits, then delivered",
                       lambda: killed_at(
                           lab, engine, "data.test", ("EHLO", "STARTTLS", "EHLO"),
                           "transport filter process failed (75)"))


def exim_program_alone(lab):
    """strictmx-exim without an engine, and with one that does not answer"""
    with sender(lab, PROGRAM) as engine:
        away(lab, engine, "${run}: ", NOT_NOW % "good.test")
        exim_sender.plain_conf(PROGRAM, "routers-program")
        away(lab, engine, "queryprogram: ", "readsocket")


def away(lab, engine, prefix, words):
    engine.kill()
    tell(lab, Row("good.test", "", (words,)), prefix + "engine gone: ")
    engine.start()
    engine.kill(signal.SIGSTOP)
    tell(lab, Row("good.test", "", (words,)), prefix + "engine asleep: ")
    engine.kill(signal.SIGCONT)
    forget()
    tell(lab, Row("good.test", "mx.good.test", ("CV=yes",)),
         prefix + "engine back: ")


def exim_debian(lab):
    """Exim with Debian's configuration, split and in one file"""
    with sender(lab):
        for split in (True, False):
            prefix = "split: " if split else "one file: "
            exim_sender.debian_conf(split)
            tell_all(lab, [
                Row("good.test", "mx.good.test", ("T=strictmx_smtp", "CV=yes")),
                waits("expired.test", "certificate-expired"),
                Row("watched.test", "mx.watched.test", ("T=strictmx_testing",)),
                Row("no-record.test", "mx.no-record.test",
                    ("R=dnslookup T=remote_smtp",), clear=True)], prefix)
            lab.rows.check(prefix + "DKIM", "signed under a policy, too", dkim)
            forget()


def dkim():
    options = exim_sender.exim("-bP", "transport", "strictmx_smtp")
    found = [line for line in options.splitlines()
             if line.startswith("dkim_domain")]
    return str(found), found == ["dkim_domain = lab.test"]


def exim_testing(lab):
    """Exim, and strictmx with mode = testing"""
    with sender(lab, mode="testing") as engine:
        rows = [Row("expired.test", "mx.expired.test", ("CV=no",)),
                Row("no-starttls.test", "mx.no-starttls.test", clear=True),
                Row("not-listed.test", "mx1.not-listed.test")]
        tell_all(lab, rows, "testing: ")
        lab.rows.check("testing: would-defer", "in the engine's log", lambda: (
            "told", engine.logged("domain=expired.test", "action=would-defer",
                                  "result=certificate-expired") and
            engine.logged("domain=not-listed.test", "action=would-defer")))


EXIM_TRIALS = [exim, exim_program, exim_debian, exim_testing]
BAD_TRIALS = [exim_program_alone]
