#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: ISC
"""strictmx tlsa, on chains made by openssl(1) and a DNS server that says what
a test wants."""
import hashlib
import os
import socketserver
import struct
import subprocess
import tempfile
import threading

from tool import run, strictmx

MX = "mx1.example.com"
NAME = "_25._tcp." + MX
A, TLSA, AAAA = 1, 52, 28


def openssl(*argv, **more):
    return subprocess.run(["openssl", *argv], check=True, **more,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


class Certificates:
    """leaf, signed by sub, signed by root; alone is self-signed."""

    def __init__(self, directory):
        self.directory = directory
        with open(self.path("config"), "w", encoding="ascii") as file:
            file.write("[req]\ndistinguished_name = none\n[none]\n")
        self.make("root", None, "basicConstraints=critical,CA:TRUE")
        self.make("sub", "root", "basicConstraints=critical,CA:TRUE")
        self.make("leaf", "sub", "subjectAltName=DNS:" + MX, days=90)
        self.make("other", "sub", "subjectAltName=DNS:elsewhere.example")
        self.make("alone", None, "subjectAltName=DNS:elsewhere.example")
        self.chain("chain.pem", "leaf", "sub")
        self.chain("wrong.pem", "other", "sub")

    def path(self, name):
        return os.path.join(self.directory, name)

    def make(self, name, issuer, *extensions, days=10):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-out", self.path(name + ".key"))
        argv = ["req", "-x509", "-new", "-config", self.path("config"),
                "-days", str(days), "-subj", "/CN=" + name, "-key",
                self.path(name + ".key"), "-out", self.path(name + ".pem")]
        for extension in extensions:
            argv += ["-addext", extension]
        if issuer:
            argv += ["-CA", self.path(issuer + ".pem"),
                     "-CAkey", self.path(issuer + ".key")]
        openssl(*argv)

    def chain(self, name, *parts):
        with open(self.path(name), "wb") as out:
            for part in parts:
                with open(self.path(part + ".pem"), "rb") as file:
                    out.write(file.read())

    def key_digest(self, name):
        """SHA-256 of the public key, as openssl has it."""
        der = openssl("pkey", "-in", self.path(name + ".key"), "-pubout",
                      "-outform", "DER")
        return hashlib.sha256(der).digest()


class Dns(socketserver.ThreadingTCPServer):
    """answers: (name, type): (list of rdata, proved by DNSSEC); None: the
    server fails. What is not said of has no data, and that is proved."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Question)
        self.answers = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]


class Question(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            head = self.rfile.read(2)
            if len(head) < 2:
                return
            query = self.rfile.read(struct.unpack(">H", head)[0])
            end = query.index(b"\0", 12) + 5
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode())
                at += 1 + query[at]
            kind = struct.unpack(">H", query[end - 4:end - 2])[0]
            answer = self.server.answers.get((".".join(labels).lower(), kind),
                                             ([], True))
            self.say(query, query[12:end], kind, answer)

    def say(self, query, question, kind, answer):
        rdatas, secure = ([], False) if answer is None else answer
        flags = 0x8180 | (0x20 if secure else 0) | (2 if answer is None else 0)
        packet = query[:2] + struct.pack(">HHHHH", flags, 1, len(rdatas), 0, 0)
        packet += question
        for rdata in rdatas:
            packet += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60,
                                                len(rdata)) + rdata
        self.wfile.write(struct.pack(">H", len(packet)) + packet)


def record(usage, selector, mtype, data):
    return bytes([usage, selector, mtype]) + data


def publish(*records, secure=True, host_secure=True):
    DNS.answers = {(MX, A): ([bytes([192, 0, 2, 1])], host_secure),
                   (MX, AAAA): ([], host_secure),
                   (NAME, TLSA): (list(records), secure)}


def tlsa(chain, *argv, host=MX):
    return strictmx("tlsa", "--config", CONFIG, "--cert", MADE.path(chain),
                    *argv, host)


def fitting_records_are_printed_for_each_certificate():
    result = tlsa("chain.pem", "--offline")
    assert result.status == 0, result
    assert result.out == "%s. IN TLSA 3 1 1 %s\n%s. IN TLSA 2 1 1 %s\n" % (
        NAME, MADE.key_digest("leaf").hex(), NAME,
        MADE.key_digest("sub").hex()), result
    result = tlsa("alone.pem", "--offline", "--port", "587")
    assert result.out == "_587._tcp.%s. IN TLSA 3 1 1 %s\n" % (
        MX, MADE.key_digest("alone").hex()), result


def published_records_that_match_are_good():
    publish(record(3, 1, 1, MADE.key_digest("leaf")),
            record(3, 1, 1, b"x" * 32))
    result = tlsa("chain.pem")
    assert result.status == 0, result
    assert "3 1 1 %s: matches\n" % MADE.key_digest("leaf").hex() in result.out
    assert "3 1 1 %s: does not match\n" % ("78" * 32) in result.out, result
    assert "accept these certificates" in result.out, result
    assert "warning" not in result.out, result


def what_tlsa_prints_is_what_fits():
    for chain, part in (("chain.pem", "leaf"), ("alone.pem", "alone")):
        publish(record(3, 1, 1, MADE.key_digest(part)))
        assert tlsa(chain).status == 0
    publish(record(2, 1, 1, MADE.key_digest("sub")))
    assert tlsa("chain.pem").status == 0


def records_that_do_not_match_are_bad():
    publish(record(3, 1, 1, b"x" * 32))
    result = tlsa("chain.pem")
    assert result.status == 1, result
    assert "certificate matches none of the TLSA records" in result.out


def usage_2_looks_at_names():
    publish(record(2, 1, 1, MADE.key_digest("sub")))
    result = tlsa("wrong.pem")
    assert result.status == 1, result
    assert "does not list this name" in result.out, result
    publish(record(3, 1, 1, MADE.key_digest("other")))
    assert tlsa("wrong.pem").status == 0


def records_that_cannot_be_used_are_told():
    publish(record(1, 1, 1, MADE.key_digest("leaf")))
    result = tlsa("chain.pem")
    assert result.status == 1, result
    assert ": has usage 1, which is not for SMTP\n" in result.out, result
    assert "senders only encrypt" in result.out, result
    assert "warning: a record cannot be used with SMTP" in result.out


def one_record_for_a_certificate_that_expires_soon_is_warned_of():
    publish(record(3, 1, 1, MADE.key_digest("alone")))
    result = tlsa("alone.pem")
    assert result.status == 0, result
    assert "warning: one record only, and the certificate expires" in \
        result.out, result
    publish(record(3, 1, 1, MADE.key_digest("leaf")))
    assert "warning" not in tlsa("chain.pem").out


def what_dnssec_does_not_prove_is_not_there():
    good = record(3, 1, 1, MADE.key_digest("leaf"))
    publish(good, secure=False)
    result = tlsa("chain.pem")
    assert result.status == 1 and "nothing is published that" in result.out
    publish(good, host_secure=False)
    result = tlsa("chain.pem")
    assert result.status == 1 and "the addresses of the host" in result.out
    publish()
    assert tlsa("chain.pem").status == 1


def what_cannot_be_looked_up_is_unknown():
    publish()
    DNS.answers[NAME, TLSA] = None
    result = tlsa("chain.pem")
    assert result.status == 3 and "cannot be looked up" in result.out, result


def json_has_all_of_it():
    publish(record(3, 1, 1, MADE.key_digest("leaf")),
            record(0, 1, 1, b"x" * 32))
    j = tlsa("chain.pem", "--json").json
    digest = MADE.key_digest("leaf").hex()
    assert j["name"] == NAME and j["state"] == "usable", j
    assert j["records"] == ["3 1 1 " + digest,
                            "2 1 1 " + MADE.key_digest("sub").hex()], j
    assert {"record": "3 1 1 " + digest, "word": "matches"} in j["published"]
    assert len(j["published"]) == 2 and j["warning"], j
    j = tlsa("chain.pem", "--json", "--offline").json
    assert j["published"] == [] and j["state"] is None, j


def wrong_calls_are_told():
    assert strictmx("tlsa", MX).status == 2
    assert tlsa("chain.pem", "--port", "0").status == 2
    assert tlsa("chain.pem", host="a..b").status == 2
    assert tlsa("config").status == 2
    assert tlsa("nothing-there.pem").status == 2
    assert tlsa("chain.pem", host="a" * 60 + (".%s" % ("a" * 60)) * 3 +
                ".example").status == 2


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        MADE = Certificates(directory)
        DNS = Dns()
        CONFIG = os.path.join(directory, "strictmx.conf")
        with open(CONFIG, "w", encoding="ascii") as file:
            file.write('resolver = "127.0.0.1:%d"\n' % DNS.port)
        run([fitting_records_are_printed_for_each_certificate,
             published_records_that_match_are_good,
             what_tlsa_prints_is_what_fits,
             records_that_do_not_match_are_bad,
             usage_2_looks_at_names,
             records_that_cannot_be_used_are_told,
             one_record_for_a_certificate_that_expires_soon_is_warned_of,
             what_dnssec_does_not_prove_is_not_there,
             what_cannot_be_looked_up_is_unknown,
             json_has_all_of_it,
             wrong_calls_are_told])
