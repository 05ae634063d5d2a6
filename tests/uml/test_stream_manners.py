# SPDX-License-Identifier: MIT
"""What programs that were written for TCP find where their streams are SCTP associations."""

import pathlib
import signal
import sys

from two_paths import BUNDLE, FIRST, SECOND, SPELLED, associations
from wait import wait_until

# connect(2) of a blocking socket, and again after EINTR: prints how each ended, "0" for a success.
# What arrives while it waits is one byte of stdout: the number of the signal.
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


def connecting(ends):
    """A program in a blocking connect(2) that nobody answers yet."""
    for address in (FIRST, SECOND):
        ends.paths.filter(ends.paths.server, "INPUT", "-d", address)
    client = ends.start([sys.executable, "-c", CONNECT, SPELLED], "patient", stdin=-1, stdout=-1)
    wait_until(lambda: associations(ends.paths.client, 7001), "the program is connecting")
    return client


def is_in_state(client, letter):
    text = pathlib.Path(f"/proc/{client.pid}/stat").read_text(encoding="utf-8")
    return text.rpartition(")")[2].split()[0] == letter


def signalled(client, number):
    client.send_signal(number)
    assert client.stdout.read(1) == chr(number)


def test_handlers_restart_a_connect_or_end_it(ends):
    client = connecting(ends)
    for _ in range(2):
        signalled(client, signal.SIGUSR1)
        wait_until(lambda: is_in_state(client, "S"), "it is connecting again")
    signalled(client, signal.SIGUSR2)
    assert client.stdout.readline() == "EINTR\n"


def test_a_program_that_is_stopped_while_it_connects(ends):
    ends.serve(["nc", "-l", BUNDLE, "7001"], 7001, stdin=-1)
    client = connecting(ends)
    client.send_signal(signal.SIGSTOP)
    wait_until(lambda: is_in_state(client, "T"), "it is stopped")
    ends.paths.server.run(["iptables-legacy", "--flush"])
    ends.await_both(7001)
    client.send_signal(signal.SIGCONT)
    assert client.stdout.readline() == "0\n"


# How much has not arrived, after each line of its input.
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
        ends.paths.filter(ends.paths.server, "INPUT", "-d", address)
    assert queued("x" * 999) >= 1000
    ends.paths.server.run(["iptables-legacy", "--flush"])
    assert server.stdout.readline() == "x" * 999 + "\n"
    wait_until(lambda: not queued(""), "all has arrived")
