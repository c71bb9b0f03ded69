# SPDX-License-Identifier: ISC
"""The web servers of mta-sts.DOMAIN, one address each: HTTPS, with the answer,
the certificate and the faults that a destination asks for.
"""
import socketserver
import threading

import certificates
from sinks import STRANGER, Listener, choose_by_name, tls_context

PATH = "/.well-known/mta-sts.txt"


class PolicyHosts:
    def __init__(self, authority):
        self.authority = authority
        self.listeners = {}
        self.serving = {}               # policies by domain, may be changed
        self.end = threading.Event()    # never set: a silent host waits

    def listen(self, domain, policy):
        """Serves policy, see destinations.Policy."""
        name = "mta-sts." + domain
        certificate = policy.certificate or certificates.good(name)
        stranger = tls_context(self.authority, STRANGER)
        stranger.sni_callback = choose_by_name(
            {name: tls_context(self.authority, certificate)})

        class Handler(Request):
            hosts = self
            host = name
            tls = stranger
        Handler.policy = self.serving[domain] = policy
        self.listeners[domain] = Listener(policy.address, 443, Handler)

    def stop(self, domain):
        self.listeners.pop(domain).close()


class Request(socketserver.BaseRequestHandler):
    """One request on one connection; a subclass says of which host."""
    hosts = host = tls = policy = None

    def handle(self):
        self.request.settimeout(120)
        self.request = self.tls.wrap_socket(self.request, server_side=True)
        file = self.request.makefile("rb")
        words = file.readline(4096).decode("ascii", "replace").split()
        named = False
        while True:
            line = file.readline(4096).strip().decode("ascii", "replace")
            if not line:
                break
            key, _, value = line.partition(":")
            if key.lower() == "host":
                named = value.strip() == self.host
        if self.policy.silent:
            self.hosts.end.wait()
        elif words[:2] != ["GET", PATH] or not named:
            self.answer(400, "text/plain", "not what RFC 8461 3.3 asks for\n")
        else:
            self.answer(self.policy.status, self.policy.content_type,
                        self.policy.body, self.policy.headers)

    def answer(self, status, content_type, body, headers=()):
        body = body.encode()
        head = ["HTTP/1.1 %d lab" % status, "Content-Type: " + content_type,
                "Content-Length: %d" % len(body), "Connection: close",
                *headers]
        self.request.sendall("\r\n".join(head + ["", ""]).encode() + body)
