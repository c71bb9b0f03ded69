# SPDX-License-Identifier: ISC
"""A strictmxd of the tree for the tests of verbs that ask one.

Its resolver is a port where nobody listens, unless a test has another one: it
knows what it is told only.
"""
import contextlib
import os
import socket
import subprocess
import tempfile
import time

from tool import BUILD, strictmx

DAEMON = os.path.abspath(os.path.join(BUILD, "filter", "strictmxd"))
START_S = 20


class Daemon:
    """directory is everybody's: a daemon that root starts becomes nobody."""

    def __init__(self, directory, more, resolver):
        self.socket = os.path.join(directory, "q")
        self.config = os.path.join(directory, "conf")
        self.log = os.path.join(directory, "log")
        self.process = None
        with open(self.config, "w", encoding="ascii") as out:
            out.write('socket = "%s"\nstate-dir = "%s/state"\n'
                      'hostname = me.test\nresolver = {"%s"}\n'
                      "deadline = 1\nuser = nobody\n%s"
                      % (self.socket, directory, resolver, more))

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([DAEMON, "-d", "-f", self.config],
                                            stderr=log)
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(START_S)
                # It greets from its loop, when all is set up.
                if probe.connect_ex(self.socket) == 0 and probe.recv(1):
                    return
            assert self.process.poll() is None, self.log_text()
            time.sleep(0.02)
        raise AssertionError("the daemon does not listen: " + self.log_text())

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            assert self.process.wait(START_S) == 0, self.log_text()
        self.process = None

    def log_text(self):
        with open(self.log, encoding="ascii") as log:
            return log.read()

    def ask(self, line, uid):
        """What the daemon answers to a line from this user."""
        os.seteuid(uid)
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(self.socket)
                client.sendall(b"1 %s\n" % line.encode("ascii"))
                with client.makefile(encoding="ascii") as answers:
                    assert answers.readline() == "strictmx-query 1\n"
                    return answers.readline()
        finally:
            os.seteuid(0)

    def tool(self, *argv, **how):
        """strictmx with the configuration of this daemon."""
        return strictmx(*argv, "-f", self.config, **how)


@contextlib.contextmanager
def daemon(running=True, more="", resolver="127.0.0.1:9"):
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        it = Daemon(directory, more, resolver)
        try:
            if running:
                it.start()
            yield it
        finally:
            it.stop()
