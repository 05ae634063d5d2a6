# SPDX-License-Identifier: MIT
"""TCP compatibility: what programs written for TCP find where streams are SCTP associations."""

import signal
import sys

import pytest

from support.lab.two_links import BUNDLE, FIRST, SECOND, SPELLED, associations
from support.processes import state
from support.programs import program_file
from support.wait import wait_until

# connect(2) of a blocking socket, and again after EINTR: prints how each ended, "0" for a success.
# A signal that arrives while it waits is one byte of stdout: its number.
CONNECT = """
import ctypes, errno, os, signal, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
for number, restarts in ((signal.SIGUSR1, True), (signal.SIGUSR2, False)):
    signal.signal(number, lambda *_: None)
    signal.siginterrupt(number, not restarts)
out = os.dup(1)
os.set_blocking(out, False)
signal.set_wakeup_fd(out)
(*_, (host, port)), *_ = socket.getaddrinfo(sys.argv[1], 7001, socket.AF_INET, socket.SOCK_STREAM)
address = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton(host))
with socket.socket() as sock:
    result = libc.connect(sock.fileno(), address, len(address))
    print("0" if result == 0 else errno.errorcode[ctypes.get_errno()], flush=True)
    sys.stdin.read()
"""


def connecting(ends, name=SPELLED):
    """A program in a blocking connect(2) that is not answered yet."""
    for address in (FIRST, SECOND):
        ends.lab.filter(ends.lab.server, "INPUT", "-d", address)
    client = ends.start([sys.executable, "-c", CONNECT, name], "patient", stdin=-1, stdout=-1)
    wait_until(lambda: associations(ends.lab.client, 7001), "the program is connecting")
    return client


def signalled(client, number):
    client.send_signal(number)
    assert client.stdout.read(1) == chr(number)


@pytest.mark.parametrize("name", [SPELLED, FIRST])
def test_handlers_restart_a_connect_or_end_it(ends, name):
    client = connecting(ends, name)
    for _ in range(2):
        signalled(client, signal.SIGUSR1)
        wait_until(lambda: state(client.pid) == "S", "it is connecting again")
    signalled(client, signal.SIGUSR2)
    assert client.stdout.readline() == "EINTR\n"


def test_a_program_that_is_stopped_while_it_connects(ends):
    ends.serve(["nc", "-l", BUNDLE, "7001"], 7001, stdin=-1)
    client = connecting(ends)
    client.send_signal(signal.SIGSTOP)
    wait_until(lambda: state(client.pid) == "T", "it is stopped")
    ends.lab.server.run(["iptables-legacy", "--flush"])
    ends.await_both(7001)
    client.send_signal(signal.SIGCONT)
    assert client.stdout.readline() == "0\n"


# Prints after each line of input how much has not arrived.
QUEUE = """
import fcntl, socket, struct, sys, termios
with socket.create_connection((sys.argv[1], 7001)) as sock:
    for line in sys.stdin:
        sock.sendall(line.encode() if line.strip() else b"")
        print(*struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4))), flush=True)
"""


def test_how_much_has_not_arrived(ends):
    server = ends.serve(["nc", "-l", BUNDLE, "7001"], 7001, stdin=-1, stdout=-1)
    client = ends.start([sys.executable, "-c", QUEUE, SPELLED], "all", stdin=-1, stdout=-1)

    def queued(line):
        client.stdin.write(f"{line}\n")
        client.stdin.flush()
        return int(client.stdout.readline())

    ends.await_both(7001)
    for address in (FIRST, SECOND):
        ends.lab.filter(ends.lab.server, "INPUT", "-d", address)
    assert queued("x" * 999) >= 1000
    ends.lab.server.run(["iptables-legacy", "--flush"])
    assert server.stdout.readline() == "x" * 999 + "\n"
    wait_until(lambda: not queued(""), "all has arrived")


# Prints how many bytes each connection has brought, one after the other.
COUNT = """
import socket
listener = socket.socket()
listener.bind(("0.0.0.0", 7001))
listener.listen()
while True:
    peer, _ = listener.accept()
    print(sum(map(len, iter(lambda: peer.recv(65536), b""))), flush=True)
"""

# Connects by the first send; prints how much that has sent, and the peer.
FAST_OPEN = """
import select, socket, sys
(*_, address), *_ = socket.getaddrinfo(sys.argv[3], 7001, socket.AF_INET, socket.SOCK_STREAM)
data = b"x" * int(sys.argv[2])
with socket.socket() as sock:
    if sys.argv[1] == "sendto":
        sent = sock.sendto(data, socket.MSG_FASTOPEN, address)
    elif sys.argv[1] == "sendmsg":
        sent = sock.sendmsg([data], [], socket.MSG_FASTOPEN, address)
    else:
        sock.setblocking(False)
        try:
            sock.sendto(data, socket.MSG_FASTOPEN, address)
        except BlockingIOError:
            select.select([], [sock], [])
            sent = sock.send(data)
    print(sent, sock.getpeername()[0])
"""


@pytest.mark.parametrize("how, size", [("sendto", 5), ("sendmsg", 500_000), ("nonblocking", 5)])
def test_connects_by_sends(ends, how, size):
    server = ends.serve([sys.executable, "-c", COUNT], 7001, stdout=-1)
    # As with a connect, it goes to the bundle.
    ends.lab.cut(FIRST)
    argv = [sys.executable, "-c", FAST_OPEN, how, str(size), SPELLED]
    assert ends.run(argv, "all").stdout == f"{size} {SECOND}\n"
    assert server.stdout.readline() == f"{size}\n"


def test_connects_by_sendmmsg(ends):
    server = ends.serve([sys.executable, "-c", COUNT], 7001, stdout=-1)
    done = ends.run([program_file("tfo_connect"), "sendmmsg", FIRST, "7001"], "all")
    assert done.stdout.splitlines() == ["sendmmsg: ok", "local: 10.1.0.1"]
    assert server.stdout.readline() == "1\n"


# Messages by sendmmsg(2), which is called until all are sent.
MESSAGES = """
import ctypes, os, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
data = ctypes.create_string_buffer(500_000)
sizes = [10, 500_000, 20]
parts = [struct.pack("PN", ctypes.addressof(data), size) for size in sizes]
room = [ctypes.create_string_buffer(part) for part in parts]
heads = [struct.pack("PI4xPNPNi4xI4x", 0, 0, ctypes.addressof(one), 1, 0, 0, 0, 0) for one in room]
messages = ctypes.create_string_buffer(b"".join(heads))
with socket.create_connection((sys.argv[1], 7001)) as sock:
    while sizes:
        at = ctypes.byref(messages, (3 - len(sizes)) * len(heads[0]))
        sent = libc.sendmmsg(sock.fileno(), at, len(sizes), 0)
        assert sent > 0, os.strerror(ctypes.get_errno())
        for size in sizes[:sent]:
            head = struct.unpack_from("PI4xPNPNi4xI4x", messages, (3 - len(sizes)) * len(heads[0]))
            assert head[-1] == size, head
            sizes.pop(0)
"""


def test_large_messages_by_sendmmsg(ends):
    server = ends.serve([sys.executable, "-c", COUNT], 7001, stdout=-1)
    ends.run([sys.executable, "-c", MESSAGES, FIRST], "all")
    assert server.stdout.readline() == "500030\n"
