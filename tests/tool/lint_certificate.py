#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: ISC
"""strictmx lint certificate, on chains made by openssl(1)."""
import os
import subprocess
import tempfile
from datetime import datetime, timedelta, timezone

from tool import run, strictmx

MX = "mx1.example.com"
MISMATCH = "certificate-host-mismatch"
EXPIRED = "certificate-expired"
NOT_TRUSTED = "certificate-not-trusted"


def openssl(*argv):
    subprocess.run(["openssl", *argv], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Certificates:
    """Files NAME.pem and NAME.key in a directory."""

    def __init__(self, directory):
        self.directory = directory
        config = self.path("config")
        with open(config, "w", encoding="ascii") as file:
            file.write("[req]\ndistinguished_name = none\n[none]\n")

    def path(self, name):
        return os.path.join(self.directory, name)

    def make(self, name, issuer, *extensions, cn="x", days=10):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-out", self.path(name + ".key"))
        argv = ["req", "-x509", "-new", "-config", self.path("config"),
                "-days", str(days), "-subj", "/CN=" + cn, "-key",
                self.path(name + ".key"), "-out", self.path(name + ".pem")]
        for extension in extensions:
            argv += ["-addext", extension]
        if issuer:
            argv += ["-CA", self.path(issuer + ".pem"),
                     "-CAkey", self.path(issuer + ".key")]
        openssl(*argv)

    def authority(self, name, issuer=None, days=30):
        self.make(name, issuer, "basicConstraints=critical,CA:TRUE",
                  "keyUsage=critical,keyCertSign", cn=name, days=days)

    def leaf(self, name, issuer, names, *extensions, **more):
        if names:
            extensions += ("subjectAltName=" + names,)
        self.make(name, issuer, "basicConstraints=critical,CA:FALSE",
                  *extensions, **more)

    def read(self, *names):
        pem = b""
        for name in names:
            with open(self.path(name), "rb") as file:
                pem += file.read()
        return pem


def make_all(directory):
    made = Certificates(directory)
    made.authority("root")
    made.authority("sub", "root")
    made.authority("stranger")
    made.leaf("good", "root", "DNS:" + MX)
    made.leaf("below", "sub", "DNS:" + MX)
    made.leaf("wild", "root", "DNS:*.example.com")
    made.leaf("idn", "root", "DNS:mx.xn--bcher-kva.example")
    made.leaf("other", "root", "DNS:mx2.example.com,IP:192.0.2.1")
    made.leaf("cn", "root", None, cn=MX)
    made.leaf("self", None, "DNS:" + MX)
    made.leaf("strange", "stranger", "DNS:" + MX)
    made.leaf("client", "root", "DNS:" + MX, "extendedKeyUsage=clientAuth")
    made.leaf("old", "root", "DNS:" + MX, days=1)
    made.leaf("faker", "good", "DNS:" + MX)
    return made


def at(days):
    moment = datetime.now(timezone.utc) + timedelta(days=days)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def lint(pem, *argv, host=MX):
    return strictmx("lint", "certificate", "--json", "--host", host, "--ca",
                    MADE.path("root.pem"), *argv, stdin=pem)


def check(expected, pem, *argv, host=MX, detail=""):
    result = lint(pem, *argv, host=host)
    j = result.json
    assert result.status == (0 if expected is None else 1), result
    assert set(j) == {"valid", "result_type", "detail"}, result
    assert j["valid"] == (expected is None), result
    assert j["result_type"] == expected, result
    assert detail in j["detail"] and j["detail"], result


def a_chain_to_a_trusted_root_with_the_name_is_valid():
    check(None, MADE.read("good.pem"))
    check(None, MADE.read("below.pem", "sub.pem"))
    check(None, MADE.read("below.pem", "sub.pem", "root.pem"))
    check(None, MADE.read("below.pem", "stranger.pem", "sub.pem"))
    check(None, MADE.read("wild.pem"))


def hosts_may_be_written_as_for_match():
    for host in (MX + ".", MX.upper()):
        check(None, MADE.read("good.pem"), host=host)
    for host in ("mx.bücher.example", "mx.xn--bcher-kva.example."):
        check(None, MADE.read("idn.pem"), host=host)


def another_name_is_a_mismatch():
    for name in ("other.pem", "cn.pem", "idn.pem"):
        check(MISMATCH, MADE.read(name))
    check(MISMATCH, MADE.read("wild.pem"), host="a." + MX)
    check(MISMATCH, MADE.read("wild.pem"), host="example.com")
    check(MISMATCH, MADE.read("other.pem"), host="192.0.2.1")


def chains_that_lead_nowhere_are_not_trusted():
    check(NOT_TRUSTED, MADE.read("self.pem"), detail="self-signed")
    check(NOT_TRUSTED, MADE.read("strange.pem", "stranger.pem"))
    check(NOT_TRUSTED, MADE.read("below.pem"), detail="intermediate")
    check(NOT_TRUSTED, MADE.read("client.pem"))
    check(NOT_TRUSTED, MADE.read("faker.pem", "good.pem"))
    check(NOT_TRUSTED, MADE.read("self.pem"), host="mx9.example.com")


def dates_are_those_of_the_time_given():
    check(EXPIRED, MADE.read("old.pem"), "--at", at(2), detail="has expired")
    check(None, MADE.read("old.pem"), "--at", at(0.5))
    check(NOT_TRUSTED, MADE.read("good.pem"), "--at", at(-2))
    check(None, MADE.read("good.pem"), "--at",
          at(1).replace("Z", ".25+00:00"))


def the_chain_comes_before_the_name():
    check(EXPIRED, MADE.read("old.pem"), "--at", at(2), host="mx9.example.com")
    check(EXPIRED, MADE.read("cn.pem"), "--at", at(20))


def the_first_certificate_is_the_host_s():
    check(MISMATCH, MADE.read("other.pem", "good.pem"))
    check(None, MADE.read("good.pem", "other.pem"))


def other_things_in_the_file_do_not_matter():
    check(None, b"words\r\n" + MADE.read("good.key", "good.pem"))
    encrypted = MADE.path("encrypted.key")
    openssl("pkey", "-in", MADE.path("good.key"), "-aes128", "-passout",
            "pass:secret", "-out", encrypted)
    check(None, MADE.read("encrypted.key", "good.pem"))


def what_is_no_chain_is_not_trusted():
    good = MADE.read("good.pem")
    broken = good.replace(b"M", b"!", 1)
    for pem in (b"", b"\0" * 1000, b"words\n", MADE.read("good.key"),
                good[:len(good) // 2], broken, good + broken,
                bytes(range(256)) * 64):
        check(NOT_TRUSTED, pem)
    check(NOT_TRUSTED, good + b"x" * (1 << 20), detail="64 KiB")
    check(NOT_TRUSTED, good * 1000, detail="64 KiB")


def the_chain_may_come_from_a_file():
    check(None, b"", MADE.path("good.pem"))
    check(None, MADE.read("good.pem"), "-")


def roots_of_the_system_are_the_default():
    pem = MADE.read("good.pem")
    result = strictmx("lint", "certificate", "--host", MX, stdin=pem)
    assert result.status == 1, result
    assert result.out.startswith("certificate-not-trusted: certificate of "
                                 + MX), result
    result = strictmx("lint", "certificate", "--host", MX, stdin=pem,
                      env={"SSL_CERT_FILE": MADE.path("root.pem")})
    assert result.status == 0, result
    assert result.out == "valid: certificate of %s is good\n" % MX, result


with tempfile.TemporaryDirectory() as scratch:
    MADE = make_all(scratch)
    run([
        a_chain_to_a_trusted_root_with_the_name_is_valid,
        hosts_may_be_written_as_for_match,
        another_name_is_a_mismatch,
        chains_that_lead_nowhere_are_not_trusted,
        dates_are_those_of_the_time_given,
        the_chain_comes_before_the_name,
        the_first_certificate_is_the_host_s,
        other_things_in_the_file_do_not_matter,
        what_is_no_chain_is_not_trusted,
        the_chain_may_come_from_a_file,
        roots_of_the_system_are_the_default,
    ])
