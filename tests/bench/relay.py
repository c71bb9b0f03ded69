#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""strictmxd's relay beside pass_relay, which knows no policy, in a network of
its own: messages a second, CPU time for each, memory for each connection.
Called by tests/bench/run."""
import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lab"))
# pylint: disable=wrong-import-position
from process import wait_for

DOMAINS = 200
ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = 1
HELD = 1000             # connections at once
WARM_UP_ROUNDS = 2      # the heap finds its shape
MEMORY_ROUNDS = 10      # after that
MEMORY_TARGET = 2       # times the floor's
FLAT_TARGET = 1.1       # last round to first
SINK_PORT = 25
FLOOR_PORT, STRICTMX_PORT = 10040, 10050

# What runs: name, how upstream sessions are used, arguments of relay_load, and
# the least ratio of messages a second.
PARTS = [
    ("2 KB, upstream sessions kept", "pool", "-l 2048 -c 20 -m 10 -n 20", 0.8),
    ("2 KB, a full handshake each", "fresh", "-l 2048 -c 20 -m 10", 0.9),
    ("1 MB, upstream sessions kept", "pool", "-l 1000000 -c 4 -m 5 -n 4", 0.9),
]


class Program:
    """One that says "ready" and ends with its input; its use of the CPU."""

    def __init__(self, *argv):
        self.popen = subprocess.Popen(argv, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE)
        if self.popen.stdout.readline() != b"ready\n":
            sys.exit("relay.py: %s does not get ready" % argv[0])

    def stop(self):
        self.popen.stdin.close()
        self.popen.wait()


class Strictmxd(Program):
    def __init__(self, bench, mode):
        """An engine with a store of its own: the first one would hold it."""
        state = os.path.join(bench.world, "state-" + mode)
        shutil.rmtree(state, ignore_errors=True)
        shutil.copytree(os.path.join(bench.world, "state"), state)
        path = os.path.join(bench.world, mode + ".conf")
        with open(os.path.join(bench.world, "strictmx.conf"),
                  encoding="ascii") as file:
            text = [line for line in file if not line.startswith("state-dir")]
        with open(path, "w", encoding="ascii") as file:
            file.write("".join(text) + """
state-dir = "%s"
socket = "%s/query-%s.sock"
log-level = warning
user = root
relay {
    listen = {127.0.0.1}
    port = %d
    sessions = %d
    sessions-per-domain = %d
    messages = %d
    idle = %d
}
""" % (state, bench.world, mode, STRICTMX_PORT, HELD + 200, HELD + 200,
       1 if mode == "fresh" else 1000, 0 if mode == "fresh" else 10))
        self.log = open(path + ".log", "w", encoding="utf-8")
        self.popen = subprocess.Popen(
            [os.path.join(bench.programs, "strictmxd"), "-d", "-f", path],
            stdin=subprocess.DEVNULL, stderr=self.log)
        wait_for("strictmxd", lambda: self.greets(path))

    def greets(self, path):
        if self.popen.poll() is not None:
            with open(path + ".log", encoding="utf-8") as file:
                sys.exit("relay.py: strictmxd ends: " + file.read())
        try:
            with socket.create_connection(("127.0.0.1", STRICTMX_PORT)) as s:
                return s.recv(100).startswith(b"220")
        except OSError:
            return False

    def stop(self):
        self.popen.terminate()
        self.popen.wait()
        self.log.close()


class Bench:
    def __init__(self, programs, world):
        self.programs = programs
        self.world = world
        self.missed = 0

    def program(self, name):
        return os.path.join(self.programs, name)

    def start(self, mode):
        """(floor, strictmx)"""
        return (Program(self.program("pass_relay"), str(FLOOR_PORT),
                        os.path.join(self.world, "ca.pem"), "m0.mx.bench",
                        mode), Strictmxd(self, mode))

    def load(self, port, arguments, **options):
        return subprocess.Popen(
            [self.program("relay_load"), "-p", str(port), "-d",
             os.path.join(self.world, "domains"), *arguments],
            stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True,
            **options)

    def measure(self, port, arguments, process):
        """(messages a second, CPU us for a message, reused of 1)"""
        before, cpu = counters(), cpu_us(process)
        load = self.load(port, [*arguments, "-s", str(SECONDS)])
        rate = load.communicate()[0]
        if load.returncode != 0:
            sys.exit("relay.py: relay_load fails")
        after = counters()
        messages = after["messages"] - before["messages"]
        return (float(rate), (cpu_us(process) - cpu) / messages,
                max(0, 1 - (after["connections"] - before["connections"] - 1) /
                    messages))

    def target(self, what, value, good, limit):
        self.missed += not good
        missed = "" if good else "MISSED"
        print("    %-24s %5.2f  (%s)  %s" % (what.partition(": ")[2], value,
                                             limit, missed), flush=True)
        if "BENCH_RESULTS" in os.environ:
            with open(os.environ["BENCH_RESULTS"], "a",
                      encoding="ascii") as file:
                print(what, "%.2f" % value, "", limit, missed, sep="|",
                      file=file)


def cpu_us(process):
    if process is None:
        return 0
    with open("/proc/%d/schedstat" % process.popen.pid,
              encoding="ascii") as file:
        return int(file.read().split()[0]) / 1000


def anonymous_kib(process):
    with open("/proc/%d/status" % process.popen.pid, encoding="ascii") as file:
        return int(next(line.split()[1] for line in file
                        if line.startswith("RssAnon:")))


def counters():
    """What the sink has seen so far; this connection too."""
    with socket.create_connection(("127.0.0.1", SINK_PORT)) as sock:
        file = sock.makefile("r", encoding="ascii", newline="\r\n")
        file.readline()
        sock.sendall(b"HELP\r\n")
        words = file.readline().split()[1:]
    return dict(zip(words[::2], map(int, words[1::2])))


def speed(bench, name, mode, arguments, least):
    floor, strictmx = bench.start(mode)
    sides = {"direct": (SINK_PORT, None), "floor": (FLOOR_PORT, floor),
             "strictmx": (STRICTMX_PORT, strictmx)}
    try:
        for port, process in sides.values():    # all verdicts are kept then
            bench.measure(port, arguments, process)
        rounds = {side: [] for side in sides}
        for number in range(ROUNDS):
            for side in sorted(sides, reverse=number % 2 == 1):
                rounds[side].append(bench.measure(sides[side][0], arguments,
                                                  sides[side][1]))
    finally:
        floor.stop()
        strictmx.stop()
    middle = {side: [statistics.median(column) for column in zip(*rows)]
              for side, rows in rounds.items()}
    print("Relay, %s: messages/s direct %.0f, floor %.0f, strictmx %.0f" % (
        name, *(middle[side][0] for side in ("direct", "floor", "strictmx"))))
    print("    CPU us/message: floor %.0f, strictmx %.0f; reused upstream "
          "sessions: floor %.1f %%, strictmx %.1f %%" % (
              middle["floor"][1], middle["strictmx"][1],
              100 * middle["floor"][2], 100 * middle["strictmx"][2]))
    ratio = middle["strictmx"][0] / middle["floor"][0]
    bench.target("relay, %s: messages/s" % name, ratio, ratio >= least,
                 "at least %.2f" % least)


def held_kib(bench, port, process):
    """Anonymous memory with all connections at RCPT, for each of them."""
    idle = anonymous_kib(process)
    load = bench.load(port, ["-c", str(HELD), "-H"])
    if load.stdout.readline() != "held\n":
        sys.exit("relay.py: the connections cannot be held")
    held = anonymous_kib(process)
    load.communicate()
    return (held - idle) / HELD, held


def memory(bench):
    floor, strictmx = bench.start("fresh")
    try:
        for port, process in ((FLOOR_PORT, floor), (STRICTMX_PORT, strictmx)):
            bench.measure(port, ["-c", "20", "-m", "10"], process)
        base = held_kib(bench, FLOOR_PORT, floor)[0]
        first, held = held_kib(bench, STRICTMX_PORT, strictmx)
        rounds = [held] + [held_kib(bench, STRICTMX_PORT, strictmx)[1]
                           for _ in range(WARM_UP_ROUNDS + MEMORY_ROUNDS - 1)]
    finally:
        floor.stop()
        strictmx.stop()
    print("Relay, memory of %d connections: KiB each: floor %.1f, strictmx "
          "%.1f; MiB in each of %d rounds: %s" % (
              HELD, base, first, len(rounds),
              " ".join("%.1f" % (kib / 1024) for kib in rounds)))
    bench.target("relay: memory of a connection", first / base,
                 first / base <= MEMORY_TARGET, "at most %.2f" % MEMORY_TARGET)
    growth = rounds[-1] / rounds[WARM_UP_ROUNDS]
    bench.target("relay: memory over ten rounds", growth,
                 growth <= FLAT_TARGET, "at most %.2f" % FLAT_TARGET)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, metavar="DIR",
                        help="with world, pass_relay, relay_load, strictmxd")
    parser.add_argument("--inside", action="store_true",
                        help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = parse()
    if not options.inside:
        os.execvp("unshare", ["unshare", "--net", sys.executable,
                              os.path.abspath(__file__), *sys.argv[1:],
                              "--inside"])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(options.programs, directory)
        world = Program(bench.program("world"), directory, str(DOMAINS))
        try:
            for part in PARTS:
                arguments = part[2].split()
                speed(bench, part[0], part[1], arguments, part[3])
            memory(bench)
        finally:
            world.stop()
    sys.exit(1 if bench.missed else 0)


if __name__ == "__main__":
    main()
