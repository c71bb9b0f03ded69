# SPDX-License-Identifier: ISC
"""What is more than one message to one destination: each function is a trial
with a few rows of its own. Every row waits for what it needs, so that a trial
can also be run alone."""
import json
import os
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import namespace
import postfix_trials
from destinations import BY_DOMAIN
from judge import delivery, is_right_refusal, new_subject, outcome
from mail_hosts import Exim, OpenSmtpd, Postfix
from mail_server import DEADLINE_S, QUERY_SOCKET, greets, leftovers
from mailer import ask_and_leave, submit, submit_locally, submit_two
from process import Process, running, wait_for
from tool_verbs import tool

BAD = "no-starttls.test"
BAD_MX = BY_DOMAIN[BAD].mx[0].host
ENGINE_AWAY = "4.3.0"


def submissions(lab):
    """who sends, and from where"""
    check = lab.rows.check
    check("null sender", "not judged", lambda: null_sender(lab))
    check("bounce", "not judged", lambda: bounce(lab))
    check("address literal", "not judged", lambda: address_literal(lab))
    check("sendmail", "not judged", lambda: local_submission(lab))
    check("two recipients", "each judged alone", lambda: two_recipients(lab))
    check("client hangs up", "no harm", client_hangs_up)
    check("fast beside slow", "no wait", lambda: fast_beside_slow(lab))


def null_sender(lab):
    subject = new_subject(BAD)
    reply = submit("user@" + BAD, subject, sender="")
    if reply.code != 250:
        return str(reply), False
    return delivery(lab, subject, BAD_MX, False)


def bounce(lab):
    """The bounce of mail to a domain that is not there goes to lab.test, whose
    policy is broken."""
    sender = "bounce@lab.test"
    submit("user@no-domain.test", new_subject("no-domain.test"), sender)
    got = wait_for("the bounce", lambda: lab.sinks.received(
        lambda m: m.recipient == sender), 60)[0]
    return "sender <%s> to %s" % (got.sender, got.mx), got.sender == ""


def address_literal(lab):
    mx = BY_DOMAIN[BAD].mx[0]
    subject = new_subject("literal")
    reply = submit("user@[%s]" % mx.address, subject)
    if reply.code != 250:
        return str(reply), False
    return delivery(lab, subject, mx.host, False)


def local_submission(lab):
    """A refusal here would lose the message."""
    subject = new_subject(BAD)
    status, text = submit_locally("user@" + BAD, subject)
    if status != 0:
        return "exit status %d: %s" % (status, text), False
    return delivery(lab, subject, BAD_MX, False)


def two_recipients(lab):
    subject = new_subject("two")
    codes = submit_two("user@good.test", "user@" + BAD, subject)
    happened, ok = delivery(lab, subject, "mx.good.test", True)
    return "%s, %s" % (codes, happened), ok and codes == [250, 451]


def client_hangs_up():
    """The answer that nobody waits for comes at the deadline, and the next
    one for the same domain must still find its session."""
    ask_and_leave("user@gone.test")
    reply = submit("user@gone.test", new_subject("gone.test"))
    return str(reply), greets() and reply.text.startswith("4.4.3")


def ask_slowly(lab, pool, domain):
    """A submission whose answer waits for the deadline; it is under way."""
    asking = threading.Event()
    subject = new_subject(domain)
    lab.refused.add(subject)
    slow = pool.submit(submit, "user@" + domain, subject, asking=asking.set)
    asking.wait(20)
    return slow


def fast_beside_slow(lab):
    with ThreadPoolExecutor(1) as pool:
        slow = ask_slowly(lab, pool, "slow.test")
        fast = submit("user@good.test", new_subject("good.test"))
        before = not slow.done()
        reply = slow.result()
    ok = (before and fast.code == 250 and fast.seconds < DEADLINE_S / 2 and
          reply.text.startswith("4.4.3"))
    return "%.1f s and %.1f s" % (fast.seconds, reply.seconds), ok


def real_servers(lab):
    """real mail servers as MX hosts"""
    check = lab.rows.check
    for host, domain in ((Postfix, "postfix.test"), (Exim, "exim.test"),
                         (OpenSmtpd, "opensmtpd.test")):
        check(host.__name__, "in its mailbox",
              lambda: to_mail_host(lab, host, BY_DOMAIN[domain]))


def to_mail_host(lab, host, destination):
    server = host(lab, destination)
    try:
        subject = new_subject(destination.domain)
        reply = submit("user@" + destination.domain, subject)
        if reply.code != 250:
            return str(reply), False
        text = wait_for("the message", lambda: server.received(subject))[0]
    finally:
        server.stop()
    received = " ".join(text.decode().split("Received: ")[1].split())
    return "in its mailbox", destination.expect.tls == \
        (" esmtps " in received.lower()), received


def engine(lab):
    """the engine dies"""
    check = lab.rows.check
    check("kill -9, mail pending", "451 4.3.0, at once",
          lambda: kill_with_pending(lab))
    check("mail after that", "judged again", lambda: judged_again(lab, BAD))
    check("policy kept", "refused before and after kill -9",
          lambda: policy_kept(lab))
    check("smtpd killed", "no process is left", lambda: smtpd_killed(lab))


def kill_engine():
    pids = running("strictmxd")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return pids


def kill_with_pending(lab):
    with ThreadPoolExecutor(4) as pool:
        slow = [ask_slowly(lab, pool, "pending.test") for _ in range(4)]
        # A later session's answer: the earlier requests are in the engine.
        submit("user@good.test", new_subject("good.test"))
        pending = sum(not s.done() for s in slow)
        killed = kill_engine()
        replies = [s.result() for s in slow]
    ok = (pending == len(slow) and len(killed) == 1 and greets() and
          all(r.text.startswith(ENGINE_AWAY) for r in replies) and
          all(r.seconds < DEADLINE_S for r in replies))
    return "%d pending" % pending, ok, *sorted(set(map(str, replies)))


def judged_again(lab, domain):
    """As it must be for the domain, once an engine is there again."""
    def ask():
        subject = new_subject(domain)
        lab.refused.add(subject)
        reply = submit("user@" + domain, subject)
        return None if reply.text.startswith(ENGINE_AWAY) else reply
    reply = wait_for("an engine", ask)
    return outcome(reply), \
        is_right_refusal(BY_DOMAIN[domain], reply), str(reply)


def policy_kept(lab):
    """A policy that an answer was based on outlives the engine, although DNS
    and policy host know nothing of it any more (RFC 8461 10.2)."""
    domain = "kept.test"
    happened, ok, *details = judged_again(lab, domain)
    killed = kill_engine()
    lab.dns.remove("_mta-sts.kept.test.", "TXT")
    lab.policy_hosts.stop(domain)
    if not ok or len(killed) != 1:
        return happened, False, *details
    return judged_again(lab, domain)


def smtpd_killed(lab):
    lab.server.process.stop(signal.SIGKILL)
    wait_for("end of filter and engine", lambda: not leftovers(), 5)
    wait_for("end of smtpd", lambda: not running("smtpd"), 5)
    lab.server.start()
    return "none", True


def settings(lab):
    """other settings"""
    check = lab.rows.check
    restart(lab, mode="testing")
    check("mode = testing", "accepted, would-defer in the log",
          lambda: testing_mode(lab))
    restart(lab, local_submission="judge", unreachable="proceed",
            engine_away="proceed")
    check("local-submission = judge", "refused", lambda: judged_locally(lab))
    check("unreachable = proceed", "accepted", lambda: accepted(
        "unreachable.test"))
    check("engine-away = proceed", "accepted", lambda: away_accepted(lab))
    restart(lab)


def restart(lab, **changed):
    lab.server.stop()
    lab.configure(**changed)
    lab.server.start()


def accepted(domain):
    reply = submit("user@" + domain, new_subject(domain))
    return str(reply), reply.code == 250


def testing_mode(lab):
    happened, ok = accepted(BAD)
    wait_for("log line", lambda: lab.server.logged(BAD, "would-defer"), 5)
    return happened, ok


def judged_locally(lab):
    subject = new_subject(BAD)
    lab.refused.add(subject)
    status, text = submit_locally("user@" + BAD, subject)
    return "exit status %d" % status, status != 0 and BAD_MX in text, text


def away_accepted(lab):
    with ThreadPoolExecutor(1) as pool:
        asking = threading.Event()
        slow = pool.submit(submit, "user@pending.test",
                           new_subject("pending.test"), asking=asking.set)
        asking.wait(20)
        submit("user@good.test", new_subject("good.test"))
        pending = not slow.done()
        kill_engine()
        reply = slow.result()
    return str(reply), pending and reply.code == 250


def daemon(lab):
    """strictmxd as a daemon, and strictmx ask"""
    check = lab.rows.check
    lab.server.stop()
    log = os.path.join(lab.logs, "strictmxd.log")

    def start():
        process = Process("strictmxd", ["/opt/strictmx/sbin/strictmxd", "-d"],
                          log, namespace.sanitizer_environment())
        process.wait_until("answers", lambda: ask("good.test")[0] == 0)
        return process

    strictmxd = start()
    check("socket", "mode 0660, of strictmx", socket_mode)
    check("strictmx ask", "good 0, bad 1, with reason", ask_both)
    check("strictmx ask --json", "the same facts", ask_json)
    lab.server.start("-s " + QUERY_SOCKET)
    check("filter -s SOCKET", "asks the daemon", lambda: (
        *judged_again(lab, BAD)[:2],))
    check("one engine", "the daemon alone", lambda: (
        "%d" % len(running("strictmxd")), len(running("strictmxd")) == 1))
    strictmxd.stop()
    check("daemon stopped", "451 4.3.0", lambda: without_daemon(lab))
    strictmxd = start()
    check("daemon is back", "judged again", lambda: judged_again(lab, BAD))
    check("SIGHUP", "mode = testing, and back", lambda: reload(lab, strictmxd))
    check("SIGTERM", "exit status 0", lambda: exit_status(strictmxd))
    lab.server.stop()
    lab.server.start()


def reload(lab, strictmxd):
    lab.configure(mode="testing")
    strictmxd.popen.send_signal(signal.SIGHUP)
    wait_for("mail to be accepted", lambda: accepted(BAD)[1])
    lab.configure()
    strictmxd.popen.send_signal(signal.SIGHUP)
    wait_for("mail to be refused", lambda: not accepted(BAD)[1])
    return "as configured", True


def exit_status(process):
    status = process.stop()
    return str(status), status == 0


def ask(domain, *options):
    """(exit status, output) of strictmx ask"""
    done = subprocess.run(
        ["/opt/strictmx/bin/strictmx", "ask", *options, "-s", QUERY_SOCKET,
         "postmaster@" + domain], text=True, timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, **namespace.sanitizer_environment()})
    return done.returncode, done.stdout


def socket_mode():
    found = os.stat(QUERY_SOCKET)
    mode = found.st_mode & 0o777
    return "mode %o, owner %d" % (mode, found.st_uid), \
        mode == 0o660 and found.st_uid == namespace.USERS["strictmx"]


def ask_both():
    good, bad = ask("good.test"), ask(BAD)
    return "good %d, bad %d" % (good[0], bad[0]), \
        good[0] == 0 and bad[0] == 1 and BAD_MX in bad[1], \
        *(good[1] + bad[1]).splitlines()


def ask_json():
    status, text = ask(BAD, "--json")
    facts = json.loads(text)
    hosts = [host["host"] for host in facts["mx_set"]["hosts"]]
    return "%s, %s" % (facts["action"], facts["result"]), \
        (status, facts["action"], facts["result"], hosts) == \
        (1, "defer", "starttls-not-supported", [BAD_MX])


def without_daemon(lab):
    subject = new_subject(BAD)
    lab.refused.add(subject)
    reply = submit("user@" + BAD, subject)
    return outcome(reply), reply.text.startswith(ENGINE_AWAY), \
        str(reply)


TRIALS = [submissions, real_servers, engine, settings, daemon, tool,
          *postfix_trials.TRIALS]
