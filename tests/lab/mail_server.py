# SPDX-License-Identifier: ISC
"""OpenSMTPD with strictmx as its filter, and as its relay if wanted, and
strictmx's configuration."""
import os
import shutil
import socket

from mailer import PORT, UNFILTERED
from namespace import sanitizer_environment, write
from process import Process, running, wait_for

DEADLINE_S = 5
STATE = "/var/lib/strictmx"
QUERY_SOCKET = "/run/strictmx/query.sock"
FILTER = "/usr/libexec/opensmtpd/filter-strictmx"
PROGRAMS = ("filter-strictmx", "strictmxd")

# The lab's: private network, own authority, short deadline.
STRICTMX_CONF = {
    "resolver": "127.0.0.1",
    "hostname": "mta.lab.test",
    "state-dir": STATE,
    "socket": QUERY_SOCKET,
    "allow-internal": "yes",
    "local-domains": "{local.test}",
    "deadline": DEADLINE_S,
    "dnssec-test-good": "ns.test",
    "dnssec-test-bad": "x.broken.test",
    "log-level": "debug",
}

SMTPD_CONF = """
filter strictmx proc-exec "{command}" user strictmx group strictmx
listen on 127.0.0.1 port {port} filter strictmx
listen on socket filter strictmx
mta limit conn-delay-route 0 conn-delay-relay 0 reconn-delay-route 0
action "out" relay
match from any for any action "out"
"""

RELAY_PORT = 10050
RELAY_ADDRESSES = ["127.8.0.%d" % n for n in range(1, 65)]
# As users have it; read before the lab's mounts may hide it.
with open(os.path.join(os.path.dirname(__file__),
                       "../../contrib/smtpd.strictmx.conf"),
          encoding="ascii") as example:
    RELAY_CONF = example.read()

# The second listener is for mail that the filter would refuse; "here.test" is
# local, with aliases and a .forward that lead elsewhere.
RELAYED_CONF = """
include "/etc/smtpd.strictmx.conf"
table here {{ {aliases} }}
filter strictmx proc-exec "{command}" user strictmx group strictmx
listen on 127.0.0.1 port {port} filter strictmx
listen on 127.0.0.1 port {unfiltered}
listen on socket filter strictmx
action "here" forward-only alias <here>
action "out" relay host <strictmx>
match from any for domain "here.test" action "here"
match from any for any action "out"
"""


def configure(ca_file, **settings):
    """settings: other keys and other values, with "_" for "-"; relay: those of
    the section, if there is to be one."""
    os.makedirs("/etc/ssl/certs", exist_ok=True)    # smtpd 7.x wants it
    shutil.copy(ca_file, "/etc/ssl/certs/ca-certificates.crt")
    keys = {**STRICTMX_CONF, "ca-file": ca_file}
    keys.update((key.replace("_", "-"), value)
                for key, value in settings.items())
    relay = keys.pop("relay", None)
    text = "".join("%s = %s\n" % key for key in keys.items())
    if relay is not None:
        text += "relay {\n%s}\n" % "".join(
            "    %s = %s\n" % key for key in relay.items())
    write("/opt/strictmx/etc/strictmx.conf", text)


class MailServer:
    def __init__(self, logs):
        self.log = os.path.join(logs, "smtpd.log")
        self.process = None
        self.aliases = {}           # in here.test, when mail is relayed

    def start(self, options="", before="", relayed=False):
        """options: those of filter-strictmx; before: a command that runs it,
        such as env(1); relayed: mail goes out through strictmxd's relay."""
        write("/etc/smtpd.strictmx.conf", RELAY_CONF)
        write("/etc/smtpd.conf", (RELAYED_CONF if relayed else SMTPD_CONF)
              .format(command=" ".join([before, FILTER, options]).strip(),
                      port=PORT, unfiltered=UNFILTERED,
                      aliases=pairs({"nobody": "nobody", **self.aliases})))
        self.process = Process(
            "smtpd", ["/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf"],
            self.log, sanitizer_environment())
        self.process.wait_until("greets", greets)

    def logged(self, *words):
        """Whether one line of the log holds all the words."""
        return any(all(word in line for word in words)
                   for line in self.process.text().splitlines())

    def stop(self):
        """Ends the server, and sees that its filter ends with it."""
        self.process.stop()
        wait_for("end of filter and engine", lambda: not leftovers(), 5)


def pairs(table):
    return ", ".join('"%s" = "%s"' % pair for pair in table.items())


def greets():
    try:
        with socket.create_connection(("127.0.0.1", PORT), 5) as sock:
            return sock.recv(100).startswith(b"220")
    except OSError:
        return False


def leftovers():
    return [pid for name in PROGRAMS for pid in running(name)]
