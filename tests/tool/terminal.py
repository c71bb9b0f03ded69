#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: ISC
"""What strictmx(1) does on a terminal only: colour, and the line that says
what is waited for."""
import os
import pty
import socket
import subprocess

from daemon import daemon
from tool import PROGRAM, run, strictmx

GREEN, RED, CLEAR = b"\033[32m", b"\033[31m", b"\r\033[K"


def on_terminal(argv, stream, **environment):
    """What the program writes when a stream (1, 2) of it is a terminal."""
    ours, theirs = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    streams = {"stdout" if stream == 1 else "stderr": theirs,
               "stderr" if stream == 1 else "stdout": subprocess.DEVNULL}
    with subprocess.Popen([PROGRAM, *argv], stdin=subprocess.DEVNULL,
                          env={**env, "TERM": "xterm", **environment},
                          **streams):
        os.close(theirs)
        said = b""
        while True:
            try:
                more = os.read(ours, 4096)
            except OSError:             # how a terminal ends
                more = b""
            if not more:
                os.close(ours)
                return said
            said += more


def a_verdict_is_coloured_on_a_terminal_only():
    good, bad = ["match", "a.test", "a.test"], ["match", "a.test", "b.test"]
    assert on_terminal(good, 1).startswith(GREEN)
    assert on_terminal(bad, 1).startswith(RED)
    assert on_terminal(good, 1, NO_COLOR="") .startswith(GREEN)
    assert on_terminal(good, 1, NO_COLOR="1") == b"match\r\n"
    assert on_terminal(good, 1, TERM="dumb") == b"match\r\n"
    assert strictmx(*good, env={"TERM": "xterm"}).out == "match\n"


def json_is_never_coloured():
    said = on_terminal(["match", "--json", "a.test", "a.test"], 1)
    assert said == b'{"match": true}\r\n', said


def a_long_wait_shows_on_a_terminal_only():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        name = "127.0.0.1:%d" % silent.getsockname()[1]
        with daemon(resolver=name) as it:
            argv = ["cache", "refresh", "a.test", "-f", it.config]
            said = on_terminal(argv, 2)
            assert b"waiting for the engine ... 1 s" in said, said
            assert CLEAR in said.partition(b"1 s")[2], said
            result = strictmx(*argv)
            assert "..." not in result.err and result.status == 3, result


run([
    a_verdict_is_coloured_on_a_terminal_only,
    json_is_never_coloured,
    a_long_wait_shows_on_a_terminal_only,
])
