# SPDX-License-Identifier: ISC
"""DNS of the lab: knotd serves a signed private root and "test." below it,
unbound validates with that root as its anchor, as on a host with DNSSEC.

"broken.test." is bogus (the parent's DS fits no key) and "dead.test." is
delegated to a server that does not answer: a CNAME into one of them makes a
name whose look-up fails.
"""
import os
import socket
import struct
import subprocess

from namespace import libraries, write
from process import Process, wait_for

RESOLVER = "127.0.0.1"
SERVER = "127.0.0.53"
SOA = "@ 2 SOA ns.test. admin.test. 1 3600 600 86400 2\n"
NS = "@ 2 NS ns.test.\n"
TYPES = {"A": 1, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28}
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3

KNOT_CONF = """
server:
    rundir: {0}
    user: root
    listen: {1}@53
log:
  - target: stdout
    any: info
database:
    storage: {0}
policy:
  - id: lab
    manual: on
template:
  - id: default
    storage: {0}
    zonefile-sync: -1
zone:
  - domain: .
    file: root.zone
    dnssec-signing: on
    dnssec-policy: lab
  - domain: test.
    file: test.zone
    dnssec-signing: on
    dnssec-policy: lab
  - domain: broken.test.
    file: broken.zone
"""

UNBOUND_CONF = """
server:
    interface: {resolver}
    directory: {directory}
    username: ""
    chroot: ""
    pidfile: ""
    do-daemonize: no
    use-syslog: no
    do-not-query-localhost: no
    incoming-num-tcp: 512
    root-hints: root.hints
    trust-anchor-file: root.anchor
    local-zone: "test." nodefault
    local-zone: "127.in-addr.arpa." nodefault
    local-zone: "d.f.ip6.arpa." nodefault
remote-control:
    control-enable: no
"""


class Dns:
    """records: lines of the zone "test.", names in full."""

    def __init__(self, daemons, directory, logs, records):
        self.daemons = daemons
        self.directory = directory
        self.logs = logs
        self.libraries = {"LD_LIBRARY_PATH": libraries("daemons")}
        os.makedirs(directory)
        self.write("knot.conf", KNOT_CONF.format(directory, SERVER))
        for zone in (".", "test."):
            self.keymgr(zone, "generate", "algorithm=ecdsap256sha256",
                        "ksk=yes", "zsk=yes")
        self.write_zones(records)
        self.write("root.hints", ". 60 NS ns.test.\nns.test. 60 A %s\n"
                   % SERVER)
        self.write("root.anchor", self.ds("."))
        self.write("unbound.conf", UNBOUND_CONF.format(
            resolver=RESOLVER, directory=directory))

    def write(self, name, text):
        write(os.path.join(self.directory, name), text)

    def program(self, name):
        return os.path.join(self.daemons, "usr/sbin", name)

    def command(self, name, *argv):
        done = subprocess.run(
            [self.program(name), "-c", self.directory + "/knot.conf", *argv],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, **self.libraries})
        if done.returncode != 0:
            raise RuntimeError("%s %s: %s" % (name, " ".join(argv),
                                              done.stdout))
        return done.stdout

    def keymgr(self, zone, *argv):
        return self.command("keymgr", zone, *argv)

    def ds(self, zone):
        """The DS record of a zone's key, with SHA-256 (digest type 2)."""
        for line in self.keymgr(zone, "ds").splitlines():
            if line.split()[4] == "2":
                return line + "\n"
        raise RuntimeError("keymgr gave no DS of " + zone)

    def write_zones(self, records):
        glue = "ns.test. 2 A %s\n" % SERVER
        self.write("root.zone", "$ORIGIN .\n$TTL 2\n" + SOA + NS + glue +
                   "test. NS ns.test.\n" + self.ds("test.") +
                   "*.127.in-addr.arpa. PTR sink.test.\n"
                   "*.d.f.ip6.arpa. PTR sink.test.\n")
        self.write("test.zone", "$ORIGIN test.\n$TTL 2\n" + SOA + NS + glue +
                   "broken.test. NS ns.test.\n"
                   "broken.test. DS 1 13 2 %s\n" % ("00" * 32) +
                   "dead.test. NS ns.dead.test.\n"
                   "ns.dead.test. A 127.0.0.99\n" +
                   "".join(line + "\n" for line in records))
        self.write("broken.zone", "$ORIGIN broken.test.\n$TTL 2\n" + SOA +
                   NS + "* TXT \"unsigned\"\n* A 127.0.0.98\n")

    def start(self):
        self.knot = Process(
            "knotd", [self.program("knotd"), "-c",
                      self.directory + "/knot.conf"],
            os.path.join(self.logs, "knotd.log"), self.libraries)
        self.knot.wait_until("answers", lambda: query(
            "test.", "SOA", SERVER).rcode == NOERROR)
        self.unbound = Process(
            "unbound", [self.program("unbound"), "-d", "-c",
                        self.directory + "/unbound.conf"],
            os.path.join(self.logs, "unbound.log"), self.libraries)
        self.unbound.wait_until("answers", self.validates)

    @staticmethod
    def validates():
        """Secure where it is signed, refused where it is bogus."""
        return (query("test.", "SOA").secure and
                query("x.broken.test.", "TXT").rcode == SERVFAIL)

    def remove(self, name, kind):
        """Takes a record set out of "test." and waits until it is gone."""
        self.command("knotc", "zone-begin", "test.")
        self.command("knotc", "zone-unset", "test.", name, kind)
        self.command("knotc", "zone-commit", "test.")
        wait_for("%s %s gone from DNS" % (name, kind),
                 lambda: query(name, kind).rcode == NXDOMAIN)


class Answer:
    def __init__(self, rcode, secure):
        self.rcode = rcode
        self.secure = secure


NO_ANSWER = Answer(None, False)


def query(name, kind, server=RESOLVER):
    """Asks as a stub with the AD bit set (RFC 6840 5.7)."""
    labels = [label.encode() for label in name.strip(".").split(".") if label]
    question = b"".join(bytes([len(label)]) + label for label in labels)
    packet = struct.pack(">HHHHHH", 4711, 0x0120, 1, 0, 0, 0) + question
    packet += b"\0" + struct.pack(">HH", TYPES[kind], 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect((server, 53))
        try:
            sock.send(packet)
            flags = struct.unpack(">H", sock.recv(4096)[2:4])[0]
        except OSError:
            return NO_ANSWER
    return Answer(flags & 0xf, bool(flags & 0x20))
