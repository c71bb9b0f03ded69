# SPDX-License-Identifier: ISC
"""A client of strictmxd's socket, see strictmx-query(7); and the daemon."""
import os
import socket
import time

import namespace
from mail_server import QUERY_SOCKET
from process import Process, wait_for

GREETING = "strictmx-query 1"


class QueryClient:
    def __init__(self, seconds=60):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(seconds)
        wait_for("a place in the backlog", self.connect)
        self.file = self.sock.makefile("r", encoding="ascii", newline="\n")
        self.last = 0

    def connect(self):
        try:
            self.sock.connect(QUERY_SOCKET)
        except BlockingIOError:
            return False
        return True

    def greeted(self):
        line = self.line()
        if line != GREETING:
            raise RuntimeError("greeted with '%s'" % line)
        return self

    def send(self, text):
        self.sock.sendall(text if isinstance(text, bytes) else text.encode())

    def request(self, verb, argument=""):
        self.last += 1
        self.send("%d %s %s\n" % (self.last, verb, argument))
        return str(self.last)

    def line(self):
        line = self.file.readline()
        if not line:
            raise RuntimeError("strictmxd has closed the connection")
        return line.rstrip("\n")

    def ask(self, mailbox):
        """(word, text, seconds)"""
        start = time.monotonic()
        number = self.request("rcpt", mailbox)
        while True:
            found, word, *text = self.line().split(" ", 2)
            if found == number:
                return word, "".join(text), time.monotonic() - start

    def close(self):
        self.file.close()
        self.sock.close()


def ask_once(mailbox):
    """On a connection of its own."""
    client = QueryClient().greeted()
    try:
        return client.ask(mailbox)
    finally:
        client.close()


def start_daemon(lab, before=()):
    """strictmxd in the foreground; before: a command that runs it."""
    process = Process(
        "strictmxd", [*before, "/opt/strictmx/sbin/strictmxd", "-d"],
        os.path.join(lab.logs, "strictmxd.log"),
        namespace.sanitizer_environment())
    process.wait_until("answers", answers)
    return process


def answers():
    try:
        return ask_once("user@[127.0.0.1]")[0] == "proceed"
    except (OSError, RuntimeError):
        return False
