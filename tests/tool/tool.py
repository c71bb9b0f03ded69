# SPDX-License-Identifier: ISC
"""What the tests of strictmx(1) share: calling it, and speaking TAP.

A test is a function whose name is a sentence; it fails by assert.
"""
import json
import os
import subprocess
import sys
import traceback

BUILD = os.environ.get("builddir", ".")
SOURCE = os.environ.get("srcdir", ".")
PROGRAM = os.path.abspath(os.path.join(BUILD, "filter", "strictmx"))
TIMEOUT_S = 60


class Result:
    """How a call ended; what it wrote is printable, whatever it read."""

    def __init__(self, argv, status, out, err):
        self.argv, self.status = argv, status
        self.out, self.err = out.decode("ascii"), err.decode("ascii")
        assert status in (0, 1, 2, 3), self

    def __repr__(self):
        return "%r: %d\n%s\n%s" % (self.argv, self.status, self.out, self.err)

    @property
    def json(self):
        assert self.out.endswith("\n") and self.out.count("\n") == 1, self
        return json.loads(self.out)


def strictmx(*argv, stdin=b"", env=None, cwd=None):
    """argv are strings or bytes."""
    call = subprocess.run([PROGRAM, *argv], input=stdin, timeout=TIMEOUT_S,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=dict(os.environ, **(env or {})), cwd=cwd,
                          check=False)
    return Result(argv, call.returncode, call.stdout, call.stderr)


def run(tests):
    """Runs the functions; the exit status of the program."""
    failed = 0
    print("1..%d" % len(tests))
    for number, test in enumerate(tests, 1):
        name = test.__name__.replace("_", " ")
        try:
            test()
            print("ok %d - %s" % (number, name), flush=True)
        except Exception:  # whatever it is, the next test runs
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            print("not ok %d - %s" % (number, name), flush=True)
    sys.exit(failed > 0)
