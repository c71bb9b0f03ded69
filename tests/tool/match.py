#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: ISC
"""strictmx match."""
from tool import run, strictmx

# pattern, host
MATCHES = [
    ("mx1.example.com", "mx1.example.com"),
    ("MX1.Example.com", "mx1.eXample.com"),
    ("mx1.example.com", "mx1.example.com."),
    ("*.example.com", "mx1.example.com"),
    ("*.example.com", "mx_1.example.com."),
    ("*.Example.com", "MX1.example.com"),
    ("xn--bcher-kva.example", "bücher.example"),
    ("xn--bcher-kva.example", "BÜCHER.example."),
    ("*.xn--bcher-kva.example", "mx.bücher.example"),
    ("*.example", "bücher.example"),
    ("xn--strae-oqa.example", "straße.example"),
    ("*.com", "example.com"),
]

DIFFERS = [
    ("mx1.example.com", "mx2.example.com"),
    ("*.example.com", "example.com"),
    ("*.example.com", "a.mx1.example.com"),
    ("*.example.com", "mx1.example.com.example.net"),
    ("*.mx.microsoft", "tenant.h-v1.mx.microsoft"),
    ("example.com", "mx1.example.com"),
    ("strasse.example", "straße.example"),
]

# Patterns that match nothing, whatever the host.
ILLEGAL = ["*", "*.", "", ".", "mx1.example.com.", ".example.com",
           "mx.*.example.com", "m*.example.com", "*.*.example.com",
           "192.0.2.1", "*.192.0.2.1", "[192.0.2.1]", "2001:db8::1",
           "mx1.example.com:25", "https://mx1.example.com", "a b",
           "bücher.example", "-a.example", "a-.example", "a..example",
           "mx_1.example.com", "a" * 64 + ".example", " a.example",
           "x servername=evil", "a.example\nmx: b.example"]

NO_HOSTS = ["", ".", "..", "a..example", ".example.com", "a b", "*.example",
            "a" * 64 + ".example", "a." * 127 + "example", b"\xff.example",
            "a.example\n", "[192.0.2.1]"]


def match(pattern, host, **env):
    plain = strictmx("match", "--", pattern, host, env=env)
    result = strictmx("match", "--json", "--", pattern, host, env=env)
    expected = plain.status == 0
    assert result.status == plain.status, (plain, result)
    assert result.json == {"match": expected}, result
    assert plain.out == ("match\n" if expected else "no match\n"), plain
    assert result.err == plain.err
    return plain


def what_matches_ends_with_0():
    for pattern, host in MATCHES:
        result = match(pattern, host)
        assert result.status == 0 and not result.err, result


def what_does_not_match_ends_with_1():
    for pattern, host in DIFFERS:
        result = match(pattern, host)
        assert result.status == 1 and not result.err, result


def an_illegal_pattern_matches_nothing_and_says_so():
    for pattern in ILLEGAL:
        for host in ("mx1.example.com", "192.0.2.1", "bücher.example"):
            result = match(pattern, host)
            assert result.status == 1 and "never matches" in result.err, result


def what_is_no_host_name_matches_nothing_and_says_so():
    for host in NO_HOSTS:
        result = match("*.example.com", host)
        assert result.status == 1 and "is no host name" in result.err, result


def u_labels_are_utf_8_whatever_the_locale():
    for locale in ("C", "POSIX", "C.UTF-8", "de_DE.ISO-8859-1", "nonsense"):
        result = match("xn--bcher-kva.example", "bücher.example",
                       LC_ALL=locale)
        assert result.status == 0, (locale, result)


run([
    what_matches_ends_with_0,
    what_does_not_match_ends_with_1,
    an_illegal_pattern_matches_nothing_and_says_so,
    what_is_no_host_name_matches_nothing_and_says_so,
    u_labels_are_utf_8_whatever_the_locale,
])
