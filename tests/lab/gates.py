# SPDX-License-Identifier: ISC
"""Both gates: the mail server with the filter, and strictmxd's relay behind
it."""
from contextlib import contextmanager

from query_client import start_daemon


@contextmanager
def both_gates(lab, relay=None, before=(), **settings):
    """The daemon, while mail goes out through its relay. The filter keeps an
    engine of its own, so that each gate finds out for itself. before: as in
    start_daemon()."""
    lab.server.stop()
    lab.configure(relay=relay or {}, **settings)
    daemon = start_daemon(lab, before)
    lab.server.start(relayed=True)
    try:
        yield daemon
    finally:
        daemon.stop()
        lab.server.stop()
        lab.configure()
        lab.server.start()
