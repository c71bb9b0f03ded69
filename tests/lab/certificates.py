# SPDX-License-Identifier: ISC
"""A private certificate authority and the good and bad certificates below it.

Made with openssl(1). All leaf certificates share one key: what is judged is
the certificate, and the lab begins sooner.
"""
import hashlib
import os
import subprocess
from dataclasses import dataclass

from namespace import run, write


@dataclass(frozen=True)
class Certificate:
    """What a server shows: names are its SAN dNSNames, cn its subject."""
    names: tuple = ()
    cn: str = "lab"
    # "lab", "unknown", "sub" (below "unknown", sent along) or "self"
    issuer: str = "lab"
    expired: bool = False


def good(*names):
    return Certificate(names)


def expired(*names):
    return Certificate(names, expired=True)


def self_signed(*names):
    return Certificate(names, issuer="self")


def unknown_ca(*names):
    return Certificate(names, issuer="unknown")


def below_sub(*names):
    return Certificate(names, issuer="sub")


def cn_only(name):
    return Certificate(cn=name)


def output(*argv, stdin=b""):
    return subprocess.run(argv, check=True, input=stdin,
                          stdout=subprocess.PIPE).stdout


CONFIG = """
[req]
distinguished_name = empty
prompt = no
[empty]
[ca]
default_ca = lab
[lab]
new_certs_dir = {0}
database = {0}/index
serial = {0}/serial
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""


class Authority:
    """Makes certificates below directory; the same one only once."""

    def __init__(self, directory):
        self.directory = directory
        self.key = os.path.join(directory, "leaf.key")
        self.made = {}
        os.makedirs(directory)
        write(self.path("openssl.conf"), CONFIG.format(directory))
        write(self.path("index"), "")
        write(self.path("serial"), "1000\n")
        self.new_key(self.key)
        self.new_authority("lab")
        self.new_authority("unknown")
        self.new_authority("sub", "unknown")

    def path(self, name):
        return os.path.join(self.directory, name)

    @property
    def bundle(self):
        """The file of trusted certificates: the lab's authority alone."""
        return self.path("lab.pem")

    def key_digest(self):
        """That of the key of all leaf certificates, for TLSA 3 1 1."""
        path = self.path("leaf.pub")
        run("openssl", "pkey", "-in", self.key, "-pubout", "-outform", "DER",
            "-out", path)
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def new_key(self, path):
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-out", path)
        os.chmod(path, 0o600)

    def new_authority(self, name, issuer=None):
        self.new_key(self.path(name + ".key"))
        below = [] if issuer is None else [
            "-CA", self.path(issuer + ".pem"),
            "-CAkey", self.path(issuer + ".key")]
        self.request("-x509", "-days", "30",
                     "-subj", "/CN=%s authority" % name,
                     "-key", self.path(name + ".key"),
                     "-addext", "basicConstraints=critical,CA:TRUE",
                     "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                     "-out", self.path(name + ".pem"), *below)

    def request(self, *argv):
        run("openssl", "req", "-new", "-config", self.path("openssl.conf"),
            *argv)

    def file(self, certificate):
        """The PEM file of a certificate; self.key belongs to it."""
        if certificate not in self.made:
            path = self.path("%d.pem" % len(self.made))
            self.make(certificate, path)
            if certificate.issuer == "sub":
                with open(self.path("sub.pem"), encoding="ascii") as sub, \
                        open(path, "a", encoding="ascii") as file:
                    file.write(sub.read())
            self.made[certificate] = path
        return self.made[certificate]

    def make(self, certificate, path):
        if certificate.expired:
            self.make_expired(certificate, path)
            return
        argv = self.subject(certificate)
        argv += ["-addext", "basicConstraints=critical,CA:FALSE"]
        if certificate.issuer != "self":
            argv += ["-CA", self.path(certificate.issuer + ".pem"),
                     "-CAkey", self.path(certificate.issuer + ".key")]
        self.request("-x509", "-days", "10", "-key", self.key, "-out", path,
                     *argv)

    def make_expired(self, certificate, path):
        """Only `openssl ca` takes the dates (OpenSSL 3.0)."""
        request = path + ".csr"
        extensions = path + ".ext"
        self.request("-key", self.key, "-out", request,
                     *self.subject(certificate))
        write(extensions, "subjectAltName=%s\n" % self.names(certificate))
        run("openssl", "ca", "-batch", "-notext", "-config",
            self.path("openssl.conf"), "-cert", self.path("lab.pem"),
            "-keyfile", self.path("lab.key"), "-in", request, "-out", path,
            "-extfile", extensions, "-startdate", "20200101000000Z",
            "-enddate", "20200201000000Z")

    def subject(self, certificate):
        argv = ["-subj", "/CN=" + certificate.cn]
        if certificate.names:
            argv += ["-addext", "subjectAltName=" + self.names(certificate)]
        return argv

    def tlsa(self, usage, selector, mtype, path):
        """A TLSA record of the first certificate in a file, as in a zone."""
        if selector == 0:
            data = output("openssl", "x509", "-in", path, "-outform", "DER")
        else:
            key = output("openssl", "x509", "-in", path, "-noout", "-pubkey")
            data = output("openssl", "pkey", "-pubin", "-outform", "DER",
                          stdin=key)
        if mtype:
            data = hashlib.new("sha256" if mtype == 1 else "sha512",
                               data).digest()
        return "%d %d %d %s" % (usage, selector, mtype, data.hex())

    @staticmethod
    def names(certificate):
        return ",".join("DNS:" + name for name in certificate.names)
