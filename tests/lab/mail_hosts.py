# SPDX-License-Identifier: ISC
"""Real mail servers as MX hosts: Postfix, Exim and a second OpenSMTPD. They
take mail for one domain and keep it in a maildir."""
import os
import shutil
import socket

import certificates
from namespace import INPUTS, NOBODY, USERS, WORK, libraries, write
from process import Process

MAIL = "/var/mail/"     # a maildir of each below
UID = {**USERS, "nobody": NOBODY}

POSTFIX_MAIN = """
compatibility_level = 3.6
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
daemon_directory = {tree}/usr/lib/postfix/sbin
command_directory = {tree}/usr/sbin
shlib_directory = {tree}/usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
import_environment = MAIL_CONFIG, LD_LIBRARY_PATH={libraries}
maillog_file = /var/log/postfix.log
inet_interfaces = 127.0.0.1
myhostname = {host}
mydestination =
mynetworks = 127.0.0.2/32
alias_maps =
alias_database =
virtual_mailbox_domains = {domain}
virtual_mailbox_base = /var/mail
virtual_mailbox_maps = static:postfix/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
smtpd_tls_security_level = may
smtpd_tls_chain_files = {key}, {certificate}
smtpd_tls_received_header = yes
"""

# Not by inet_interfaces: that wants an address that is on an interface.
POSTFIX_MASTER = """
{address}:25 inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

EXIM_CONF = """
exim_path = /opt/exim4
primary_hostname = {host}
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
pid_file_path = /run/exim.pid
keep_environment = LD_LIBRARY_PATH
local_interfaces = {address}
deliver_drop_privilege = true
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {key}
acl_smtp_rcpt = check

begin acl
check:
  accept domains = {domain}
  deny

begin routers
here:
  driver = accept
  transport = maildir

begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = /var/mail/exim
  create_directory
"""

OPENSMTPD_CONF = """
table everybody {{ "@" = "nobody" }}
listen on {address} port 25 hostname {host}
action "in" maildir "/var/mail/opensmtpd" virtual <everybody>
match from any for domain "{domain}" action "in"
"""


class MailHost:
    """One running server. mx: destinations.Mx, with its address."""
    name = owner = ""

    def __init__(self, lab, destination):
        self.mx = destination.mx[0]
        self.values = {
            "tree": os.path.join(INPUTS, self.name), "host": self.mx.host,
            "address": self.mx.address, "domain": destination.domain,
            "uid": UID[self.owner], "libraries": libraries(self.name)}
        owned(MAIL + self.name, self.owner)
        self.values.update(self.identity(lab.authority))
        self.process = Process(self.name, self.prepare(), os.path.join(
            lab.logs, self.name + ".log"), {
                "LD_LIBRARY_PATH": self.values["libraries"]})
        self.process.wait_until("greets", self.greets)

    def identity(self, authority):
        """Key and certificate, where the server may read them."""
        directory = os.path.join(WORK, self.name)
        owned(directory, self.owner)
        certificate = authority.file(self.mx.certificate or
                                     certificates.good(self.mx.host))
        for name, path in (("key", authority.key),
                           ("certificate", certificate)):
            copy = os.path.join(directory, name)
            shutil.copy(path, copy)
            os.chmod(copy, 0o600)
            os.chown(copy, UID[self.owner], UID[self.owner])
        return {"key": directory + "/key",
                "certificate": directory + "/certificate"}

    def prepare(self):
        """Writes the configuration; what to run, in the foreground."""
        raise NotImplementedError

    def greets(self):
        try:
            with socket.create_connection((self.mx.address, 25), 5) as sock:
                return sock.recv(100).startswith(b"220")
        except OSError:
            return False

    def received(self, word):
        """The texts of the messages that hold the word."""
        texts = []
        directory = os.path.join(MAIL, self.name, "new")
        for name in os.listdir(directory) if os.path.isdir(directory) else ():
            with open(os.path.join(directory, name), "rb") as file:
                texts.append(file.read())
        return [text for text in texts if word.encode() in text]

    def stop(self):
        self.process.stop()


class Postfix(MailHost):
    name = owner = "postfix"

    def prepare(self):
        spool = "/var/spool/postfix/"
        os.makedirs("/etc/postfix", exist_ok=True)
        os.makedirs("/var/log", exist_ok=True)
        write("/etc/postfix/main.cf", POSTFIX_MAIN.format(**self.values))
        write("/etc/postfix/master.cf", POSTFIX_MASTER.format(**self.values))
        os.makedirs(spool + "pid", exist_ok=True)
        for name in ("active", "bounce", "corrupt", "defer", "deferred",
                     "flush", "hold", "incoming", "private", "saved", "trace",
                     "maildrop", "public"):
            owned(spool + name, self.owner)
        owned("/var/lib/postfix", self.owner)
        return [self.values["tree"] + "/usr/lib/postfix/sbin/master",
                "-c", "/etc/postfix", "-d"]


class Exim(MailHost):
    """Not setuid, so that the libraries beside it are found."""
    name, owner = "exim", "Debian-exim"

    def prepare(self):
        os.makedirs("/etc/exim4", exist_ok=True)
        os.makedirs("/var/log", exist_ok=True)
        owned("/var/spool/exim4", self.owner)
        owned("/var/log/exim4", self.owner)
        write("/etc/exim4/exim4.conf", EXIM_CONF.format(**self.values))
        program = "/opt/exim4"
        shutil.copy(self.values["tree"] + "/usr/sbin/exim4", program)
        os.chmod(program, 0o755)
        return [program, "-bdf"]


class OpenSmtpd(MailHost):
    """A second one, in clear, in mounts of its own: its socket and its spool
    are where the first one's are. (The TLS of Debian 12's does not work.)"""
    name, owner = "opensmtpd", "nobody"

    def prepare(self):
        write("/etc/smtpd-mx.conf", OPENSMTPD_CONF.format(**self.values))
        return ["unshare", "--mount", "--propagation", "unchanged", "sh", "-euc",
                "mount -t tmpfs tmpfs /run\n"
                "mount -t tmpfs tmpfs /var/spool\n"
                "mkdir -m 711 /var/spool/smtpd\n"
                "exec /usr/sbin/smtpd -d -f /etc/smtpd-mx.conf"]


def owned(path, owner):
    os.makedirs(path, mode=0o700, exist_ok=True)
    os.chown(path, UID[owner], UID[owner])
