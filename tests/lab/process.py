# SPDX-License-Identifier: ISC
"""Processes of the lab, and waiting: always for something, never for a time.
"""
import os
import signal
import subprocess
import time


class Timeout(Exception):
    """What was waited for did not come."""


def wait_for(what, condition, seconds=20):
    """Polls condition until it is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Timeout("%s: not within %g s" % (what, seconds))
        time.sleep(0.02)


class Process:
    """A program in the foreground; what it prints goes to a log file."""

    def __init__(self, name, argv, log, env=None, cwd="/"):
        self.name = name
        self.log = log
        with open(log, "ab") as file:
            self.start = file.tell()
            self.popen = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                cwd=cwd, env={**os.environ, **(env or {})})

    def alive(self):
        return self.popen.poll() is None

    def text(self):
        """What it has printed since it was started."""
        with open(self.log, "rb") as file:
            file.seek(self.start)
            return file.read().decode("utf-8", "replace")

    def wait_until(self, what, condition, seconds=20):
        """As wait_for, but fails at once when the program ends."""
        def check():
            if not self.alive():
                raise RuntimeError("%s ended with %s: %s" % (
                    self.name, self.popen.returncode, self.text()[-2000:]))
            return condition()
        return wait_for("%s: %s" % (self.name, what), check, seconds)

    def stop(self, sig=signal.SIGTERM, seconds=20):
        if self.alive():
            self.popen.send_signal(sig)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise Timeout("%s did not end within %g s" %
                          (self.name, seconds)) from None


def running(program):
    """The process ids of a program by its name, the dead ones left out."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid, "r", errors="replace") as file:
                head, _, rest = file.read().rpartition(")")
        except OSError:
            continue            # it ended while we looked
        if head.partition("(")[2] == program and rest.split()[0] != "Z":
            found.append(int(pid))
    return found
