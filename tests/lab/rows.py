# SPDX-License-Identifier: ISC
"""The table that the lab prints: what was expected, what happened."""
import sys
import time


class Rows:
    def __init__(self):
        self.start = time.monotonic()
        self.passed = 0
        self.failed = []
        self.name = ""          # of the last row

    def stage(self, text):
        print("[%6.1f s] %s" % (time.monotonic() - self.start, text),
              flush=True)

    def add(self, name, expected, happened, ok, *details):
        """details: lines below the row, such as the server's reply. A name is
        not printed twice in a row."""
        print("%-5s  %-24s %-38s %s" % ("OK" if ok else "WRONG",
                                        "" if name == self.name else name,
                                        expected, happened))
        self.name = name
        for line in details:
            print("         %s" % line)
        sys.stdout.flush()
        if ok:
            self.passed += 1
        else:
            self.failed.append(name)

    def check(self, name, expected, trial):
        """A row of its own: trial() returns (what happened, whether that is
        right, more lines...) or raises."""
        try:
            happened, ok, *details = trial()
        except Exception as error:      # a broken trial is a failed row
            happened, ok, details = "%s: %s" % (
                type(error).__name__, error), False, []
        self.add(name, expected, happened, ok, *details)

    def end(self):
        """The last line; True when all is well."""
        if self.failed:
            print("wrong: " + ", ".join(self.failed))
        print("%d passed, %d failed" % (self.passed, len(self.failed)))
        return not self.failed and self.passed > 0
