# SPDX-License-Identifier: ISC
"""Exim as the one who sends, with contrib/exim, at the paths of its package."""
import os
import shutil
import subprocess

from mailer import SENDER, message
from namespace import INPUTS, LDCONFIG, USERS, run, sanitizer_environment, write
from process import wait_for
from query_client import start_daemon

EXIM = "/usr/sbin/exim4"
CONF = "/etc/exim4/exim4.conf"
FILES = "/opt/strictmx/share/strictmx/exim"
SPOOL = "/var/spool/exim4"
LOG = "/var/log/exim4/mainlog"
SOCKET = "/run/strictmx/exim.sock"
PROGRAM = "/opt/strictmx/sbin/strictmx-exim"
STRICTMX_CONF = "/opt/strictmx/etc/strictmx.conf"

# The hosts of the lab are on loopback. Exim does not know this host's own
# authority, only the lab's.
HEAD = """
STRICTMX_DIR = %s
STRICTMX_NEVER = 0.0.0.0/8
%%s
""" % FILES
MAIN = """
exim_path = /usr/sbin/exim4
primary_hostname = mta.lab.test
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
log_selector = +subject +tls_certificate_verified +dnssec
trusted_users = root
keep_environment = ASAN_OPTIONS : UBSAN_OPTIONS
"""
EXAMPLE = os.path.join(FILES, "plain.conf.example")


def install():
    """The program with its setuid bit, as the package has it; such a one finds
    its libraries by the linker's cache alone."""
    tree = os.path.join(INPUTS, "exim")
    shutil.copy(os.path.join(tree, "usr/sbin/exim4"), EXIM)
    os.chmod(EXIM, 0o4755)
    write("/etc/ld.so.conf.d/exim.conf", "".join(
        directory + "\n" for directory, _, files in os.walk(tree)
        if any(".so." in name for name in files)))
    run(LDCONFIG, "-X")
    for path in (SPOOL, os.path.dirname(LOG)):
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path, 0o750)
        os.chown(path, USERS["Debian-exim"], USERS["Debian-exim"])
    os.makedirs("/etc/exim4", exist_ok=True)
    write("/etc/resolv.conf", "nameserver 127.0.0.1\noptions trust-ad edns0\n")


def plain_conf(macros="", routers=None):
    """contrib/exim/plain.conf.example with what only the lab needs; routers:
    the file that is included in the place of "routers"."""
    with open(EXAMPLE, encoding="ascii") as file:
        text = file.read()
    text = text.replace("/usr/share/strictmx/exim", FILES)
    if routers:
        text = text.replace("STRICTMX_DIR/routers", "STRICTMX_DIR/" + routers)
    text = text.replace("keep_environment =\n", MAIN)
    write(CONF, HEAD % macros + text)


# Where README.md of contrib/exim puts its pieces.
DEBIAN = {"main": "000", "router": "175", "transport": "35", "retry": "10"}
DEBIAN_LAB = """
STRICTMX_DIR = %s
STRICTMX_NEVER = 0.0.0.0/8
ROUTER_DNSLOOKUP_IGNORE_TARGET_HOSTS = 0.0.0.0/8
MAIN_LOG_SELECTOR = +subject +tls_certificate_verified +dnssec
MAIN_TRUSTED_USERS = root
MAIN_KEEP_ENVIRONMENT = ASAN_OPTIONS : UBSAN_OPTIONS
DKIM_DOMAIN = lab.test
""" % FILES
# In exim4.conf.template each goes before this line, or behind it.
DEBIAN_PLACES = {"main": (None, ""), "router": (
    "dnslookup_relay_to_domains:\n", "before"), "transport": (
        "begin transports\n", "behind"), "retry": ("begin retry\n", "behind")}


def debian_piece(section):
    with open(os.path.join(FILES, "debian", section),
              encoding="ascii") as file:
        text = file.read().replace("/usr/share/strictmx/exim", FILES)
    return (DEBIAN_LAB if section == "main" else "") + text


def debian_conf(split):
    """Debian's own configuration, with strictmx as README.md says."""
    if os.path.exists(CONF):
        os.unlink(CONF)
    shutil.copytree(os.path.join(INPUTS, "exim/etc/exim4"), "/etc/exim4",
                    dirs_exist_ok=True)
    write("/etc/exim4/update-exim4.conf.conf",
          "dc_eximconfig_configtype='internet'\n"
          "dc_other_hostnames='lab.invalid'\ndc_local_interfaces='127.0.0.1'\n"
          "dc_relay_domains=''\ndc_relay_nets=''\ndc_smarthost=''\n"
          "dc_use_split_config='%s'\ndc_hide_mailname='false'\n"
          "dc_readhost=''\nCFILEMODE='644'\ndc_minimaldns='false'\n"
          "dc_mailname_in_oh='true'\ndc_localdelivery='mail_spool'\n"
          % ("true" if split else "false"))
    if split:
        for section, number in DEBIAN.items():
            write("/etc/exim4/conf.d/%s/%s_strictmx" % (section, number),
                  debian_piece(section))
    else:
        debian_template()
    os.makedirs("/var/lib/exim4", exist_ok=True)
    run("sh", os.path.join(INPUTS, "exim/usr/sbin/update-exim4.conf"))


def debian_template():
    path = "/etc/exim4/exim4.conf.template"
    with open(path, encoding="ascii") as file:
        text = file.read()
    for section, (line, where) in DEBIAN_PLACES.items():
        piece = debian_piece(section)
        if line is None:
            text = piece + text
        elif text.count("\n" + line) != 1:
            raise RuntimeError("no line '%s' in %s" % (line.strip(), path))
        else:
            text = text.replace("\n" + line, "\n" + (
                piece + line if where == "before" else line + piece))
    write(path, text)


class Engine:
    """strictmxd with a socket for Exim; settings: see mail_server.configure."""

    def __init__(self, lab, **settings):
        self.lab = lab
        lab.configure(**settings)
        with open(STRICTMX_CONF, "a", encoding="ascii") as file:
            file.write("exim {\nsocket-group = Debian-exim\n}\n")
        self.process = None
        self.start()

    def start(self):
        self.process = start_daemon(self.lab)

    def kill(self, sig=9):
        os.kill(self.process.popen.pid, sig)
        if sig == 9:
            self.process.popen.wait()

    def logged(self, *words):
        return any(all(word in line for word in words)
                   for line in self.process.text().splitlines())

    def stop(self):
        self.process.stop()


def exim(*argv, text=None, seconds=90):
    """Runs Exim; what it prints is for a person."""
    done = subprocess.run(
        [EXIM, *argv], input=text, text=True, timeout=seconds,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, **sanitizer_environment()})
    if done.returncode not in (0, 1):
        raise RuntimeError("exim %s: %s" % (" ".join(argv), done.stdout))
    return done.stdout


def send(subject, *recipients, how="-odf"):
    """One message; -odf: delivered, or tried, when this returns; -odq: put into
    the queue."""
    exim(how, "-oi", "-f", SENDER, *recipients,
         text=message(recipients[0], subject, SENDER))


def run_queue():
    exim("-qqff")


def log_lines():
    """Without date and time. A text may have been more than a line."""
    with open(LOG, encoding="utf-8", errors="replace") as file:
        words = [line.rstrip("\n").split(" ", 2) for line in file]
    return [line[2] for line in words if len(line) == 3]


def log_of(subject):
    """What the log says of the message with this subject: (id, lines)."""
    lines = log_lines()
    for line in lines:
        number, _, rest = line.partition(" ")
        if rest.startswith("<= ") and 'T="%s"' % subject in rest:
            return number, [other[len(number) + 1:] for other in lines
                            if other.startswith(number + " ")]
    raise RuntimeError("no message '%s' in Exim's log" % subject)


def lost():
    """Messages that came in and of which the log tells no end, nor a try that
    is to be repeated: Exim 4.96 can lose one without a word."""
    come, told = {}, set()
    for line in log_lines():
        number, _, rest = line.partition(" ")
        if rest.startswith("<= "):
            come[number] = rest
        elif rest[:2] in ("=>", "==", "**"):
            told.add(number)
    return [number + " " + rest for number, rest in come.items()
            if number not in told]


def forget():
    """Queue and hints: what was tried before decides nothing now."""
    for name in ("input", "msglog", "db"):
        shutil.rmtree(os.path.join(SPOOL, name), ignore_errors=True)


def socket_is_there():
    wait_for("Exim's socket", lambda: os.path.exists(SOCKET))
