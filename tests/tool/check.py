#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: ISC
"""strictmx check without a network: what it says when nothing can be told.

What it says of good and bad domains is tried in the lab (tests/lab).
"""
import json
import os

from daemon import daemon
from tool import run, strictmx


def without_a_resolver_nothing_can_be_told():
    with daemon(running=False) as it:
        result = it.tool("check", "a.test")
        assert result.status == 3, result
        assert result.out.startswith("a.test: could not tell\n"), result
        assert "to fix" in result.out and "_mta-sts.a.test" in result.out
        result = it.tool("check", "A.test.", "b.test", "--json")
        assert result.status == 3, result
        lines = [json.loads(line) for line in result.out.splitlines()]
        assert [line["domain"] for line in lines] == ["a.test", "b.test"]
        for line in lines:
            assert line["check"] == "could not tell", line
            assert line["record"]["state"] == "unknown", line
            assert line["mx_set"]["state"] == "unknown", line
            assert line["fix"], line


def no_daemon_is_needed_and_none_is_asked():
    with daemon() as it:
        assert it.tool("check", "a.test").status == 3
        assert it.tool("stats", "--json").json["lookups"] == 0


def the_environment_does_not_steer_it():
    with daemon(running=False) as it:
        result = it.tool("check", "a.test", env={
            "https_proxy": "http://127.0.0.1:9", "SSL_CERT_FILE": "/none"})
        assert result.status == 3, result


def wrong_calls_end_with_2():
    for words in ([], ["a..b"], ["[192.0.2.1]"], ["u@a.test"], ["--fly", "a"],
                  ["a.test", "."], ["-f", "/nonexistent", "a.test"]):
        result = strictmx("check", *words)
        assert result.status == 2 and not result.out and result.err, result


def a_ca_file_that_cannot_be_read_is_a_wrong_configuration():
    with daemon(running=False, more="ca-file = /nonexistent\n") as it:
        result = it.tool("check", "a.test")
        assert result.status == 2 and not result.out, result
        assert os.path.basename(it.config) in result.err or \
            "CA certificates" in result.err, result


run([
    without_a_resolver_nothing_can_be_told,
    no_daemon_is_needed_and_none_is_asked,
    the_environment_does_not_steer_it,
    wrong_calls_end_with_2,
    a_ca_file_that_cannot_be_read_is_a_wrong_configuration,
])
