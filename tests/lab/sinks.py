# SPDX-License-Identifier: ISC
"""The MX hosts: SMTP servers that keep what they are given.

Each MX of each destination has an address of its own, so that a certificate
or a fault belongs to one destination. The good certificate is only shown to a
client that sends the MX's name as SNI, as RFC 8461 4.1 wants of us.
"""
import itertools
import re
import socket
import socketserver
import ssl
import threading
from dataclasses import dataclass

import certificates

# Shown to a client that does not send the right SNI.
STRANGER = certificates.self_signed("stranger.test")


@dataclass(frozen=True)
class Message:
    """What a sink has received, one per recipient."""
    subject: str
    sender: str
    recipient: str
    mx: str
    tls: bool
    text: bytes             # as it came, the final dot left out
    session: int            # the same number: over the same connection


@dataclass(frozen=True)
class Asked:
    """That a sink was asked to take mail for a recipient."""
    sender: str
    recipient: str
    mx: str
    tls: bool


class Sinks:
    def __init__(self, authority):
        self.authority = authority
        self.lock = threading.Lock()
        self.messages = []
        self.heard = []         # (mx, verb) of every command
        self.watchers = {}      # called with a verb that an mx hears
        self.recipients = []
        self.sessions = itertools.count(1)

    def listen(self, mx):
        """Serves mx, see destinations.Mx, until close()."""
        certificate = mx.certificate or certificates.good(mx.host)
        context = tls_context(self.authority, certificate)
        stranger = tls_context(self.authority, STRANGER)
        if mx.starttls == "tls1.1":
            only_tls11(stranger)
        stranger.sni_callback = choose_by_name({mx.host: context})

        class Handler(Session):
            sinks = self
            host = mx.host
            starttls = mx.starttls
            offers = mx.offers
            tls = stranger
        return Listener(mx.address, 25, Handler)

    def hear(self, mx, verb):
        with self.lock:
            self.heard.append((mx, verb))
        if mx in self.watchers:
            self.watchers[mx](verb)

    def has_heard(self, mx, verb):
        with self.lock:
            return (mx, verb) in self.heard

    def keep(self, message):
        with self.lock:
            self.messages.append(message)

    def received(self, wanted):
        """The messages so far for which wanted(message) is true."""
        with self.lock:
            return [m for m in self.messages if wanted(m)]

    def ask(self, asked):
        with self.lock:
            self.recipients.append(asked)

    def asked(self, wanted):
        """The RCPT commands so far for which wanted(Asked) is true."""
        with self.lock:
            return [a for a in self.recipients if wanted(a)]


def tls_context(authority, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.file(certificate), authority.key)
    return context


def only_tls11(context):
    version = ssl.TLSVersion.TLSv1_1
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")


def choose_by_name(contexts):
    def choose(tls, name, _):
        if name in contexts:
            tls.context = contexts[name]
    return choose


class Listener(socketserver.ThreadingTCPServer):
    """A server on one address, IPv4 or IPv6, until close()."""
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address, port, handler):
        if ":" in address:
            self.address_family = socket.AF_INET6
        super().__init__((address, port), handler)
        threading.Thread(target=self.serve_forever, args=(0.1,),
                         daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """A client that goes away is no news."""


class Session(socketserver.BaseRequestHandler):
    """One SMTP session; a subclass says for which MX."""
    sinks = host = starttls = tls = None
    offers = ("8BITMIME",)

    def handle(self):
        self.request.settimeout(60)
        self.secure = False
        self.number = next(self.sinks.sessions)
        self.input = bytearray()
        self.reset()
        if self.greet() == "end":
            return
        while True:
            line = self.read_to(b"\n")
            if line is None:
                return
            verb, _, argument = line.decode("utf-8", "replace").strip() \
                .partition(" ")
            self.sinks.hear(self.host, verb.upper())
            if self.obey(verb.lower(), argument) == "end":
                return

    def greet(self):
        self.reply("220 %s ESMTP" % self.host)

    def obey(self, verb, argument):
        command = getattr(self, "do_" + verb, None)
        if command is None:
            return self.reply("502 5.5.1 unknown command")
        return command(argument)

    def read_to(self, end):
        """What comes up to end, with it; None: the client went before."""
        looked_at = 0
        while True:
            found = self.input.find(end, looked_at)
            if found != -1:
                break
            looked_at = max(0, len(self.input) - len(end))
            part = self.request.recv(65536)
            if not part:
                return None
            self.input += part
        got = bytes(self.input[:found + len(end)])
        del self.input[:len(got)]
        return got

    def reset(self):
        self.sender = None
        self.recipients = []

    def reply(self, *lines):
        text = "".join(line + "\r\n" for line in lines)
        self.request.sendall(text.encode())

    def do_ehlo(self, _):
        lines = [self.host, *self.offers]
        if self.starttls != "no" and not self.secure:
            lines.append("STARTTLS")
        self.reply(*["250-" + line for line in lines], "250 SIZE")

    def do_helo(self, _):
        self.reply("250 " + self.host)

    def do_starttls(self, _):
        if self.starttls == "454":
            self.reply("454 4.7.0 TLS not available")
            return
        if self.starttls == "inject":
            self.reply("220 2.0.0 go ahead", "250 not encrypted")
            return
        self.reply("220 2.0.0 go ahead")
        if self.starttls == "close" or self.input:  # it did not wait for 220
            return "end"
        self.request = self.tls.wrap_socket(self.request, server_side=True)
        self.secure = True
        self.reset()

    def do_mail(self, argument):
        self.sender = address_in(argument)
        self.reply("250 2.1.0 ok")

    def do_rcpt(self, argument):
        recipient = address_in(argument)
        self.recipients.append(recipient)
        self.sinks.ask(Asked(self.sender, recipient, self.host, self.secure))
        self.reply("250 2.1.5 ok")

    def do_data(self, _):
        self.reply("354 go ahead")
        text = self.read_text()
        if text is None:
            return "end"
        self.keep(text)
        self.reply("250 2.0.0 kept")

    def read_text(self):
        """All up to CRLF . CRLF; None: the client went before that."""
        self.input[:0] = b"\r\n"     # an empty message begins with the dot
        text = self.read_to(b"\r\n.\r\n")
        return text and text[len(b"\r\n"):-len(b".\r\n")]

    def keep(self, text):
        for recipient in self.recipients:
            self.sinks.keep(Message(subject_of(text), self.sender, recipient,
                                    self.host, self.secure, text, self.number))
        self.reset()

    def do_rset(self, _):
        self.reset()
        self.reply("250 2.0.0 ok")

    def do_noop(self, _):
        self.reply("250 2.0.0 ok")

    def do_quit(self, _):
        self.reply("221 2.0.0 bye")
        return "end"


def subject_of(text):
    found = re.search(rb"^Subject: (.*)\r$", text, re.MULTILINE)
    return found.group(1).strip().decode("utf-8", "replace") if found else ""


def address_in(argument):
    """The address in "FROM:<a@b> SIZE=1"."""
    return argument.partition("<")[2].partition(">")[0]
