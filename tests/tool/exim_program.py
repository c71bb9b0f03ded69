#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: ISC
"""strictmx-exim(8), with engines that answer well, badly, late and never."""
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time

from tool import BUILD, run

PROGRAM = os.path.join(BUILD, "filter/strictmx-exim")
OWN_TIMEOUT_S = 5
ENFORCE = "mode=enforce mx=^mx\\.a\\.test$ hosts=mx.a.test:mx2.a.test"


class Engine:
    """Hears one line and says what it is to say; None: nothing, for ever."""

    def __init__(self, answer, backlog=8):
        self.answer = answer
        self.heard = b""
        self.directory = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.directory.name, "sock")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen(backlog)

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.directory.cleanup()

    def serve(self):
        try:
            client, _ = self.socket.accept()
            while not self.heard.endswith(b"\n"):
                self.heard += client.recv(4096)
        except OSError:
            return
        if self.answer is None:
            self.kept = client
            return
        for octet in self.answer[:-1]:      # in pieces, as it may come
            client.sendall(bytes([octet]))
        client.sendall(self.answer[-1:])
        client.close()


def call(*argv, message=b"", seconds=OWN_TIMEOUT_S):
    start = time.monotonic()
    done = subprocess.run([PROGRAM, *argv], input=message, timeout=30,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert time.monotonic() - start < seconds, "it took too long"
    return done.returncode, done.stdout, done.stderr.decode()


def ask(verb, answer, *options):
    with Engine(answer if answer is None else answer.encode()) as engine:
        result = call("-s", engine.path, *options, verb, "a.test")
        return result[0], result[1].decode(), engine.heard.decode()


def policy_says_the_line_of_the_engine():
    for answer in (ENFORCE, "mode=none", "mode=tempfail why=\"not yet\""):
        assert ask("policy", answer + "\n") == (
            0, answer + "\n", "POLICY a.test\n")


def policy_without_an_answer_ends_with_75_and_says_nothing():
    for answer in ("\n", "250 ok\n", "mode=none", "mode=no\0ne\n",
                   "mode=none mx=" + "a" * 30000 + "\n"):
        status, out, _ = ask("policy", answer)
        assert (status, out) == (75, ""), (answer[:40], status, out[:40])


def route_accepts_only_an_enforced_policy_with_hosts():
    hosts = 'HOSTS="mx.a.test:mx2.a.test" LOOKUP=bydns\n'
    status, out, heard = ask("route", ENFORCE + "\n")
    assert (status, out) == (0, "ACCEPT TRANSPORT=strictmx_smtp " + hosts)
    assert heard == "ROUTE a.test\n", heard
    assert ask("route", ENFORCE + "\n", "-t", "other")[1] == \
        "ACCEPT TRANSPORT=other " + hosts


def route_declines_only_where_nothing_is_enforced():
    for mode in ("none", "testing"):
        assert ask("route", "mode=%s\n" % mode)[:2] == (0, "DECLINE\n")


def route_defers_in_any_doubt():
    for answer in ("\n", "mode=tempfail\n", "mode=enforce\n", "nonsense\n",
                   "mode=non", "mode=enforce hosts=a\"b\n",
                   "mode=none why=\"x\n", "mode=enforce mx=^a$\n"):
        status, out, _ = ask("route", answer)
        assert status == 0 and out.startswith("DEFER "), (answer, out)
        assert out.count("\n") == 1
    assert ask("route", 'mode=tempfail why="no record yet"\n')[1] == \
        "DEFER strictmx: no record yet\n"
    assert ask("route", 'mode=fail why="no such domain"\n')[1] == \
        "FAIL strictmx: no such domain\n"


def an_absent_engine_is_told_at_once():
    status, out, err = call("-s", "/nonexistent/sock", "policy", "a.test",
                            seconds=2)
    assert (status, out) == (75, b"") and "/nonexistent/sock" in err
    status, out, err = call("-s", "/nonexistent/sock", "route", "a.test",
                            seconds=2)
    assert (status, out, err) == (
        0, b"DEFER strictmx: /nonexistent/sock: no answer: "
        b"No such file or directory\n", "")


def an_engine_that_says_nothing_is_waited_for_less_than_5_s():
    assert ask("policy", None)[:2] == (75, "")


def a_full_backlog_is_waited_for_less_than_5_s():
    engine = Engine(b"", backlog=0)
    held = []
    try:
        while True:
            held.append(socket.socket(socket.AF_UNIX))
            held[-1].setblocking(False)
            held[-1].connect(engine.path)
    except BlockingIOError:
        pass
    assert call("-s", engine.path, "policy", "a.test")[:2] == (75, b"")


def what_is_no_domain_is_not_asked_for():
    with Engine(b"mode=none\n") as engine:
        for name in ("", "a b", "a\nPOLICY b", "a" * 321):
            assert call("-s", engine.path, "policy", name)[:2] == (75, b"")
        assert engine.heard == b""


def guard_passes_a_message_to_ok_and_no_other():
    message = os.urandom(300000)
    assert call("guard", "ok", message=message)[:2] == (0, message)
    for verdict in ("", "ok ", "OK", "okay", "defer", "no"):
        assert call("guard", verdict, message=message)[:2] == (75, b"")


def guard_that_cannot_write_ends_with_75():
    process = subprocess.Popen([PROGRAM, "guard", "ok"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    process.stdout.close()
    process.stdin.write(b"x")
    process.stdin.close()
    assert process.wait(30) == 75


def output_that_cannot_be_written_ends_with_75():
    with Engine(b"mode=none\n") as engine, open("/dev/full", "w") as full:
        status = subprocess.run(
            [PROGRAM, "-s", engine.path, "policy", "a.test"], stdout=full,
            stdin=subprocess.DEVNULL, timeout=30).returncode
        assert status == 75, status


def a_wrong_call_ends_with_64():
    for argv in ([], ["policy"], ["policy", "a", "b"], ["fly", "a"],
                 ["-x", "policy", "a"], ["guard"]):
        status, out, err = call(*argv)
        assert status == 64 and not out and "usage" in err, argv
    assert call("--help")[0] == call("--version")[0] == 0


signal.signal(signal.SIGPIPE, signal.SIG_IGN)
run([
    policy_says_the_line_of_the_engine,
    policy_without_an_answer_ends_with_75_and_says_nothing,
    route_accepts_only_an_enforced_policy_with_hosts,
    route_declines_only_where_nothing_is_enforced,
    route_defers_in_any_doubt,
    an_absent_engine_is_told_at_once,
    an_engine_that_says_nothing_is_waited_for_less_than_5_s,
    a_full_backlog_is_waited_for_less_than_5_s,
    what_is_no_domain_is_not_asked_for,
    guard_passes_a_message_to_ok_and_no_other,
    guard_that_cannot_write_ends_with_75,
    output_that_cannot_be_written_ends_with_75,
    a_wrong_call_ends_with_64,
])
