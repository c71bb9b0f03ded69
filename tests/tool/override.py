#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: ISC
"""strictmx override and strictmx staging, towards a daemon of the tree."""
import os
import signal
import time

from daemon import START_S, daemon
from tool import run, strictmx

FAR = "2199-01-01T00:00:00Z"
FAR_S = 7226582400
SECTION = """policy "file.test" {
\tmode = none
\tuntil = %s
\treason = "of the file"
}
policy "over.test" { mode = none  until = 2001-01-01T00:00:00Z }
""" % FAR


def without_a_daemon_it_says_how_to_start_one():
    with daemon(running=False) as it:
        for verb in (["override", "list"], ["staging"],
                     ["override", "drop", "a.test"],
                     ["override", "set", "-m", "none", "-u", FAR, "a.test"]):
            result = it.tool(*verb)
            assert result.status == 3 and not result.out, result
            assert "systemctl start strictmxd" in result.err, result


def what_is_set_is_listed_and_dropped():
    with daemon() as it:
        result = it.tool("override", "set", "--mode", "enforce", "--until",
                         FAR, "--mx", "mx1.a.test,*.b.test", "--reason",
                         "it is ours", "A.test.", "--json")
        assert result.status == 0, result
        assert result.json["stored"] is True, result
        assert result.json["warning"] is None, result
        want = {"domain": "a.test", "mode": "enforce",
                "mx": ["mx1.a.test", "*.b.test"], "until": FAR_S,
                "reason": "it is ours", "line": None, "state": "holds"}
        assert result.json["override"] == want, result
        result = it.tool("override", "list", "--json")
        assert result.status == 0, result
        assert result.json == {"overrides": [want]}, result
        result = it.tool("override", "list")
        assert result.out.splitlines()[1].split() == [
            "a.test", "enforce", FAR, "holds", "run", "time", "it", "is",
            "ours"], result
        assert "  mx *.b.test\n" in result.out, result
        result = it.tool("override", "drop", "a.test")
        assert result.status == 0 and result.out == "a.test: dropped\n", result
        result = it.tool("override", "drop", "a.test", "-j")
        assert result.status == 1, result
        assert result.json == {"domain": "a.test", "dropped": False,
                               "configured": False}, result


def what_is_set_is_there_after_a_restart():
    with daemon() as it:
        result = it.tool("override", "set", "-m", "none", "-u", FAR, "a.test")
        assert result.status == 0, result
        it.process.kill()
        it.process.wait()
        it.start()
        result = it.tool("override", "list", "--json")
        assert [o["domain"] for o in result.json["overrides"]] == ["a.test"]


def it_wins_over_the_file_and_the_file_is_listed_too():
    with daemon(more=SECTION) as it:
        result = it.tool("override", "set", "-m", "none", "-u", FAR,
                         "file.test")
        assert result.status == 0, result
        assert 'policy "over.test" until 2001-01-01T00:00:00Z: its time is ' \
            "over: ignored" in it.log_text(), it.log_text()
        assert it.log_text().count("its time is over") == 1, it.log_text()
        result = it.tool("override", "list", "--json")
        states = [(o["domain"], o["line"] is None, o["state"])
                  for o in result.json["overrides"]]
        assert states == [("file.test", True, "holds"),
                          ("file.test", False, "hidden"),
                          ("over.test", False, "ended")], states
        result = it.tool("override", "drop", "file.test")
        assert "the configuration has a policy for it as well" in result.out


def an_answer_follows_it():
    with daemon(more=SECTION) as it:
        facts = it.ask("explain u@file.test", uid=os.geteuid())
        assert '"source":"override"' in facts, facts
        assert '"until":%d' % FAR_S in facts, facts
        assert '"reason":"policy set here for file.test has mode none"' \
            in facts, facts
        assert "source=override mode=none action=proceed" in it.log_text()


def a_reload_takes_the_sections_of_the_file_and_keeps_what_was_set():
    with daemon(more=SECTION) as it:
        result = it.tool("override", "set", "-m", "none", "-u", FAR, "a.test")
        assert result.status == 0, result
        with open(it.config, "r+", encoding="ascii") as config:
            text = config.read().replace("file.test", "other.test")
            config.seek(0)
            config.truncate()
            config.write(text)
        it.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + START_S
        while "configuration reloaded" not in it.log_text():
            assert time.monotonic() < until, it.log_text()
            time.sleep(0.02)
        result = it.tool("override", "list", "--json")
        names = [o["domain"] for o in result.json["overrides"]]
        assert names == ["a.test", "other.test", "over.test"], names


def what_the_engine_refuses_is_told():
    with daemon() as it:
        for words, why in (
                (["-m", "none", "-u", "2001-01-01T00:00:00Z"],
                 "its end is not in the future"),
                (["-m", "none", "-u", "Friday"], "not a time like"),
                (["-m", "off", "-u", FAR], "mode is not enforce"),
                (["-m", "enforce", "-u", FAR], "mx is missing"),
                (["-m", "enforce", "-u", FAR, "-x", "*"], "mx is neither"),
                (["-m", "none", "-u", FAR, "-r", "x" * 300],
                 "its reason is too long")):
            result = it.tool("override", "set", *words, "a.test")
            assert result.status == 3 and not result.out, result
            assert why in result.err, result
        result = it.tool("override", "set", "-m", "none", "-u", FAR, "-r",
                         "x" * 1000, "a.test")
        assert result.status == 2, result


def nothing_was_let_through_yet():
    with daemon() as it:
        result = it.tool("staging")
        assert result.status == 0 and result.out.count("\n") == 2, result
        result = it.tool("staging", "--json")
        assert result.status == 0 and result.json["staged"] == [], result
        assert result.json["now"] >= result.json["since"] > 1.7e9, result


def wrong_calls_end_with_2():
    for words in (["override"], ["override", "fly"], ["override", "set"],
                  ["override", "set", "-m", "none", "a.test"],
                  ["override", "set", "-u", FAR, "a.test"],
                  ["override", "set", "-m", "none", "-u", FAR],
                  ["override", "set", "-m", "none", "-u", FAR, "a.test", "b"],
                  ["override", "set", "-m", "none", "-u", FAR, "a..b"],
                  ["override", "drop"], ["override", "list", "a.test"],
                  ["override", "list", "--mode", "none"],
                  ["staging", "a.test"], ["staging", "--all"]):
        result = strictmx(*words)
        assert result.status == 2 and not result.out, result
        assert "usage: strictmx " + words[0] in result.err, result


run([
    without_a_daemon_it_says_how_to_start_one,
    what_is_set_is_listed_and_dropped,
    what_is_set_is_there_after_a_restart,
    it_wins_over_the_file_and_the_file_is_listed_too,
    an_answer_follows_it,
    a_reload_takes_the_sections_of_the_file_and_keeps_what_was_set,
    what_the_engine_refuses_is_told,
    nothing_was_let_through_yet,
    wrong_calls_end_with_2,
])
