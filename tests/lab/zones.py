# SPDX-License-Identifier: ISC
"""DNS of the lab: knotd serves a signed private root and "test." below it,
unbound validates with that root as its anchor, as on a host with DNSSEC.

"broken.test." is bogus (the parent's DS fits no key) and "dead.test." is
delegated to a server that does not answer: a CNAME into one of them makes a
name whose look-up fails. "lapsed.test." is signed, and its signatures expire
after LAPSE_S seconds, for good.

"stripped.test." has a server of its own, so that somebody can stand before it
and take records away or break their signatures.
"nsec3.test." and "optout.test." deny by NSEC3, the second with opt-out and an
unsigned zone "child.optout.test." below it; "nods.test." is signed, but its
parent has no DS for it, so it is as unsigned.
"""
import os
import socket
import struct
import subprocess

from namespace import libraries, write
from process import Process, wait_for

RESOLVER = "127.0.0.1"
SERVER = "127.0.0.53"
# The name server of "stripped.test." as others see it, and the real one.
STRIPPER, STRIPPED = "127.0.0.54", "127.0.0.55"
SOA = "@ 2 SOA ns.test. admin.test. 1 3600 600 86400 2\n"
NS = "@ 2 NS ns.test.\n"
LAPSE_S = 20
# Each with the policy of its signing, "" for none, and a DS in its parent.
ZONES = {"test.": ("lab", True), "nsec3.test.": ("nsec3", True),
         "optout.test.": ("optout", True), "child.optout.test.": ("", False),
         "nods.test.": ("lab", False), "lapsed.test.": ("lapsing", True),
         "stripped.test.": ("lab", True)}
TYPES = {"A": 1, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "TLSA": 52}
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
  - id: nsec3
    manual: on
    nsec3: on
  - id: optout
    manual: on
    nsec3: on
    nsec3-opt-out: on
  - id: lapsing
    manual: on
    rrsig-lifetime: {2}
    rrsig-refresh: 6
    rrsig-pre-refresh: 1
    propagation-delay: 1
    zone-max-ttl: 2
    dnskey-ttl: 2
template:
  - id: default
    storage: {0}
    zonefile-sync: -1
zone:
"""

ROOT_CONF = """
  - domain: .
    file: root.zone
    dnssec-signing: on
    dnssec-policy: lab
  - domain: broken.test.
    file: broken.zone
"""

ZONE_CONF = """  - domain: {0}
    file: {0}zone
"""
SIGNING_CONF = """    dnssec-signing: on
    dnssec-policy: {0}
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
    val-sig-skew-min: 0
    val-sig-skew-max: 0
    local-zone: "test." nodefault
    local-zone: "127.in-addr.arpa." nodefault
    local-zone: "d.f.ip6.arpa." nodefault
remote-control:
    control-enable: no
"""


class Dns:
    """records: lines of "test." and the zones below it, names in full."""

    def __init__(self, daemons, directory, logs, records):
        self.daemons = daemons
        self.directory = directory
        self.logs = logs
        self.libraries = {"LD_LIBRARY_PATH": libraries("daemons")}
        os.makedirs(directory + "/stripped")
        self.write("knot.conf", self.knot_conf(SERVER))
        self.write("stripped/knot.conf", self.knot_conf(STRIPPED))
        for zone in (".", *ZONES):
            if zone == "." or ZONES[zone][0]:
                self.keymgr(zone, "generate", "algorithm=ecdsap256sha256",
                            "ksk=yes", "zsk=yes")
        self.write_zones(records)
        self.write("root.hints", ". 60 NS ns.test.\nns.test. 60 A %s\n"
                   % SERVER)
        self.write("root.anchor", self.ds("."))
        self.write("unbound.conf", UNBOUND_CONF.format(
            resolver=RESOLVER, directory=directory))

    def knot_conf(self, server):
        directory = self.directory + (
            "" if server == SERVER else "/stripped")
        text = KNOT_CONF.format(directory, server, LAPSE_S)
        text += ROOT_CONF if server == SERVER else ""
        for zone, (policy, _) in ZONES.items():
            if server_of(zone) != server:
                continue
            text += ZONE_CONF.format(zone)
            if policy:
                text += SIGNING_CONF.format(policy)
        return text

    def write(self, name, text):
        write(os.path.join(self.directory, name), text)

    def program(self, name):
        return os.path.join(self.daemons, "usr/sbin", name)

    def conf(self, server):
        return self.directory + (
            "/knot.conf" if server == SERVER else "/stripped/knot.conf")

    def command(self, name, *argv, server=SERVER):
        done = subprocess.run(
            [self.program(name), "-c", self.conf(server), *argv],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, **self.libraries})
        if done.returncode != 0:
            raise RuntimeError("%s %s: %s" % (name, " ".join(argv),
                                              done.stdout))
        return done.stdout

    def keymgr(self, zone, *argv):
        return self.command("keymgr", zone, *argv, server=server_of(zone))

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
        of_zone = {zone: [] for zone in ZONES}
        for line in records:
            of_zone[zone_of(line.split()[0])].append(line)
        for zone, lines in of_zone.items():
            where = "" if server_of(zone) == SERVER else "stripped/"
            self.write(where + zone + "zone", "$ORIGIN %s\n$TTL 2\n" % zone + SOA +
                       name_server(zone) + self.delegations(zone) +
                       "".join(line + "\n" for line in lines))
        self.write("broken.zone", "$ORIGIN broken.test.\n$TTL 2\n" + SOA +
                   NS + "* TXT \"unsigned\"\n* A 127.0.0.98\n")

    def delegations(self, zone):
        """To the zones right below, and what only "test." has."""
        text = ""
        for child, (_, has_ds) in ZONES.items():
            if child.partition(".")[2] == zone:
                text += name_server(child)
                text += self.ds(child) if has_ds else ""
        if zone != "test.":
            return text
        return text + ("ns.test. 2 A %s\n" % SERVER +
                       "broken.test. NS ns.test.\n"
                       "broken.test. DS 1 13 2 %s\n" % ("00" * 32) +
                       "dead.test. NS ns.dead.test.\n"
                       "ns.dead.test. A 127.0.0.99\n")

    def start(self):
        self.knot, self.other_knot = [
            Process("knotd", [self.program("knotd"), "-c", self.conf(server)],
                    os.path.join(self.logs, name), self.libraries)
            for server, name in ((SERVER, "knotd.log"),
                                 (STRIPPED, "knotd-stripped.log"))]
        self.knot.wait_until("answers", lambda: query(
            "test.", "SOA", SERVER).rcode == NOERROR)
        self.other_knot.wait_until("answers", lambda: query(
            "stripped.test.", "SOA", STRIPPED).rcode == NOERROR)
        # Nobody signs it again: its signatures will expire.
        self.command("knotc", "zone-freeze", "lapsed.test.")
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

    def change(self, *changes):
        self.command("knotc", "zone-begin", "test.")
        for verb, *argv in changes:
            self.command("knotc", verb, "test.", *argv)
        self.command("knotc", "zone-commit", "test.")

    def replace(self, name, kind, value):
        """Another record set, of one record; caches keep the old one for up to
        2 s."""
        self.change(("zone-unset", name, kind),
                    ("zone-set", name, "2", kind, value))

    def remove(self, name, kind):
        """Takes a record set out of "test." and waits until it is gone."""
        self.change(("zone-unset", name, kind))
        wait_for("%s %s gone from DNS" % (name, kind),
                 lambda: query(name, kind).rcode == NXDOMAIN)


def server_of(zone):
    return STRIPPED if zone == "stripped.test." else SERVER


def name_server(zone):
    """NS of a zone, with its address when that is another one."""
    if zone != "stripped.test.":
        return "%s 2 NS ns.test.\n" % zone
    return "%s 2 NS ns.%s\nns.%s 2 A %s\n" % (zone, zone, zone, STRIPPER)


def zone_of(name):
    """The zone that a name is in."""
    return max((zone for zone in ZONES
                if name == zone or name.endswith("." + zone)), key=len)


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
