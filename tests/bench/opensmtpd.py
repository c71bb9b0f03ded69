#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Messages that a real OpenSMTPD takes in a second with filter-strictmx, and
with the null filter, in the lab's namespaces. Delivery is paused: acceptance
counts. Called by tests/bench/run."""
import argparse
import os
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lab"))
# pylint: disable=wrong-import-position
import namespace
from process import Process, wait_for
from mail_server import greets
from mailer import PORT

DOMAINS = 200
CONNECTIONS = (10, 50)
ROUNDS = 3 * int(os.environ.get("ROUNDS", "3"))
SECONDS = 1
TARGET = 0.95
BENCH = "/usr/libexec/bench"        # a copy that the filter's user can read
WORLD = namespace.WORK + "/world"
PORTS = {"null": PORT, "strictmx": PORT + 1}
# One server with both: load goes to one and to the other, on the same queue.
SMTPD_CONF = """
filter null proc-exec "{bench}/null_filter {domains}" \\
    user strictmx group strictmx
filter strictmx proc-exec "{bench}/filter-strictmx -e {bench}/strictmxd \\
    -f {world}/strictmx.conf" user strictmx group strictmx
listen on 127.0.0.1 port {null} filter null
listen on 127.0.0.1 port {strictmx} filter strictmx
smtp limit max-mails 1000000
action "out" relay
match from any for any action "out"
"""


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smtpd", required=True, metavar="DIR",
                        help="unpacked package opensmtpd")
    parser.add_argument("--programs", required=True, metavar="DIR",
                        help="with world, null_filter, smtp_load, "
                        "filter-strictmx and strictmxd")
    parser.add_argument("--inside", action="store_true",
                        help=argparse.SUPPRESS)
    return parser.parse_args()


def make_world(options):
    namespace.set_up({"smtpd": options.smtpd, "programs": options.programs,
                      "prefix": options.programs}, [])
    subprocess.run(["cp", "-rL", namespace.INPUTS + "/programs", BENCH],
                   check=True)
    # smtpd asks for the client's name: not over the network.
    namespace.write("/etc/resolv.conf", "lookup file\n")
    os.makedirs(WORLD)
    world = subprocess.Popen([BENCH + "/world", WORLD, str(DOMAINS)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if world.stdout.readline() != b"ready\n":
        sys.exit("opensmtpd.py: no world")
    for top, directories, files in os.walk(WORLD):
        for name in directories + files + ["."]:
            os.chown(os.path.join(top, name), namespace.USERS["strictmx"],
                     namespace.USERS["strictmx"])
    return world


def load(name, connections, seconds):
    """Messages a second."""
    done = subprocess.run(
        [BENCH + "/smtp_load", str(PORTS[name]), str(connections),
         str(seconds), WORLD + "/domains"], stdout=subprocess.PIPE, text=True,
        check=True)
    return float(done.stdout)


def start_smtpd():
    namespace.write("/etc/smtpd.conf", SMTPD_CONF.format(
        bench=BENCH, world=WORLD, domains=DOMAINS, **PORTS))
    smtpd = Process("smtpd", ["/usr/sbin/smtpd", "-d", "-f",
                              "/etc/smtpd.conf"], "/run/smtpd.log")
    smtpd.wait_until("greets", greets)
    wait_for("smtpctl", lambda: subprocess.run(
        ["/usr/sbin/smtpctl", "pause", "mta"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, check=False).returncode == 0)
    return smtpd


def compare(connections):
    rates = {name: [] for name in PORTS}
    for number in range(ROUNDS):
        for name in sorted(PORTS, reverse=number % 2 == 1):
            rates[name].append(load(name, connections, SECONDS))
    median = {name: statistics.median(rates[name]) for name in PORTS}
    ratio = median["strictmx"] / median["null"]
    print("OpenSMTPD, %d connections: messages/s with the null filter %.0f, "
          "with strictmx %.0f" % (connections, median["null"],
                                  median["strictmx"]))
    line = "OpenSMTPD, %d connections: messages/s|%.4g|x floor|at least %g|%s" \
        % (connections, ratio, TARGET, "MET" if ratio >= TARGET else "MISSED")
    print("    " + line.replace("|", "  "), flush=True)
    if "BENCH_RESULTS" in os.environ:
        with open(os.environ["BENCH_RESULTS"], "a", encoding="ascii") as file:
            print(line, file=file)


def main():
    options = parse()
    if not options.inside:
        namespace.enter([sys.executable, os.path.abspath(__file__),
                         *sys.argv[1:], "--inside"])
    world = make_world(options)
    smtpd = start_smtpd()
    load("strictmx", 10, 3)         # it knows all domains after this
    for connections in CONNECTIONS:
        compare(connections)
    smtpd.stop()
    world.stdin.close()
    world.wait()


if __name__ == "__main__":
    main()
