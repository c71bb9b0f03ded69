#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: ISC
"""strictmx lint policy, on bodies good, bad and hostile."""
import os
import pty
import socket
import struct
import subprocess
import tempfile
import threading

from tool import PROGRAM, TIMEOUT_S, run, strictmx

HEAD = b"version: STSv1\nmode: enforce\n"
AGE = b"max_age: 604800\n"
GOOD = HEAD + AGE + b"mx: mx1.example.com\n"
NONE = b"version: STSv1\nmode: none\nmax_age: 86400\n"


def lint(body, *argv):
    return strictmx("lint", "policy", "--json", *argv, stdin=body)


def with_mx(*patterns):
    return HEAD + AGE + b"".join(b"mx: %s\n" % p for p in patterns)


# body: mode, mx, max_age, lines of the warnings
VALID = [
    (GOOD, "enforce", ["mx1.example.com"], 604800, []),
    (GOOD.replace(b"\n", b"\r\n"), "enforce", ["mx1.example.com"], 604800, []),
    (GOOD[:-1], "enforce", ["mx1.example.com"], 604800, []),
    (b"mx:a.example\nmax_age:\t1209600 \nmode: testing\nversion: STSv1\r\n",
     "testing", ["a.example"], 1209600, []),
    (with_mx(b"B.Example", b"*.A.example", b"b.example"), "enforce",
     ["b.example", "*.a.example"], 604800, [0]),
    (NONE, "none", [], 86400, []),
    # in mode none: what stands there is shown, bad ones are no errors, and
    # nothing else is said of them
    (NONE + b"mx: 192.0.2.1\nmx: B.example\nmx: *.com\nmx: a.example\n", "none",
     ["b.example", "*.com", "a.example"], 86400, [4, 5, 6, 7]),
    # blank lines, repeated keys, unknown keys
    (b"\n" + GOOD + b" \t\n", "enforce", ["mx1.example.com"], 604800, [1, 6]),
    (GOOD + b"mode: none\nmax_age: x\nversion: 2\n", "enforce",
     ["mx1.example.com"], 604800, [5, 6, 7]),
    (GOOD + b"nmx: a.example\nMode: none\nurl: https://a/?b=c;d \xc3\xbc\n",
     "enforce", ["mx1.example.com"], 604800, [5, 6, 7]),
    (GOOD + b"a: b\xe2\x80\xa8mode: none\n", "enforce", ["mx1.example.com"],
     604800, [5]),
    # life
    (b"max_age: 0\n" + with_mx(b"a.example").replace(AGE, b""), "enforce",
     ["a.example"], 0, [0]),
    (b"max_age: 9999999999\n" + with_mx(b"a.example").replace(AGE, b""),
     "enforce", ["a.example"], 31557600, [1]),
    (GOOD.replace(b"604800", b"86399"), "enforce", ["mx1.example.com"], 86399,
     [0]),
    (GOOD.replace(b"604800", b"604799"), "enforce", ["mx1.example.com"],
     604799, [0]),
    (GOOD.replace(b"604800", b"86400").replace(b"enforce", b"testing"),
     "testing", ["mx1.example.com"], 86400, []),
    (NONE.replace(b"86400", b"60"), "none", [], 60, []),
]

# body: lines of the errors
INVALID = [
    (b"", [0, 0, 0]),
    (b"\n\n", [0, 0, 0]),
    (b"<!DOCTYPE html>\n<p>404\n", [1, 2, 0, 0, 0]),
    (b"mode: enforce\n" + AGE + b"mx: a.example\n", [0]),
    (HEAD + AGE, [0]),
    (HEAD + b"mx: a.example\n", [0]),
    (b"\xef\xbb\xbf" + GOOD, [1, 0]),
    (b" " + GOOD, [1, 0]),
    (GOOD.replace(b"version:", b"version :"), [1, 0]),
    (GOOD + b"# comment\n", [5]),
    (GOOD + b"a:\nb: \x01\nc: \xfc\nd: x\ty\ne: x\ry\n", [5, 6, 7, 8, 9]),
    (GOOD + b"a: b\0c\n", [5]),
    (GOOD.replace(b"STSv1", b"STSv2"), [1]),
    (GOOD.replace(b"enforce", b"Enforce"), [2]),
    (GOOD.replace(b"604800", b"+604800"), [3]),
    (GOOD.replace(b"604800", b"604_800"), [3]),
    (GOOD.replace(b"604800", b"-1"), [3]),
    (GOOD.replace(b"604800", b"00000604800"), [3]),
    (with_mx(b"*", b"a.example", b"192.0.2.1", b"a.example."), [4, 6, 7]),
    (with_mx(b"a:b", b"x servername=evil", b"*.*.example", b"} {", b"a,b"),
     [4, 5, 6, 7, 8]),
    (with_mx(b"b\xc3\xbccher.example", b"[192.0.2.1]", b"2001:db8::1"),
     [4, 5, 6]),
    (with_mx(b"https://a.example/", b"a.example:25", b"mx.*.example"),
     [4, 5, 6]),
]


def lines(findings):
    assert all(set(f) == {"line", "message"} and f["message"]
               for f in findings), findings
    return [f["line"] for f in findings]


def valid_policies_are_told_in_full():
    for body, mode, mx, max_age, warnings in VALID:
        result = lint(body)
        j = result.json
        assert result.status == 0 and not result.err, (body, result)
        assert lines(j.pop("warnings")) == warnings, (body, result)
        assert j == {"valid": True, "mode": mode, "mx": mx,
                     "max_age": max_age, "errors": []}, (body, result)


def invalid_policies_are_told_with_every_line():
    for body, errors in INVALID:
        result = lint(body)
        j = result.json
        j.pop("warnings")
        assert result.status == 1, (body, result)
        assert lines(j.pop("errors")) == errors, (body, result)
        assert j == {"valid": False, "mode": None, "mx": [],
                     "max_age": None}, (body, result)


def text_says_the_same_for_a_person():
    result = strictmx("lint", "policy", stdin=GOOD + b"nmx: x\n")
    assert result.status == 0
    assert result.out == ("line 5: warning: unknown key: ignored: \"nmx\"\n"
                          "valid: mode enforce, max_age 604800\n"
                          "  mx mx1.example.com\n"), result
    result = strictmx("lint", "policy", stdin=with_mx(b"*"))
    assert result.status == 1
    assert result.out.startswith("line 4: error: mx is neither"), result
    assert result.out.endswith("\ninvalid\n"), result


def wildcards_below_public_suffixes_are_warned_of():
    wide = [b"*.com", b"*.co.uk", b"*.github.io", b"*.xn--p1ai"]
    result = lint(with_mx(*wide, b"*.example.com", b"*.mx.example.co.uk"))
    warnings = [w["message"] for w in result.json["warnings"]]
    assert result.status == 0
    assert len(warnings) == len(wide), warnings
    for pattern, warning in zip(wide, warnings):
        assert pattern.decode() in warning, warnings


def input_comes_from_a_file_or_standard_input():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "-policy")
        with open(path, "wb") as file:
            file.write(GOOD)
        assert lint(b"", path).json["valid"]
        assert not lint(b"", "-").json["valid"]
        assert lint(GOOD, "-").json["valid"]
        assert lint(GOOD).json["valid"]
        result = strictmx("lint", "policy", "--", "-policy", cwd=directory)
        assert result.status == 0, result


def what_cannot_be_read_is_a_wrong_call():
    for path in ("/nonexistent/policy", "/"):
        result = strictmx("lint", "policy", "--json", path)
        assert result.status == 2 and not result.out, result
        assert path in result.err, result


def size_is_bounded_as_for_the_engine():
    filler = b"x: " + b"y" * 60 + b"\n"
    body = GOOD + filler * 1022
    body += b"z: " + b"y" * (65536 - len(body) - 4) + b"\n"
    assert len(body) == 65536
    assert lint(body).json["valid"]
    result = lint(body + b"\n")
    assert result.status == 1
    assert "64 KiB" in result.json["errors"][0]["message"], result
    result = lint(b"x" * (1 << 20))
    assert result.status == 1 and "64 KiB" in result.out, result


def findings_are_bounded_and_errors_not_crowded_out():
    result = lint(b"\n" * 30000 + b"?\n" * 10000)
    j = result.json
    assert result.status == 1
    assert len(j["warnings"]) == 1001 and len(j["errors"]) == 1001
    assert j["errors"][0]["line"] == 30001
    assert j["errors"][-1] == {"line": 0, "message": "and more of this kind"}


def colour_is_for_terminals_without_no_color():
    def on_terminal(**env):
        primary, secondary = pty.openpty()
        subprocess.run([PROGRAM, "lint", "policy"], input=GOOD,
                       stdout=secondary, timeout=TIMEOUT_S, check=True,
                       env=dict(os.environ, **env))
        os.close(secondary)
        shown = os.read(primary, 4096)
        os.close(primary)
        return shown

    assert b"\033[" in on_terminal(TERM="xterm", NO_COLOR="")
    assert b"\033[" not in on_terminal(TERM="xterm", NO_COLOR="1")
    assert b"\033[" not in on_terminal(TERM="dumb", NO_COLOR="")


def wire_name(name):
    return b"".join(bytes([len(label)]) + label.encode()
                    for label in name.split(".") if label) + b"\0"


class MxServer(threading.Thread):
    """DNS over TCP: the MX hosts of each domain it knows; SERVFAIL else."""

    def __init__(self, domains):
        super().__init__(daemon=True)
        self.domains = {wire_name(d): hosts for d, hosts in domains.items()}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,),
                             daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            while len(size := stream.read(2)) == 2:
                query = stream.read(struct.unpack("!H", size)[0])
                answer = self.answer(query)
                connection.sendall(struct.pack("!H", len(answer)) + answer)

    def answer(self, query):
        end = query.index(b"\0", 12) + 5
        question = query[12:end]
        hosts = self.domains.get(question[:-4].lower())
        rcode = 2 if hosts is None else 0
        answers = b""
        for host in hosts or []:
            data = struct.pack("!H", 10) + wire_name(host)
            answers += struct.pack("!HHHIH", 0xc00c, 15, 1, 60, len(data))
            answers += data
        return (query[:2] + struct.pack("!HHHHH", 0x8180 | rcode, 1,
                                        len(hosts or []), 0, 0)
                + question + answers)


def a_domain_is_compared_with_its_mx_hosts_of_now():
    server = MxServer({
        "good.example": ["mx1.example.com"],
        "half.example": ["mx1.example.com", "mx2.example.com"],
        "bad.example": ["mx2.example.com"],
        "null.example": ["."],
        "xn--bcher-kva.example": ["mx1.example.com"],
    })
    server.start()
    expected = {
        "good.example": [],
        "GOOD.example.": [],
        "bücher.example": [],
        "half.example": ["MX host mx2.example.com"],
        "bad.example": ["MX host mx2.example.com", "no MX host"],
        "null.example": ["takes no mail"],
        "away.example": ["cannot be looked up"],
    }
    with tempfile.NamedTemporaryFile() as config:
        config.write(b"resolver = {\"127.0.0.1:%d\"}\n" % server.port)
        config.flush()
        for domain, wanted in expected.items():
            result = lint(GOOD, "--domain", domain, "-f", config.name)
            warnings = [w["message"] for w in result.json["warnings"]]
            assert result.status == 0, result
            assert len(warnings) == len(wanted), (domain, warnings)
            for part, warning in zip(wanted, warnings):
                assert part in warning, (domain, warnings)


def a_wrong_domain_or_configuration_is_a_wrong_call():
    for argv in (["--domain", "a b"], ["--domain", ""],
                 ["--domain", "a.example", "-f", "/nonexistent"]):
        result = lint(GOOD, *argv)
        assert result.status == 2 and not result.out and result.err, result


run([
    valid_policies_are_told_in_full,
    invalid_policies_are_told_with_every_line,
    text_says_the_same_for_a_person,
    wildcards_below_public_suffixes_are_warned_of,
    input_comes_from_a_file_or_standard_input,
    what_cannot_be_read_is_a_wrong_call,
    size_is_bounded_as_for_the_engine,
    findings_are_bounded_and_errors_not_crowded_out,
    colour_is_for_terminals_without_no_color,
    a_domain_is_compared_with_its_mx_hosts_of_now,
    a_wrong_domain_or_configuration_is_a_wrong_call,
])
