# SPDX-License-Identifier: ISC
"""Postfix as the one who sends: what it is given on a port of its own goes out
by its own SMTP client, which asks strictmxd for the TLS policy of each next
hop."""
import itertools
import os
import re
import smtplib
import subprocess

from mail_hosts import owned
from mailer import SENDER, message
from namespace import INPUTS, libraries, run, write
from process import Process, wait_for

PORT = 2526
MAP_PORT = 8462
MAP_SOCKET = "/run/strictmx/map.sock"
CONFIG = "/etc/postfix-out"
SPOOL = "/var/spool/postfix-out"
MAP = "socketmap:inet:127.0.0.1:%d:" % MAP_PORT
TREE = os.path.join(INPUTS, "postfix")

# An smtp(8) process keeps an answer for as long as it lives, a failure too:
# here for one message, so that the next asks again. It is tried again soon.
MAIN = """
compatibility_level = 3.6
queue_directory = {spool}
data_directory = /var/lib/postfix-out
daemon_directory = {tree}/usr/lib/postfix/sbin
command_directory = {tree}/usr/sbin
shlib_directory = {tree}/usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
import_environment = MAIL_CONFIG, LD_LIBRARY_PATH={libraries}
maillog_file = {log}
maillog_file_prefixes = /var, {inputs}
inet_interfaces = 127.0.0.1
myhostname = out.lab.test
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
minimal_backoff_time = 3s
maximal_backoff_time = 3s
queue_run_delay = 1s
smtp_connect_timeout = 5s
max_use = 1
"""

# What a user takes over, by Postfix's version, read before the lab hides the
# tree: the authority of the lab is where the host's are.
CONTRIB = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir,
                       os.pardir, "contrib/postfix")
MAIN_OF_USER = {}
for _version in ("3.4", "3.10"):
    with open(os.path.join(CONTRIB, "main.cf." + _version),
              encoding="ascii") as _file:
        MAIN_OF_USER[_version] = _file.read()

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
retry unix - - n - - error
error unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

_numbers = itertools.count(1)


class PostfixSender:
    def __init__(self, lab):
        self.logs = lab.logs
        self.log = os.path.join(lab.logs, "postfix-out.log")
        self.values = {
            "tree": TREE, "libraries": libraries("postfix"), "spool": SPOOL,
            "log": self.log, "inputs": INPUTS, "port": PORT}
        self.environment = {"LD_LIBRARY_PATH": self.values["libraries"]}
        self.version = self.postconf("mail_version")
        self.newer = tuple(map(int, self.version.split(".")[:2])) >= (3, 10)
        self.main_of_user = MAIN_OF_USER["3.10" if self.newer else "3.4"]
        self.map = MAP + ("policy-tlsrpt" if self.newer else "policy")
        self.engine = None      # the daemon that it asks
        self.held = set()       # recipients whose mail must not go out

    def postconf(self, name):
        """The default of a parameter."""
        return run("env", *("%s=%s" % v for v in self.environment.items()),
                   TREE + "/usr/sbin/postconf", "-d", "-h",
                   name).splitlines()[-1]       # behind its complaints

    def start(self):
        os.makedirs(CONFIG)
        write(CONFIG + "/main.cf", MAIN.format(**self.values) +
              self.main_of_user)
        write(CONFIG + "/master.cf", MASTER.format(**self.values))
        os.makedirs(SPOOL + "/pid")
        for name in ("active", "bounce", "corrupt", "defer", "deferred",
                     "flush", "hold", "incoming", "private", "saved", "trace",
                     "maildrop", "public"):
            owned(os.path.join(SPOOL, name), "postfix")
        owned("/var/lib/postfix-out", "postfix")
        self.process = Process(
            "postfix", [TREE + "/usr/lib/postfix/sbin/master", "-c", CONFIG,
                        "-d"],
            os.path.join(self.logs, "postfix-master.log"),
            self.environment)
        self.process.wait_until("greets", self.greets)

    @staticmethod
    def greets():
        try:
            with smtplib.SMTP("127.0.0.1", PORT, timeout=5):
                return True
        except OSError:
            return False

    def send(self, domain, subject):
        """Hands a message over; its recipient, who is named only once."""
        recipient = "u%d@%s" % (next(_numbers), domain)
        with smtplib.SMTP("127.0.0.1", PORT, "client.lab.test", 60) as smtp:
            smtp.sendmail(SENDER, recipient,
                          message(recipient, subject, SENDER))
        return recipient

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def logged(self, *words):
        return any(all(word in line for word in words)
                   for line in self.text().splitlines())

    def statuses(self, recipient):
        """What became of each try, as (status, why)."""
        pattern = re.escape("to=<%s>," % recipient) + \
            r".* status=(\w+) \((.*)\)"
        return re.findall(pattern, self.text())

    def status(self, recipient, wanted=None):
        """That of the first try; or the first that is the wanted one."""
        def found():
            return [s for s in self.statuses(recipient)
                    if wanted in (None, s[0])]
        return wait_for("status of mail to " + recipient, found, 60)[0]

    def query(self, key, where=None):
        """(exit status, answer, complaints) of postmap -q."""
        done = subprocess.run(
            [TREE + "/usr/sbin/postmap", "-c", CONFIG, "-q", key,
             where or self.map],
            text=True, timeout=120, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, **self.environment})
        return done.returncode, done.stdout.strip(), done.stderr.strip()

    def stop(self):
        self.process.stop()
