# SPDX-License-Identifier: ISC
"""Bad days of strictmxd's socket: clients that flood it, fill it or never
read. Meanwhile the filter beside them is answered."""
import resource

from filter_peer import FilterPeer, session_name
from mail_server import QUERY_SOCKET
from query_client import QueryClient, ask_once, start_daemon
from trials import BAD

CLIENTS = 1000
MEGABYTE = 1 << 20
IN_TIME_S = 1.0


def clients(lab):
    """clients of strictmxd's socket that mean no good"""
    check = lab.rows.check
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    lab.server.stop()
    daemon = start_daemon(lab)
    filter_ = FilterPeer(lab.logs + "/filter.log", "-s", QUERY_SOCKET)
    filter_.begin()
    peer = Peer(filter_)
    peer.in_time()          # both domains are kept from now on
    for name, expected, trial in (
            ("a megabyte, no newline", "error, filter in time", one_line),
            ("100 of these at once", "filter in time", many_lines),
            ("%d clients" % CLIENTS, "all answered, filter in time", crowd),
            ("clients that never read", "filter in time", deaf),
            ("half a request, for ever", "filter in time", halves)):
        check(name, expected, lambda: trial(peer))
    check("the filter", "no wrong line, ends with 0", lambda: (
        "%d wrong" % len(filter_.wrong),
        not filter_.wrong and filter_.end() == 0))
    check("strictmxd", "exit status 0", lambda: (
        (lambda status: (str(status), status == 0))(daemon.stop())))
    lab.server.start()


class Peer:
    def __init__(self, filter_):
        self.filter = filter_
        self.n = 0

    def one(self, domain):
        self.n += 1
        return self.filter.one(session_name(self.n), "user@" + domain)

    def in_time(self):
        """(slowest of some answers in s, whether all are right)"""
        slowest, right = 0, True
        for _ in range(10):
            good, good_s = self.one("good.test")
            bad, bad_s = self.one(BAD)
            slowest = max(slowest, good_s, bad_s)
            right = right and good == "proceed" and \
                bad.startswith("reject|451 4.7.4 ")
        return slowest, right

    def row(self, happened, ok):
        slowest, right = self.in_time()
        return "%s, filter %.0f ms" % (happened, 1000 * slowest), \
            ok and right and slowest < IN_TIME_S


def one_line(peer):
    client = QueryClient().greeted()
    client.send(b"x" * MEGABYTE)
    line = client.line()
    row = peer.row(line, line.startswith("- error "))
    client.close()
    return row


def many_lines(peer):
    all_ = [QueryClient().greeted() for _ in range(100)]
    for client in all_:
        client.sock.settimeout(5)
        client.send(b"x" * MEGABYTE)
    row = peer.row("%d sent" % len(all_), True)
    for client in all_:
        client.close()
    return row


def crowd(peer):
    all_ = [QueryClient().greeted() for _ in range(CLIENTS)]
    for client in all_:
        client.request("rcpt", "user@" + BAD)
    right = sum(client.line().startswith("1 defer 451 4.7.4 ")
                for client in all_)
    row = peer.row("%d answered" % right, right == CLIENTS)
    for client in all_:
        client.close()
    return row


def deaf(peer):
    """Until the kernel's buffers and those of strictmxd are full."""
    all_ = [QueryClient(0.3) for _ in range(10)]
    sent = 0
    for client in all_:
        try:
            for _ in range(200):
                client.send(b"1 explain user@good.test\n" * 1000)
                sent += 1000
        except TimeoutError:
            pass            # it reads no more from us either
    row = peer.row("%d requests" % sent, sent > 0)
    for client in all_:
        client.close()
    return row


def halves(peer):
    all_ = [QueryClient() for _ in range(200)]
    for client in all_:
        client.send(b"1 rcpt user@")
    row = peer.row("%d" % len(all_), ask_once("user@" + BAD)[0] == "defer")
    for client in all_:
        client.close()
    return row


TRIALS = [clients]
