#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A mail server with strictmx, and a small internet of good and bad
destinations around it, in namespaces of its own. See --help; contrib/quickstart
calls it with everything that it needs."""
import argparse
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import judge
import namespace
from bad_days import BAD_DAYS, QUICK
from bad_destinations import BAD_PUBLISHED, tarpit_lines
from certificates import Authority
from dane import DANE, DANE_PUBLISHED, lines
from destinations import (DESTINATIONS, PUBLISHED, give_addresses,
                          zone_lines)
from exim_destinations import EXIM_DESTINATIONS
from exim_trials import EXIM_TRIALS
from mail_queue import Queue
from mail_server import MailServer, configure
from gates import both_gates
from policy_host import PolicyHosts
from process import Timeout
from odd_hosts import ODD_PUBLISHED
import other_net
from relay_trials import RELAY_QUICK, RELAY_TRIALS
from rows import Rows
from sinks import Sinks
from trials import TRIALS
from zones import Dns

WITHOUT_EXIM = TRIALS + DANE + RELAY_TRIALS
USUAL = WITHOUT_EXIM + EXIM_TRIALS
RELAY_QUICK = RELAY_QUICK + other_net.TRIALS
ALL_TRIALS = USUAL + RELAY_QUICK + BAD_DAYS
# `contrib/quickstart run` is to be over soon: it does without these.
LONG = {"real_servers", "tool", "dane_attacks", "exim_program", "exim_debian",
        "exim_testing"}


class Lab:
    """Everything that a trial may touch."""

    def __init__(self, rows, published, further_records):
        logs = os.path.join(namespace.INPUTS, "logs")
        self.rows = rows
        self.published = published
        self.authority = Authority(namespace.WORK + "/ca")
        self.dns = Dns(namespace.INPUTS + "/daemons", namespace.WORK + "/dns",
                       logs, self.records() + further_records)
        self.sinks = Sinks(self.authority)
        self.policy_hosts = PolicyHosts(self.authority)
        self.server = MailServer(logs)
        self.queue = Queue()
        self.logs = logs
        self.refused = set()            # subjects

    def records(self):
        """The zone, with the digest of the key in its TLSA records."""
        digest = self.authority.key_digest()
        return [line.replace("{key}", digest) for d in self.published
                for line in lines(self.authority, d)]

    def start(self):
        self.rows.stage("DNS: knotd, unbound")
        self.dns.start()
        self.rows.stage("mail hosts and policy hosts")
        for destination in self.published:
            for mx in destination.mx:
                if mx.listens:
                    self.sinks.listen(mx)
            if destination.policy is not None:
                self.policy_hosts.listen(destination.domain,
                                         destination.policy)
        self.configure()
        self.rows.stage("smtpd with filter-strictmx")
        self.server.start()

    def configure(self, **settings):
        configure(self.authority.bundle, **settings)


def parse():
    parser = argparse.ArgumentParser(
        description="Judge mail to good and bad destinations.")
    parser.add_argument("--smtpd", required=True, metavar="DIR",
                        help="unpacked package opensmtpd, 6.8 or 7.x")
    parser.add_argument("--postfix", required=True, metavar="DIR",
                        help="unpacked package postfix")
    parser.add_argument("--exim", required=True, metavar="DIR",
                        help="unpacked package exim4-daemon-heavy")
    parser.add_argument("--daemons", required=True, metavar="DIR",
                        help="unpacked packages knot and unbound")
    parser.add_argument("--prefix", required=True, metavar="DIR",
                        help="make install DESTDIR=DIR of a tree configured "
                        "with --prefix=/opt/strictmx --libexecdir=/usr/libexec")
    parser.add_argument("--logs", metavar="DIR",
                        help="keep the logs here (default: a new directory)")
    parser.add_argument("--only", action="append", metavar="DOMAIN",
                        help="these destinations, and no trials")
    parser.add_argument("--trials", action="append", metavar="NAME",
                        choices=[t.__name__ for t in ALL_TRIALS],
                        help="these trials, and no destinations: " + ", ".join(
                            t.__name__ for t in ALL_TRIALS))
    parser.add_argument("--bad-days", choices=["quick", "all"],
                        help="quick: also the bad days that take a moment; "
                        "all: these, and nothing else: " +
                        ", ".join(t.__name__ for t in BAD_DAYS))
    parser.add_argument("--no-exim", action="store_true",
                        help="no trials of Exim as the one who sends")
    parser.add_argument("--inside", action="store_true",
                        help=argparse.SUPPRESS)
    return parser.parse_args()


def chosen(options):
    """(destinations, trials) of a run."""
    trials = WITHOUT_EXIM if options.no_exim else USUAL
    if options.only:
        return [d for d in DESTINATIONS if d.domain in options.only], []
    if options.trials:
        return [], [t for t in ALL_TRIALS if t.__name__ in options.trials]
    if options.bad_days == "all":
        return [], BAD_DAYS
    if options.bad_days == "quick":
        return DESTINATIONS, trials + RELAY_QUICK + QUICK
    return DESTINATIONS, [t for t in trials if t.__name__ not in LONG]


def judge_all(lab, destinations, trials):
    if destinations:
        lab.rows.stage("mail to %d destinations" % len(destinations))
        with both_gates(lab), ThreadPoolExecutor(16) as pool:
            for rows in pool.map(lambda d: judge.rows(lab, d), destinations):
                for row in rows:
                    lab.rows.add(*row)
    add_sanitizer_reports(lab, "destinations")
    for trial in trials:
        lab.rows.stage(trial.__doc__)
        try:
            trial(lab)
        except (OSError, RuntimeError, Timeout) as error:
            lab.rows.add(trial.__name__, "no error", "failed", False,
                         str(error))
        add_sanitizer_reports(lab, trial.__name__)
    lab.rows.check("refused mail", "none has arrived",
                   lambda: judge.refused_mail(lab))
    lab.rows.check("end", "filter and engine end with smtpd",
                   lambda: (lab.server.stop() or "they did", True))
    add_sanitizer_reports(lab, "end", of_the_living=True)


def add_sanitizer_reports(lab, when, of_the_living=False):
    for name, text in namespace.take_sanitizer_reports(of_the_living):
        lab.rows.add("sanitizers, " + when, "no report", name, False,
                     *text.splitlines())


def main():
    options = parse()
    if not options.inside:
        if os.geteuid() != 0:
            sys.exit("lab.py: only root can make namespaces")
        if options.logs is None:
            options.logs = tempfile.mkdtemp(prefix="strictmx-lab-")
            print("logs in", options.logs)
        namespace.enter([sys.executable, os.path.abspath(__file__),
                         *sys.argv[1:], "--logs", options.logs, "--inside"])
    rows = Rows()
    destinations, trials = chosen(options)
    try:
        lab = set_up(options, rows, trials)
    except (OSError, RuntimeError, Timeout) as error:
        sys.exit("lab.py: cannot be set up: %s" % error)
    judge_all(lab, destinations, trials)
    sys.exit(0 if rows.end() else 1)


def set_up(options, rows, trials):
    published = PUBLISHED + EXIM_DESTINATIONS + DANE_PUBLISHED
    os.makedirs(options.logs, exist_ok=True)
    namespace.set_up({name: getattr(options, name) for name in
                      ("smtpd", "postfix", "exim", "daemons", "prefix",
                       "logs")},
                     give_addresses(published))
    further_records = zone_lines(other_net.OTHER_NET)
    if set(RELAY_QUICK + BAD_DAYS).intersection(trials):
        published = published + ODD_PUBLISHED
    if set(BAD_DAYS).intersection(trials):
        published = published + BAD_PUBLISHED
        further_records += tarpit_lines()
    lab = Lab(rows, published, further_records)
    lab.start()
    return lab


if __name__ == "__main__":
    main()
