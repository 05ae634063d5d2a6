# SPDX-License-Identifier: MIT
"""PB-8: one member of a bundle answers, but no association comes of it, and another one takes over.
PB-5: both are tried together where the first one is dead. PB-12: nobody waits for SCTP where it does
not get through."""

import sys

import pytest

from support.lab.two_links import BUNDLE, FIRST, SECOND, bound_ports
from support.wait import wait_until

# IO::Socket::IP takes the bundle entry as it comes.
CONNECT = """
use IO::Socket::IP; use Time::HiRes 'time'; $| = 1;
my $begin = time;
my $s = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => 7001, Type => SOCK_STREAM) or die $@;
printf "%.3f\\n", time - $begin;
<STDIN>;
"""
PLAIN = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, int(sys.argv[1]))
s.bind(("0.0.0.0", 7001)); s.listen(); accepted = []
while True:
    accepted.append(s.accept())
"""
SCTP = ("-p", "sctp")
REFUSE = ("-j", "REJECT", "--reject-with")


def chunks(*names):
    return (*SCTP, "-m", "sctp", "--chunk-types", "any", *names)


CASES = {
    "dead": [("INPUT", "-d", FIRST)],
    "no answer to cookies": [("INPUT", "-d", FIRST, *chunks("COOKIE_ECHO"))],
    "acknowledgement of cookies lost": [("OUTPUT", "-s", FIRST, *chunks("COOKIE_ACK"))],
    "protocol unreachable": [("INPUT", "-d", FIRST, *SCTP, *REFUSE, "icmp-proto-unreachable")],
}


@pytest.fixture
def server(ends):
    return ends.serve(["nc", "-l", BUNDLE, "7001"], 7001, stdin=-1)


@pytest.fixture
def plain_server(ends):
    """Without px, and so with the kernel's own times."""
    ends.lab.server.popen([sys.executable, "-c", PLAIN, "132"], stdin=-1)
    wait_until(lambda: "7001" in bound_ports(ends.lab.server), "the server listens")


def connect(ends, bundle=BUNDLE, profile="sctp"):
    client = ends.start(["perl", "-e", CONNECT, bundle], profile, stdin=-1, stdout=-1)
    line = client.stdout.readline()
    assert line, "not connected"
    return float(line)


@pytest.mark.parametrize("case", CASES)
def test_another_member_takes_over(ends, server, case):
    for rule in CASES[case]:
        ends.lab.filter(ends.lab.server, *rule)
    assert connect(ends) < 1


def test_another_member_takes_over_from_one_that_aborts(ends):
    # Nobody listens at the first address, so the server's kernel answers INIT by ABORT.
    ends.serve(["nc", "-l", SECOND, "7001"], 7001, stdin=-1)
    assert connect(ends) < 1


# Of a plain server, an acknowledgement that is lost takes longer: see docs/limitations.md.
@pytest.mark.parametrize("case", [case for case in CASES if "acknowledgement" not in case])
def test_the_same_with_a_plain_server(ends, plain_server, case):
    for rule in CASES[case]:
        ends.lab.filter(ends.lab.server, *rule)
    assert connect(ends) < 1


def test_an_alternative_takes_over_from_a_host_that_is_dead(ends):
    ends.serve(["nc", "-l", SECOND, "7001"], 7001, stdin=-1)
    ends.lab.cut(FIRST)
    assert connect(ends, f"<{FIRST}|{SECOND}>") < 1


def test_tcp_takes_over_where_sctp_is_dropped(ends):
    ends.lab.server.popen([sys.executable, "-c", PLAIN, "6"], stdin=-1)
    ends.lab.server.listens(7001)
    ends.lab.filter(ends.lab.server, "INPUT", *SCTP)
    assert connect(ends) < 1


def packets(end, chain="INPUT"):
    """How many the one rule of the chain has counted."""
    lines = end.run(["iptables-legacy", "-vnxL", chain]).stdout.splitlines()
    (rule,) = lines[2:]
    return int(rule.split()[0])


def test_that_sctp_is_dropped_is_remembered_in_that_network(ends):
    server = ends.lab.server
    server.popen([sys.executable, "-c", PLAIN, "6"], stdin=-1)
    server.listens(7001)
    ends.lab.filter(server, "INPUT", *SCTP)
    connect(ends)
    tried = packets(server)
    assert tried > 0
    ends.client_broker.ask("status")  # It has read what the program said before.
    connect(ends)
    assert packets(server) == tried
    ends.lab.client.ip("address add 10.1.0.9/24 dev p1")
    known = lambda: "10.1.0.9" in ends.client_broker.pxctl("paths").stdout
    wait_until(known, "the broker has seen another network")
    connect(ends)
    ends.lab.client.ip("address delete 10.1.0.9/24 dev p1")
    assert packets(server) > tried


def test_tcp_takes_over_where_the_acknowledgement_is_lost(ends, plain_server):
    """A plain server repeats it for seconds at an address that is dead."""
    for rule in CASES["acknowledgement of cookies lost"]:
        ends.lab.filter(ends.lab.server, *rule)
    ends.lab.server.popen([sys.executable, "-c", PLAIN, "6"], stdin=-1)
    ends.lab.server.listens(7001)
    assert connect(ends) < 1


def test_a_far_member_is_left_alone_by_the_next_program(ends):
    """Once one program knows how far it is, the second member gets not one packet."""
    server = ends.lab.server
    server.popen([sys.executable, "-c", PLAIN, "6"], stdin=-1)
    server.listens(7001)
    for link, delay in (("p1", "250ms"), ("p2", "800ms")):
        ends.lab.client.run(["tc", "qdisc", "add", "dev", link, "root", "netem", "delay", delay])
    # As they leave: on the way they take their time.
    ends.lab.filter(
        ends.lab.client, "OUTPUT", "-p", "tcp", "--syn", "-d", SECOND, "-j", "ACCEPT"
    )
    connect(ends, profile="tcp")
    tried = packets(ends.lab.client, "OUTPUT")
    assert tried > 0, "the first one was far enough to be doubted"
    ends.client_broker.ask("status")  # It has read what the program said before.
    connect(ends, profile="tcp")
    assert packets(ends.lab.client, "OUTPUT") == tried
