# SPDX-License-Identifier: MIT
"""PB-8: one member of a bundle answers, but no association comes of it, and another one takes over.
PB-5: both are tried together where the first one is dead."""

import pytest

from support.lab.two_links import BUNDLE, FIRST, SECOND

# IO::Socket::IP takes the bundle entry as it comes.
CONNECT = """
use IO::Socket::IP; use Time::HiRes 'time'; $| = 1;
my $begin = time;
my $s = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => 7001, Type => SOCK_STREAM) or die $@;
printf "%.3f\\n", time - $begin;
<STDIN>;
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


def connect(ends):
    client = ends.start(["perl", "-e", CONNECT, BUNDLE], stdin=-1, stdout=-1)
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
