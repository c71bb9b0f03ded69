#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: ISC
"""The rules that all verbs of strictmx(1) keep."""
import json
import subprocess

from tool import PROGRAM, run, strictmx

POLICY = b"version: STSv1\nmode: none\nmax_age: 86400\n"
RECORD = "v=STSv1; id=1"


def json_may_stand_anywhere_behind_the_verb():
    calls = [
        ["lint", "policy", "-", "--json"],
        ["lint", "policy", "--json", "-"],
        ["lint", "--json", "policy", "-"],
        ["lint", "--json", "policy", "--json"],
        ["lint", "-j", "policy"],
        ["lint", "policy", "-j"],
        ["lint", "policy", "--json", "--"],
        ["lint", "policy", "--json", "--", "-"],
        ["lint", "sts-record", RECORD, "--json"],
        ["lint", "sts-record", "--json", RECORD],
        ["lint", "--json", "sts-record", RECORD],
        ["match", "--json", "a.example", "a.example"],
        ["match", "a.example", "--json", "a.example"],
        ["match", "a.example", "a.example", "--json"],
        ["match", "a.example", "-j", "--", "a.example"],
    ]
    for argv in calls:
        result = strictmx(*argv, stdin=POLICY)
        assert result.status == 0 and isinstance(result.json, dict), result
    for argv in (["lint", "certificate", "--json", "--host", "a.example"],
                 ["lint", "--json", "certificate", "--host", "a.example"],
                 ["lint", "certificate", "--host=a.example", "-", "--json"]):
        result = strictmx(*argv)
        assert result.status == 1 and isinstance(result.json, dict), result


def two_dashes_end_the_options():
    result = strictmx("lint", "sts-record", "--", "--json")
    assert result.status == 1 and result.out.endswith("not usable: none\n")
    result = strictmx("match", "--json", "--", "--json", "--help")
    assert result.status == 1 and result.json == {"match": False}
    result = strictmx("lint", "policy", "--", "--json")
    assert result.status == 2 and "--json: No such file" in result.err, result


def help_is_for_each_verb():
    for argv in ([], ["ask"], ["cache"], ["cache", "list"], ["cache", "show"],
                 ["cache", "refresh"], ["cache", "drop"], ["cache", "--json"],
                 ["check"], ["stats"], ["why"], ["lint"], ["lint", "policy"], ["match"],
                 ["lint", "sts-record"], ["lint", "certificate"],
                 ["lint", "--json"]):
        result = strictmx(*argv, "--help")
        assert result.status == 0 and not result.err, result
        assert result.out.startswith("usage: strictmx"), result


def wrong_calls_end_with_2_and_say_nothing_else():
    calls = [
        [], ["nonsense"], ["--json"], ["lint"], ["lint", "nonsense"],
        ["lint", "--json"], ["lint", "policy", "--nonsense"],
        ["lint", "policy", "-x"], ["lint", "policy", "a", "b"],
        ["lint", "policy", "--json=1"], ["lint", "policy", "--domain"],
        ["lint", "sts-record", "--nonsense"], ["match"], ["match", "a"],
        ["match", "a", "b", "c"], ["match", "--nonsense", "a", "b"],
        ["lint", "certificate"], ["lint", "certificate", "--host"],
        ["lint", "certificate", "--host", "a b"],
        ["lint", "certificate", "--host", ""],
        ["lint", "certificate", "--host", "a", "b", "c"],
        ["lint", "certificate", "--host", "a", "--at", "tomorrow"],
        ["lint", "certificate", "--host", "a", "--ca", "/nonexistent"],
        ["lint", "certificate", "--host", "a", "--ca", "/dev/null"],
        ["lint", "certificate", "--host", "a", "/nonexistent"],
    ]
    for argv in calls:
        result = strictmx(*argv)
        assert result.status == 2 and not result.out and result.err, result


def a_closed_standard_input_cannot_be_read():
    for argv in (["lint", "policy"], ["lint", "sts-record", "-"],
                 ["lint", "certificate", "--host", "a.example"]):
        call = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh", PROGRAM,
                               *argv], capture_output=True, check=False)
        assert call.returncode == 2 and not call.stdout, (argv, call)
        assert b"standard input" in call.stderr, (argv, call)


def a_result_that_cannot_be_written_is_none():
    with open("/dev/full", "wb") as full:
        call = subprocess.run([PROGRAM, "match", "a", "a"], stdout=full,
                              stderr=subprocess.PIPE, check=False)
    assert call.returncode == 3 and b"standard output" in call.stderr, call


def json_is_one_line_of_ascii():
    result = strictmx("lint", "policy", "--json", stdin=b"\xff\0\"\\\n" * 9)
    assert result.out.count("\n") == 1 and json.loads(result.out)


run([
    json_may_stand_anywhere_behind_the_verb,
    two_dashes_end_the_options,
    help_is_for_each_verb,
    wrong_calls_end_with_2_and_say_nothing_else,
    a_closed_standard_input_cannot_be_read,
    a_result_that_cannot_be_written_is_none,
    json_is_one_line_of_ascii,
])
