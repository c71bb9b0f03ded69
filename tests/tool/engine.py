#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: ISC
"""The verbs that ask a daemon, towards one that has not seen any mail yet."""
import os

from daemon import daemon
from tool import run, strictmx

VERBS = [["cache", "list"], ["cache", "show", "a.test"],
         ["cache", "refresh", "a.test"], ["cache", "drop", "a.test"],
         ["cache", "drop", "--all"], ["stats"], ["why", "a.test"]]
STRANGER = 1


def without_a_daemon_it_says_how_to_start_one():
    with daemon(running=False) as it:
        for verb in VERBS:
            for result in (it.tool(*verb), it.tool(*verb, "--json"),
                           strictmx(*verb, "--socket", it.socket)):
                assert result.status == 3 and not result.out, result
                assert "No such file" in result.err, result
                assert "systemctl start strictmxd" in result.err, result
                assert "--socket" in result.err, result


def a_configuration_that_is_wrong_is_told():
    result = strictmx("cache", "list", "-f", "/nonexistent/conf")
    assert result.status == 2 and "/nonexistent/conf" in result.err, result


def an_empty_cache_is_listed():
    with daemon() as it:
        result = it.tool("cache", "list")
        assert result.status == 0 and result.out.count("\n") == 1, result
        result = it.tool("cache", "list", "--json")
        assert result.status == 0 and result.json["policies"] == [], result
        result = strictmx("cache", "--json", "list", "-s", it.socket)
        assert result.status == 0 and result.json["now"] > 1.7e9, result


def what_is_not_cached_ends_with_1():
    with daemon() as it:
        result = it.tool("cache", "show", "A.test.")
        assert result.status == 1, result
        assert result.out == "a.test: no policy is cached\n", result
        result = it.tool("cache", "--json", "show", "a.test")
        assert result.status == 1, result
        assert result.json == {"domain": "a.test", "policy": None}, result
        result = it.tool("cache", "drop", "a.test", "-j")
        assert result.status == 1, result
        assert result.json == {"domain": "a.test", "dropped": False}, result
        result = it.tool("cache", "drop", "--all", "--json")
        assert result.status == 0 and result.json == {"dropped": 0}, result


def a_refresh_that_does_not_end_is_not_waited_for():
    with daemon() as it:
        result = it.tool("cache", "refresh", "a.test")
        assert result.status == 3 and "it goes on" in result.err, result


def a_stranger_may_look_and_change_nothing():
    if os.geteuid() != 0:
        return  # only root can be somebody else
    with daemon() as it:
        os.chmod(it.socket, 0o666)
        for line in ("cache-clear", "cache-drop a.test",
                     "cache-refresh a.test"):
            answer = it.ask(line, uid=STRANGER)
            assert answer.startswith("1 error only root"), answer
        answer = it.ask("cache-list", uid=STRANGER)
        assert answer.startswith("1 facts {"), answer


def stats_of_an_engine_that_has_done_nothing():
    with daemon() as it:
        result = it.tool("stats", "--json")
        assert result.status == 0, result
        stats = result.json
        assert stats["asked"] == stats["hits"] == stats["lookups"] == 0, result
        assert stats["sizes"]["policies_stored"] == 0, result
        assert stats["sizes"]["clients"] == 1, result
        assert stats["verdicts"]["proceed"] == 0, result
        assert stats["fetches"] == {"good": 0, "unreachable": 0, "failed": {}}
        result = it.tool("stats")
        assert result.status == 0, result
        assert "up " in result.out and "0 defer" in result.out, result


def stats_count_and_why_remembers():
    with daemon() as it:
        result = it.tool("why", "a.test", "-j")
        assert result.status == 0 and not result.json["kept"], result
        assert result.json["verdict"]["record"]["state"] == "unknown", result
        facts = {fact["fact"]: fact for fact in result.json["facts"]}
        assert facts["record"]["source"] == "dns", result
        assert facts["policy"]["source"] == "https", result
        assert facts["record"]["age"] == 0, result
        result = it.tool("why", "A.test.")
        assert result.out.startswith("a.test: proceed\n"), result
        assert "judged now" in result.out, result
        stats = it.tool("stats", "--json").json
        assert stats["lookups"] == stats["asked"] == 2, stats
        assert stats["verdicts"]["proceed"] == 2, stats


def why_knows_a_local_domain():
    with daemon(more="local-domains = {\"home.test\"}\n") as it:
        result = it.tool("why", "Home.test")
        assert result.status == 0 and "local domain" in result.out, result
        result = it.tool("why", "--json", "home.test")
        assert result.status == 0 and result.json["facts"] == [], result


def wrong_calls_end_with_2():
    for words in (["stats", "a.test"], ["stats", "--fly"], ["why"],
                  ["why", "a.test", "b.test"], ["why", "u@a.test"]):
        result = strictmx(*words)
        assert result.status == 2 and not result.out, result
        assert "usage: strictmx " + words[0] in result.err, result
    for words in ([], ["fly"], ["show"], ["show", "a.test", "b.test"],
                  ["show", "a..b"], ["show", "[192.0.2.1]"], ["drop"],
                  ["drop", "--all", "a.test"], ["list", "a.test"],
                  ["list", "--all"], ["refresh"], ["show", "--fly", "a.test"]):
        result = strictmx("cache", *words)
        assert result.status == 2 and not result.out, result
        assert "usage: strictmx cache" in result.err, result


run([
    without_a_daemon_it_says_how_to_start_one,
    a_configuration_that_is_wrong_is_told,
    an_empty_cache_is_listed,
    what_is_not_cached_ends_with_1,
    a_refresh_that_does_not_end_is_not_waited_for,
    a_stranger_may_look_and_change_nothing,
    stats_of_an_engine_that_has_done_nothing,
    stats_count_and_why_remembers,
    why_knows_a_local_domain,
    wrong_calls_end_with_2,
])
