# SPDX-License-Identifier: ISC
"""A resolver that stands before the real one and spoils its answers, over TCP
as strictmx asks."""
import random
import socket
import socketserver
import struct

from sinks import Listener
from zones import RESOLVER

ADDRESS = "127.0.0.7"
HEADER = 12
RCODES = {"FORMERR": 1, "SERVFAIL": 2, "NOTIMP": 4, "REFUSED": 5}
FAULTS = [*RCODES, "header only", "garbage", "records cut short",
          "trailing octets", "other question", "other type", "question echoed",
          "NXDOMAIN with an answer", "BADVERS", "two octets", "other id",
          "truncated", "closes", "nothing"]
# Not a fault of the answer itself: a resolver that does not validate.
NO_DNSSEC = "no AD bit"


def question_end(message):
    """Where the question section ends; it has one question."""
    at = HEADER
    while message[at] != 0:
        at += message[at] + 1
    return at + 5


def with_flags(message, clear, set_):
    flags, = struct.unpack(">H", message[2:4])
    return message[:2] + struct.pack(">H", flags & ~clear | set_) + message[4:]


def bare(message):
    """Header and question of an answer."""
    return message[:4] + struct.pack(">HHHH", 1, 0, 0, 0) + \
        message[HEADER:question_end(message)]


def spoil(fault, query, answer):
    """The answer that is given instead; None: none."""
    end = question_end(answer)
    if fault == NO_DNSSEC:
        return with_flags(answer, 0x20, 0)
    if fault in RCODES:
        return with_flags(bare(answer), 0xf, RCODES[fault])
    if fault == "header only":
        return with_flags(answer[:4] + bytes(8), 0xf, 0)
    if fault == "garbage":
        return bare(answer)[:6] + struct.pack(">H", 5) + \
            bare(answer)[8:] + random.Random(1).randbytes(200)
    if fault == "records cut short":
        return answer[:-3]
    if fault == "trailing octets":
        return answer + b"\0\0\0"
    if fault == "other question":
        return answer[:HEADER + 1] + bytes([answer[HEADER + 1] ^ 1]) + \
            answer[HEADER + 2:]
    if fault == "other type":
        return answer[:end - 4] + struct.pack(">H", 99) + answer[end - 2:]
    if fault == "question echoed":
        return query
    if fault == "NXDOMAIN with an answer":
        record = struct.pack(">HHHIH", 0xc00c, 1, 1, 60, 4) + b"\x7f\1\1\1"
        return with_flags(bare(answer)[:6] + struct.pack(">H", 1) +
                          bare(answer)[8:] + record, 0xf, 3)
    if fault == "BADVERS":
        opt = b"\0" + struct.pack(">HHIH", 41, 1232, 1 << 24, 0)
        return with_flags(bare(answer)[:10] + struct.pack(">H", 1) +
                          bare(answer)[12:] + opt, 0xf, 0)
    if fault == "two octets":
        return answer[:2]
    if fault == "other id":
        return bytes([answer[0] ^ 1]) + answer[1:]
    if fault == "truncated":
        return with_flags(bare(answer), 0xf, 0x200)
    return None


class Connection(socketserver.BaseRequestHandler):
    resolver = None

    def handle(self):
        self.request.settimeout(120)
        with self.request.makefile("rb") as file, \
                socket.create_connection((RESOLVER, 53), 30) as real, \
                real.makefile("rb") as real_file:
            while True:
                query = read_message(file)
                if query is None or self.resolver.fault == "closes":
                    return
                real.sendall(struct.pack(">H", len(query)) + query)
                answer = read_message(real_file)
                if answer is None:
                    return
                self.resolver.asked += 1
                if self.resolver.fault:
                    answer = spoil(self.resolver.fault, query, answer)
                if answer is not None:
                    self.request.sendall(
                        struct.pack(">H", len(answer)) + answer)


def read_message(file):
    size = file.read(2)
    if len(size) < 2:
        return None
    return file.read(*struct.unpack(">H", size))


class BadResolver:
    """fault: one of FAULTS, or None for true answers."""

    def __init__(self):
        self.fault = None
        self.asked = 0

        class Handler(Connection):
            resolver = self
        self.listener = Listener(ADDRESS, 53, Handler)

    def close(self):
        self.listener.close()
