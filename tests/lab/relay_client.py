# SPDX-License-Identifier: ISC
"""Speaks to the relay as a mail server would, octet by octet."""
import socket

from mail_server import RELAY_ADDRESSES, RELAY_PORT


class RelayClient:
    def __init__(self, address=RELAY_ADDRESSES[0], seconds=60):
        self.sock = socket.create_connection((address, RELAY_PORT), seconds)
        self.file = self.sock.makefile("rb")
        self.expect(220)
        self.extensions = self.say("EHLO client.lab.test", 250).splitlines()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()

    def send(self, octets):
        self.sock.sendall(octets)

    def reply(self):
        """All of its lines."""
        lines = []
        while not lines or lines[-1][3:4] == "-":
            line = self.file.readline().decode("utf-8", "replace").rstrip()
            if not line:
                raise RuntimeError("the relay hangs up after '%s'" % lines)
            lines.append(line)
        return "\n".join(lines)

    def expect(self, code):
        got = self.reply()
        if not got.startswith(str(code)):
            raise RuntimeError("%s wanted: %s" % (code, got))
        return got

    def say(self, command, code=""):
        """The reply, which must begin with the code."""
        self.send(command.encode() + b"\r\n")
        return self.expect(code)

    def envelope(self, recipient, sender, parameters=""):
        """The reply to RCPT."""
        self.say("MAIL FROM:<%s>%s" % (sender, parameters), 250)
        return self.say("RCPT TO:<%s>" % recipient)

    def deliver(self, recipient, sender, octets, parameters=""):
        """The reply to the final dot of a message that ends without it."""
        got = self.envelope(recipient, sender, parameters)
        if not got.startswith("250"):
            raise RuntimeError(got)
        self.say("DATA", 354)
        self.send(octets + b".\r\n")
        return self.reply()
