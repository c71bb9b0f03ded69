# SPDX-License-Identifier: ISC
"""OpenSMTPD with strictmx as its filter, and strictmx's configuration."""
import os
import shutil
import socket

from mailer import PORT
from namespace import sanitizer_environment, write
from process import Process, running, wait_for

DEADLINE_S = 5
STATE = "/var/lib/strictmx"
QUERY_SOCKET = "/run/strictmx/query.sock"
FILTER = "/usr/libexec/opensmtpd/filter-strictmx"
PROGRAMS = ("filter-strictmx", "strictmxd")

STRICTMX_CONF = """# The lab's: private network, own authority, short deadline.
resolver = 127.0.0.1
ca-file = {ca_file}
hostname = mta.lab.test
state-dir = {state}
socket = {socket}
allow-internal = yes
local-domains = {{local.test}}
deadline = {deadline}
log-level = debug
"""

SMTPD_CONF = """
filter strictmx proc-exec "{command}" user strictmx group strictmx
listen on 127.0.0.1 port {port} filter strictmx
listen on socket filter strictmx
mta limit conn-delay-route 0 conn-delay-relay 0 reconn-delay-route 0
action "out" relay
match from any for any action "out"
"""


def configure(ca_file, **settings):
    """settings: further keys, with "_" for "-"."""
    os.makedirs("/etc/ssl/certs", exist_ok=True)    # smtpd 7.x wants it
    shutil.copy(ca_file, "/etc/ssl/certs/ca-certificates.crt")
    text = STRICTMX_CONF.format(ca_file=ca_file, state=STATE,
                                socket=QUERY_SOCKET, deadline=DEADLINE_S)
    for key, value in settings.items():
        text += "%s = %s\n" % (key.replace("_", "-"), value)
    write("/opt/strictmx/etc/strictmx.conf", text)


class MailServer:
    def __init__(self, logs):
        self.log = os.path.join(logs, "smtpd.log")
        self.process = None

    def start(self, options=""):
        """options: those of filter-strictmx."""
        write("/etc/smtpd.conf", SMTPD_CONF.format(
            command=(FILTER + " " + options).strip(), port=PORT))
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


def greets():
    try:
        with socket.create_connection(("127.0.0.1", PORT), 5) as sock:
            return sock.recv(100).startswith(b"220")
    except OSError:
        return False


def leftovers():
    return [pid for name in PROGRAMS for pid in running(name)]
