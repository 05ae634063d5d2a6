# SPDX-License-Identifier: MIT
"""PB-5, PB-6: programs that take single addresses out of a bundle reach a member that answers, and
what one program finds out, the next one knows."""

import sys

import pytest

from support.clients.bundle_connect import command, results
from support.lab.member_faults import PORT, MemberFaults
from support.lab.three_uplinks import PUBLIC, PUBLIC6, PUBLIC_OTHER
from support.wait import wait_until

URLLIB = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode(), end='')"
ASYNCIO = """
import asyncio, sys
async def main(host, port):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
    print((await reader.read()).decode().split("\\r\\n\\r\\n")[1], end="")
    writer.close()
asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""
PERL = """
use IO::Socket::INET;
my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1]) or die "$@";
print $s "GET / HTTP/1.0\\r\\n\\r\\n"; my @lines = <$s>; print $lines[-1];
"""

PROGRAMS = {
    "urllib": lambda host: [sys.executable, "-c", URLLIB, f"http://{host}:{PORT}/"],
    "asyncio": lambda host: [sys.executable, "-c", ASYNCIO, host, PORT],
    "perl": lambda host: ["perl", "-e", PERL, host, PORT],
}


@pytest.fixture
def members(lab):
    return MemberFaults(lab.server)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("dead", [PUBLIC, PUBLIC6])
def test_programs_that_take_single_addresses(lab, broker, members, program, dead):
    if (program, dead) == ("perl", PUBLIC6):
        dead = "100.64.2.77"  # it asks for IPv4 alone; nobody has this address
    members.silence(dead)
    name = f"<{dead},{PUBLIC_OTHER}>"
    done = lab.px(broker, PROGRAMS[program](name), "empty")
    assert done.stdout.split()[1] == PUBLIC_OTHER


def test_what_one_program_learns_the_next_one_knows(lab, broker, members):
    members.silence(PUBLIC)
    words = command("-n", PUBLIC, PUBLIC_OTHER)

    def goes_straight():
        lab.flows.reset()
        assert results(lab.px(broker, words, "empty"))["peer"] == PUBLIC_OTHER
        return lab.flows.left(PUBLIC) == {} and lab.flows.left(PUBLIC_OTHER) == {"lan0": 1}

    assert not goes_straight()
    wait_until(goes_straight, "the broker has published who answers")


# Connects to what is left of a bundle that getaddrinfo has given before.
CUT = """
import ctypes, socket, struct, sys
name, port, kept, flags, length = sys.argv[1], int(sys.argv[2]), *map(int, sys.argv[3:])
socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
members = [socket.inet_aton(word) for word in name.strip("<>").split(",")][:6]
bundle = struct.pack("=H2sBBHI", 230, port.to_bytes(2), len(members), flags,
                     12 + 16 * len(members), 0)
bundle += b"".join(struct.pack("=HH4s8x", 2, 0, member) for member in members)
sock = socket.socket(socket.AF_INET6)
bundle = bundle[:kept].ljust(length, b"\\0")
print(ctypes.CDLL(None).connect(sock.fileno(), bundle, length), sock.getpeername()[0])
"""


def cut(lab, broker, addresses, *words):
    name = f"<{','.join(addresses)}>"
    argv_of_cut = [sys.executable, "-c", CUT, name, PORT, *words]
    return lab.px(broker, argv_of_cut, "empty").stdout.split()


def test_a_bundle_that_did_not_fit(lab, broker, members):
    members.silence(PUBLIC)
    reached = ["0", f"::ffff:{PUBLIC_OTHER}"]
    # Copied into a sockaddr_in6, with the length that was given.
    assert cut(lab, broker, [PUBLIC, PUBLIC_OTHER], 28, 0, 112) == reached
    # Seven where six fit.
    silent = [f"100.64.2.{number}" for number in range(77, 83)]
    assert cut(lab, broker, [*silent, PUBLIC_OTHER], 108, 1, 108) == reached
