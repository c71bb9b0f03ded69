# SPDX-License-Identifier: ISC
"""Hosts that go wrong at one step: mail hosts that flood or fall silent, web
servers that accept and never answer."""
import socket
import socketserver

import certificates
from bad_destinations import TARPITS, tarpit_address
from sinks import Listener, tls_context

MEGABYTE = 1 << 20
LINES = 100000
PATIENCE_S = 120        # that we wait for the other side to leave


class CrookedSession(socketserver.BaseRequestHandler):
    """A mail host that does as it should until its step comes. A subclass
    says which."""
    host = step = fault = tls = None

    def handle(self):
        self.request.settimeout(PATIENCE_S)
        try:
            self.play()
        except OSError:
            pass            # the client had enough

    def play(self):
        if not self.reply("banner", "220", "mx ESMTP"):
            return
        self.await_line()
        if not self.reply("ehlo", "250", self.host, "STARTTLS"):
            return
        self.await_line()
        if not self.reply("starttls", "220", "go ahead"):
            return
        if self.step in ("after-220", "handshake"):
            self.go_wrong("")
            return
        self.request = self.tls.wrap_socket(self.request, server_side=True)
        self.await_line()
        if self.reply("tls-ehlo", "250", self.host):
            self.await_line()

    def reply(self, step, code, *lines):
        """False when it went wrong, as it was to."""
        if step == self.step:
            self.go_wrong(code)
            return False
        if self.step == "after-220" and step == "starttls":
            self.send("220 go ahead\r\n" + "x" * MEGABYTE)
            return False
        self.send("".join("%s%s%s\r\n" % (
            code, " " if line is lines[-1] else "-", line) for line in lines))
        return True

    def go_wrong(self, code):
        if self.fault == "megabyte":
            self.send(code + "-" + "x" * MEGABYTE + "\r\n")
        elif self.fault == "lines":
            self.send((code + "-X\r\n") * LINES + code + " X\r\n")
        elif self.fault == "octets":
            self.send(bytes(range(256)) * 64)
        while self.request.recv(65536):
            pass            # silence

    def send(self, text):
        self.request.sendall(text if isinstance(text, bytes)
                             else text.encode())

    def await_line(self):
        while not self.request.recv(4096).endswith(b"\n"):
            pass


def listen(authority, destination, how):
    """Serves the one MX of a destination; how: its step and fault."""
    mx = destination.mx[0]
    context = tls_context(authority, certificates.good(mx.host))

    class Handler(CrookedSession):
        host = mx.host
        step, fault = how
        tls = context
    return Listener(mx.address, 25, Handler)


class Tarpits:
    """The policy hosts of all tarpit domains: the kernel accepts for them,
    and nobody ever reads."""

    def __init__(self):
        self.sockets = []
        for n in range(TARPITS):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((tarpit_address(n), 443))
            sock.listen(64)
            self.sockets.append(sock)

    def close(self):
        for sock in self.sockets:
            sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def is_held(n):
    """Whether a connection to the policy host of that tarpit stands."""
    wanted = "%02X00057F:01BB" % (n + 1)
    with open("/proc/net/tcp", encoding="ascii") as file:
        return any(line.split()[2] == wanted for line in file)
