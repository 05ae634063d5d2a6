# SPDX-License-Identifier: MIT
"""PB-4, PX-4: a bundle over two uplinks uses both. Each address of an association goes by its own
member's rule, where the routing table would send all by one.

  +--------+ p1   metric 100   p1 +--------+
  | client |----------------------| server | 10.20.0.1 fd20::1                "via one"
  |        |----------------------|        | 10.20.0.2 fd20::2 198.51.100.2   "via two"
  +--------+ p2   metric 200   p2 +--------+ 10.20.0.3: blocked; 10.20.0.4: no rule
"""

import os
import re
import socket

import pytest

from support.clients.broker_session import BrokerSession
from support.clients.transfer import transfer
from support.lab.broker import Broker
from support.lab.two_links import FIRST, POLICY, SECOND, associations
from support.unprivileged import build_for_all, without_capabilities
from support.wait import wait_until

A, B, BLOCKED, NO_RULE = "10.20.0.1", "10.20.0.2", "10.20.0.3", "10.20.0.4"
A6, B6, GLOBAL_B = "fd20::1", "fd20::2", "198.51.100.2"
FAR = (A, B, BLOCKED, NO_RULE, A6, B6, GLOBAL_B)
PORT, SCTP = 7001, 132

UPLINKS = f"""version: 1
paths:
  one: {{ interface: p1 }}
  two: {{ interface: p2 }}
profiles:
  all:
    bundle: {{ transports: [sctp, tcp], sockets: all }}
    rules:
      - {{ to: [{A}, "{A6}"], via: one }}
      - {{ to: [{B}, "{B6}", {GLOBAL_B}], via: two }}
      - {{ to: {BLOCKED}, action: block }}
"""


def routes(verb):
    return [
        f"route {verb} {network} via {router} dev p{number} metric {number}00"
        for number in (1, 2)
        for network, router in (("default", f"10.{number}.0.2"), ("::/0", f"fd0{number}::2"))
    ]


def bring_up(client, *verbs):
    """The second link, with the IPv6 address that was lost with it."""
    client.ip("link set p2 up", "address replace fd02::1/64 dev p2 nodad")
    for verb in ("replace", *verbs):
        client.ip(*routes(verb))


@pytest.fixture
def far(lab):
    """Addresses of the server behind its links."""
    addresses = [f"{each}/{128 if ':' in each else 32} dev lo" for each in FAR]
    lab.server.ip(*(f"address add {each}" for each in addresses))
    lab.client.ip(*routes("replace"))
    # Also on a slow machine a connection must outlast the cut.
    lab.client.sysctl(net__sctp__association_max_retrans=100)
    yield
    lab.client.sysctl(net__sctp__association_max_retrans=10)
    bring_up(lab.client, "delete")
    lab.server.ip(*(f"address delete {each}" for each in addresses))


@pytest.fixture
def brokers(lab, far, tmp_path):
    directory = lab.directory / tmp_path.name
    ends = [
        Broker(lab.client, directory / "client", UPLINKS),
        Broker(lab.server, directory / "server", POLICY),
    ]
    yield ends
    # The last packets of a connection must not be counted in the next test.
    for end in (lab.client, lab.server):
        for process in end.processes:
            if process not in (ends[0].process, ends[1].process):
                process.kill()
    let_pass(lab)
    wait_until(lambda: not associations(lab.client), "all connections have ended", 20)
    for broker in ends:
        assert broker.stop() == 0, broker.log_text
    assert not port_rules(lab.client)


def let_pass(lab):
    """Ends every cut."""
    for tool in ("iptables-legacy", "ip6tables-legacy"):
        lab.server.run([tool, "--flush"])


def port_rules(end):
    """px's routing rules for SCTP ports."""
    both = end.run(["ip", "-4", "rule"]).stdout + end.run(["ip", "-6", "rule"]).stdout
    return [line for line in both.splitlines() if "sport" in line]


class Counted:
    """How many packets have left the client for an address, by link."""

    def __init__(self, lab):
        self.lab = lab
        for link in ("p1", "p2"):
            for address in (*FAR, FIRST, SECOND):
                lab.filter(lab.client, "OUTPUT", "-o", link, "-d", address, "-j", "ACCEPT")

    def links_to(self, address):
        """The links by which anything has left for it; waits for the first packet."""
        return wait_until(lambda: self.left(address), f"a packet to {address}").keys()

    def left(self, address):
        tool = "ip6tables-legacy" if ":" in address else "iptables-legacy"
        listing = self.lab.client.run([tool, "-vnxL", "OUTPUT"]).stdout
        found = {}
        for line in listing.splitlines():
            words = line.split()
            if len(words) > 2 and words[-1] == address and int(words[0]) > 0:
                found[next(word for word in words if re.fullmatch("p[12]", word))] = int(words[0])
        return found


@pytest.fixture
def counted(lab):
    return Counted(lab)


def server_of(ends, addresses):
    argv = ["nc", "-l", f"<{','.join(addresses)}>", str(PORT)]
    return ends.serve(argv, PORT, stdin=-1, stdout=-1)


def peer_addresses(end):
    """{address of the peer: whether it is active} of the one association."""
    lines = end.run(["cat", "/proc/net/sctp/remaddr"]).stdout.splitlines()[1:]
    active = "2"
    return {short(line.split()[0]): line.split()[-1] == active for line in lines}


def short(address):
    return re.sub(":0000(:0000)*:", "::", address, count=1).replace(":000", ":")


def await_active(ends, wanted):
    def are_there():
        there = peer_addresses(ends.lab.client)
        return all(there.get(address) for address in wanted)

    wait_until(are_there, f"active addresses {wanted}")


def connect(ends, addresses, active=None):
    """nc, connected to a server at these addresses, which are active."""
    server = server_of(ends, addresses)
    client = ends.start(["nc", f"<{','.join(addresses)}>", str(PORT)], "all", stdin=-1, stdout=-1)
    await_active(ends, active or addresses)
    return client, server


def say(client, server, line="hello\n"):
    client.stdin.write(line)
    client.stdin.flush()
    assert server.stdout.readline() == line


def cut(lab, link):
    lab.filter(lab.server, "INPUT", "-i", link)
    lab.filter(lab.server, "OUTPUT", "-o", link)


def end(ends, *programs):
    for program in programs:
        program.kill()
    let_pass(ends.lab)
    wait_until(lambda: not associations(ends.lab.client), "the connection has ended", 20)


def test_each_member_goes_by_its_own_rule(ends, counted):
    for to_a, to_b in ((A, B), (A6, B6), (A, B6)):
        client, server = connect(ends, (to_a, to_b))
        (association,) = associations(ends.lab.client, PORT)
        own = {"fd01::1" if ":" in to_a else "10.1.0.1", "fd02::1" if ":" in to_b else "10.2.0.1"}
        assert {short(address) for address in association[1]} == own
        doctor = ends.client_broker.ask("doctor")
        assert doctor["healthy"] and not doctor["foreign_rules"], doctor
        say(client, server)
        cut(ends.lab, "p1")
        say(client, server)
        assert counted.links_to(to_a) == {"p1"}
        assert counted.links_to(to_b) == {"p2"}
        end(ends, client, server)


def test_members_of_every_kind(ends, counted):
    """A member without a rule, both families of one uplink, a global one, and a blocked one."""
    named = (NO_RULE, B, B6, GLOBAL_B)
    client, server = connect(ends, (*named, BLOCKED), active=named)
    say(client, server)
    assert counted.links_to(NO_RULE) == {"p1"}
    for alone in (B, B6, GLOBAL_B):
        for other in named:
            if other != alone:
                ends.lab.filter(ends.lab.server, "INPUT", "-d", other)
        say(client, server)
        assert counted.links_to(alone) == {"p2"}
        let_pass(ends.lab)
    assert not counted.left(BLOCKED)


def test_a_member_that_a_rule_leaves_to_the_host(ends, counted):
    """`action: system` before a path that would take it."""
    rules = f"      - {{ to: {NO_RULE}, action: system }}\n      - {{ to: any, via: two }}\n"
    assert ends.client_broker.reload(UPLINKS + rules).returncode == 0
    client, server = connect(ends, (NO_RULE, B))
    say(client, server)
    cut(ends.lab, "p1")
    say(client, server)
    assert counted.links_to(NO_RULE) == {"p1"}
    assert counted.links_to(B) == {"p2"}
    end(ends, client, server)


def test_a_transfer_survives_the_first_uplink(ends, counted):
    """The server names all its addresses, and answers from others than the bundle's."""
    transfer(ends, lambda: cut(ends.lab, "p1"), f"{A}.and.{B}.bundle", seconds=1.5)
    assert counted.links_to(B) == {"p2"}
    assert counted.left(GLOBAL_B).keys() <= {"p2"}
    assert not counted.left(BLOCKED)


def test_an_uplink_that_is_down_is_not_gone_around(ends, counted):
    client, server = connect(ends, (A, B))
    ends.lab.client.ip("link set p2 down")
    cut(ends.lab, "p1")
    before = counted.left(A)["p1"]
    client.stdin.write("hello\n")
    client.stdin.flush()
    # In between it is sent to B.
    wait_until(lambda: counted.left(A)["p1"] > before + 2, "the line is sent again and again")
    assert counted.left(B).keys() <= {"p2"}
    bring_up(ends.lab.client)
    assert server.stdout.readline() == "hello\n"
    assert counted.links_to(B) == {"p2"}


def test_routes_are_kept_as_long_as_the_connection(ends, counted):
    """By a forked child, over a broker's death and a reload."""
    server = server_of(ends, (A, B))
    script = (
        "use IO::Socket::IP; $| = 1;"
        "my $s = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => 7001, Type => SOCK_STREAM)"
        " or die $@; exit if fork; <STDIN>; print $s \"hello\\n\"; $s->flush; <STDIN>;"
    )
    program = ends.start(["perl", "-e", script, f"<{A},{B}>"], "all", stdin=-1)
    assert program.wait(timeout=20) == 0
    before = port_rules(ends.lab.client)
    assert len(before) == 4  # one rule is for both families
    ends.client_broker.kill()
    ends.client_broker.start()
    assert ends.client_broker.reload(UPLINKS).returncode == 0
    assert port_rules(ends.lab.client) == before
    cut(ends.lab, "p1")
    program.stdin.write("go\n")
    program.stdin.flush()
    assert server.stdout.readline() == "hello\n"
    assert counted.links_to(B) == {"p2"}
    program.stdin.close()
    wait_until(lambda: not port_rules(ends.lab.client), "the rules are gone with the child")


def under_private_broker(ends, *before):
    """nc under px-exec's own broker, connected."""
    server = server_of(ends, (A, B))
    policy = ends.directory / "px.yaml"
    policy.write_text(UPLINKS)
    px = [build_for_all() / "cli/px-exec", "--config", policy, "--profile", "all", "--"]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(ends.directory)}
    argv = [*before, *px, "nc", f"<{A},{B}>", str(PORT)]
    client = ends.lab.client.popen(argv, env=environment, stdin=-1)
    say(client, server)
    return client, server


def test_a_private_broker_does_it_where_it_may(ends, counted):
    client, server = under_private_broker(ends)
    await_active(ends, (A, B))
    assert len(port_rules(ends.lab.client)) == 4
    end(ends, client, server)
    wait_until(lambda: not port_rules(ends.lab.client), "the rules are gone with the program")
    assert "p1" not in counted.left(B)
    # Without the privilege: the first member's route alone. The client knows B from the server.
    under_private_broker(ends, *without_capabilities([]))
    assert counted.links_to(A) == {"p1"}
    before = counted.left(B)
    assert not port_rules(ends.lab.client)
    assert counted.left(B).get("p2") == before.get("p2")


NO_EXTRA_PATHS = 7


def test_what_the_broker_is_asked_for_by_hand(ends):
    """Extra paths are for sockets that are not bound, and limited."""
    def ask(sock, members):
        return BrokerSession(ends.client_broker, "all").extra_paths(sock, members)

    sockets = [ends.lab.client.socket(protocol=SCTP) for _ in range(20)]
    sockets[0].bind(("127.0.0.1", 0))
    one_to_many = ends.lab.client.socket(kind=socket.SOCK_SEQPACKET, protocol=SCTP)
    for bad in (sockets[0], one_to_many):
        assert ask(bad, [A, B])[0] == NO_EXTRA_PATHS
    for alone in (BLOCKED, NO_RULE):
        assert ask(sockets[1], [alone])[0] == NO_EXTRA_PATHS
    assert not port_rules(ends.lab.client)
    assert ask(sockets[2], [A, B]) is None
    assert ask(sockets[2], [A, B]) is None, "again"
    assert len(port_rules(ends.lab.client)) == 4
    many = [A, *(f"10.20.1.{number}" for number in range(15))]
    answers = [ask(sock, many) for sock in sockets[3:]]
    refused = [answer for answer in answers if answer]
    assert answers[0] is None and "the user may have 256" in refused[0][1]
    assert len(port_rules(ends.lab.client)) <= 256 + len(sockets)
    # Another socket may have the same port at another address: it has no rules.
    elsewhere = ends.lab.client.socket(protocol=SCTP)
    elsewhere.bind(("127.0.0.1", sockets[2].getsockname()[1]))
    elsewhere.listen()
    for sock in (*sockets, one_to_many):
        sock.close()
    wait_until(lambda: not port_rules(ends.lab.client), "the rules are gone with the sockets")
    elsewhere.close()
