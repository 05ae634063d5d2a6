# SPDX-License-Identifier: MIT
"""PB-5, PB-12: a connect to a bundle reaches a member that answers, whatever the others do."""

import json
import sys

import pytest

from support.clients.bundle_connect import command, results
from support.lab.member_faults import PORT, MemberFaults
from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6, PUBLIC_OTHER
from support.wait import wait_until

# Accepts until somebody says "end", and prints what each said.
COUNTING_SERVER = """
import socket, sys
listener = socket.create_server(("::", 9090), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    connection, _ = listener.accept()
    try:
        with connection, connection.makefile() as file:
            said = file.readline().strip()
    except OSError as error:
        said = repr(error)
    print(said, flush=True)
    if said == "end":
        break
"""

# Connects to a bundle in one thread, while another one forks children that live on; prints
# how many.
FORKING = """
import os, signal, socket, sys, threading
connected, children = threading.Event(), []
def fork():
    while not connected.wait(0.05):
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
forking = threading.Thread(target=fork)
*_, address = socket.getaddrinfo(sys.argv[1], 9090, socket.AF_INET, socket.SOCK_STREAM)[0]
sock = socket.socket()
forking.start()
sock.connect(address)
connected.set()
forking.join()
print(len(children), flush=True)
sock.sendall(sys.stdin.readline().encode())
for child in children:
    os.kill(child, signal.SIGKILL)
"""


@pytest.fixture
def members(lab):
    return MemberFaults(lab.server)


def connect(lab, broker, *words, profile="empty", **options):
    return results(lab.px(broker, command(*words), profile, **options))


def await_health(broker, member, health):
    words = ["explain", "--json", "--profile", "empty", "curl", member, str(PORT)]
    wait_until(
        lambda: json.loads(broker.pxctl(*words).stdout)["health"] == health,
        f"{member} is known to be {health}",
    )


def assert_plain(state, peer):
    """The program sees its socket as a connect to that one member would have left it."""
    assert state["peer"] == peer
    assert state["answer"].split()[1] == peer
    assert (state["error"], state["left"]) == ("ok", "0")


@pytest.mark.parametrize("kind", [[], ["-m"], ["-n"], ["-m", "-n"]], ids="".join)
@pytest.mark.parametrize(
    "dead, alive",
    [(PUBLIC, PUBLIC_OTHER), (PUBLIC6, CORPORATE6), (PUBLIC6, PUBLIC), (PUBLIC, PUBLIC6)],
)
def test_first_member_silent(lab, broker, members, kind, dead, alive):
    members.silence(dead)
    state = connect(lab, broker, *kind, dead, alive)
    assert state["result"] == ("EINPROGRESS" if "-n" in kind else "ok")
    assert state["nonblocking"] == str(int("-n" in kind))
    assert_plain(state, alive)


@pytest.mark.parametrize("kind", [[], ["-m"], ["-n"]], ids="".join)
@pytest.mark.parametrize(
    "refusing, alive", [(PUBLIC, PUBLIC_OTHER), (PUBLIC6, PUBLIC), (PUBLIC, PUBLIC6)]
)
def test_first_member_refuses(lab, broker, members, kind, refusing, alive):
    members.refuse(refusing)
    lab.flows.reset()
    assert_plain(connect(lab, broker, *kind, refusing, alive), alive)
    # The program's own socket tries the next member: no probe.
    assert lab.flows.left(alive) == {"lan0": 1}


@pytest.mark.parametrize("kind", [[], ["-n"]], ids="".join)
def test_all_members_refuse(lab, broker, members, kind):
    members.refuse(PUBLIC, PUBLIC_OTHER, PUBLIC6)
    state = connect(lab, broker, *kind, PUBLIC, PUBLIC_OTHER, PUBLIC6)
    assert (state["result"], state["peer"]) == ("ECONNREFUSED", "none")
    assert (state["error"], state["left"]) == ("ok", "0")


@pytest.mark.parametrize("kind", [[], ["-n"]], ids="".join)
def test_one_member_silent_and_the_others_refuse(lab, broker, members, kind):
    members.silence(PUBLIC)
    members.refuse(PUBLIC_OTHER)
    state = connect(lab, broker, *kind, PUBLIC, PUBLIC_OTHER)
    assert (state["result"], state["peer"], state["left"]) == ("ECONNREFUSED", "none", "0")
    await_health(broker, PUBLIC, "dead")
    lab.flows.reset()
    state = connect(lab, broker, *kind, PUBLIC, PUBLIC_OTHER)
    assert (state["result"], state["peer"]) == ("ECONNREFUSED", "none")
    # No second SYN: the silent one was not waited for any more.
    assert sum(lab.flows.left(PUBLIC).values()) == 1


def test_that_all_members_are_silent_is_remembered(lab, broker, members):
    members.silence(PUBLIC, PUBLIC_OTHER)
    words = ("-w", "1", "-n", PUBLIC, PUBLIC_OTHER)
    assert connect(lab, broker, *words)["result"] == "EINPROGRESS"
    for member in (PUBLIC, PUBLIC_OTHER):
        await_health(broker, member, "dead")
    state = connect(lab, broker, *words)
    assert (state["result"], state["peer"], state["left"]) == ("EINPROGRESS", "none", "0")
    assert int(state["ms"]) < 700  # it would wait as long as before
    members.reset()
    members.silence(PUBLIC)
    assert_plain(connect(lab, broker, PUBLIC, PUBLIC_OTHER), PUBLIC_OTHER)


def test_an_ipv4_socket_leaves_the_ipv6_member_to_the_program(lab, broker, members):
    members.silence(PUBLIC)
    state = connect(lab, broker, "-4", PUBLIC, PUBLIC6)
    assert (state["result"], state["peer"]) == ("ETIMEDOUT", "none")
    # The IPv6 member has been asked once, and that was enough.
    assert lab.flows.left(PUBLIC6) == {"lan0": 1}
    assert sum(lab.flows.left(PUBLIC).values()) == 1


def test_the_papers_fields_alone(lab, broker, members):
    assert_plain(connect(lab, broker, "-f", PUBLIC, PUBLIC6), PUBLIC)
    members.silence(PUBLIC)
    assert_plain(connect(lab, broker, "-f", PUBLIC, PUBLIC6), PUBLIC6)


def test_all_members_silent(lab, broker, members):
    members.silence(PUBLIC, PUBLIC_OTHER)
    state = connect(lab, broker, "-w", "500", "-t", "700", PUBLIC, PUBLIC_OTHER)
    assert (state["result"], state["timeout"], state["left"]) == ("EINPROGRESS", "700", "0")
    state = connect(lab, broker, "-w", "500", "-n", PUBLIC, PUBLIC_OTHER)
    assert (state["result"], state["peer"], state["left"]) == ("EINPROGRESS", "none", "0")


def test_the_first_member_is_slow_and_the_only_one(lab, broker, members):
    members.slow_down(PUBLIC)
    members.silence(PUBLIC_OTHER)
    assert_plain(connect(lab, broker, PUBLIC, PUBLIC_OTHER), PUBLIC)


def test_the_second_member_is_slow_and_the_only_one(lab, broker, members):
    members.silence(PUBLIC)
    members.slow_down(PUBLIC_OTHER)
    assert_plain(connect(lab, broker, PUBLIC, PUBLIC_OTHER), PUBLIC_OTHER)


@pytest.mark.parametrize("family", [[PUBLIC, PUBLIC_OTHER], [PUBLIC6, CORPORATE6]])
@pytest.mark.parametrize("kind", [[], ["-n"]], ids="".join)
def test_a_healthy_bundle_costs_no_packet(lab, broker, kind, family):
    def sent(run):
        lab.flows.reset()
        assert run()["peer"] == family[0]
        lab.settle()
        return [lab.flows.per_interface("sent", member) for member in family]

    bare = sent(lambda: results(lab.client.run(command("-q", "-1", *kind, *family))))
    assert sent(lambda: connect(lab, broker, "-q", *kind, *family)) == bare
    assert bare[1] == {}


def test_an_ipv4_socket_takes_the_ipv4_members(lab, broker, members):
    members.silence(PUBLIC)
    lab.flows.reset()
    assert_plain(connect(lab, broker, "-4", PUBLIC6, PUBLIC, PUBLIC_OTHER), PUBLIC_OTHER)
    assert lab.flows.left(PUBLIC6) == {}
    state = connect(lab, broker, "-4", PUBLIC6, CORPORATE6)
    assert state["result"] == "EAFNOSUPPORT"


def test_a_socket_that_the_program_has_bound(lab, broker, members):
    members.silence(PUBLIC)
    words = ["-s", "::ffff:100.64.2.2", PUBLIC6, PUBLIC, PUBLIC_OTHER]
    # The host routes it by lan0, the answers come by lte0; probes have the source, too.
    state = connect(lab, broker, *words)
    assert_plain(state, PUBLIC_OTHER)
    assert state["answer"].split()[0] == "100.64.2.2"
    sources = {flow.source for flow in lab.flows.flows() if flow.kind == "syn"}
    assert sources == {"100.64.2.2"}


def test_a_second_connect_gets_the_kernels_answer(lab, broker, members):
    assert connect(lab, broker, "-2", PUBLIC, PUBLIC_OTHER)["second"] == "EISCONN"
    members.silence(PUBLIC, PUBLIC_OTHER)
    state = connect(lab, broker, "-n", "-2", PUBLIC, PUBLIC_OTHER)
    assert (state["result"], state["second"]) == ("EINPROGRESS", "EALREADY")


def test_without_descriptors_the_socket_takes_turns(lab, broker, members):
    members.silence(PUBLIC, PUBLIC6)
    state = connect(lab, broker, "-x", PUBLIC, PUBLIC6, PUBLIC_OTHER)
    assert (state["result"], state["peer"]) == ("ok", PUBLIC_OTHER)


def test_signals(lab, broker, members):
    members.silence(PUBLIC)
    both = [PUBLIC, PUBLIC_OTHER]
    assert connect(lab, broker, "-i", "-r", *both)["peer"] == PUBLIC_OTHER
    assert connect(lab, broker, "-n", "-i", *both)["peer"] == PUBLIC_OTHER
    members.silence(PUBLIC_OTHER)
    assert connect(lab, broker, "-i", *both)["result"] == "EINTR"
    leapt = connect(lab, broker, "-l", *both)
    assert (leapt["result"], leapt["left"]) == ("leapt", "0")


def test_a_hundred_at_a_time(lab, broker, members):
    members.silence(PUBLIC)
    state = connect(lab, broker, "-j", "100", PUBLIC, PUBLIC_OTHER)
    assert (state["connected"], state["left"]) == ("100", "0")


def test_the_server_never_sees_a_probe(lab, broker, members):
    server = lab.server.popen([sys.executable, "-c", COUNTING_SERVER], stdout=-1)
    lab.server.listens(9090)
    members.silence(PUBLIC)
    members.rule("ip", "daddr", PUBLIC, "tcp", "dport", "9090", "drop")
    lab.flows.reset()
    done = lab.px(broker, command(PUBLIC, PUBLIC_OTHER, port=9090), "empty")
    assert results(done)["peer"] == PUBLIC_OTHER
    assert lab.flows.left(PUBLIC_OTHER) == {"lan0": 2}  # a probe, and the connection
    lab.client.run(["sh", "-c", f"echo end | nc -N -w 10 {PUBLIC_OTHER} 9090"])
    assert server.communicate(timeout=10)[0].split("\n") == ["GET / HTTP/1.0", "end", ""]


def test_children_that_are_forked_meanwhile_complete_no_probe(lab, broker, members):
    server = lab.server.popen([sys.executable, "-c", COUNTING_SERVER], stdout=-1)
    lab.server.listens(9090)
    # The first member is silent. The second loses the first SYN: its probe lasts for a second.
    for address, what in ((PUBLIC, []), (PUBLIC_OTHER, ["quota", "until", "60", "bytes"])):
        match = ["ip", "daddr", address, "tcp", "dport", "9090", "tcp", "flags", "syn"]
        members.rule(*match, *what, "drop")
    argv = [sys.executable, "-c", FORKING, f"<{PUBLIC},{PUBLIC_OTHER}>"]
    program = lab.px_popen(broker, argv, "empty", stdin=-1, stdout=-1)
    assert int(program.stdout.readline()) > 5
    # The children hold descriptors of all probes, none of which is connected any more.
    connections = lab.client.run(["ss", "-Htn", "dport = 9090"]).stdout.splitlines()
    assert len(connections) == 1, connections
    program.communicate("hello\n", timeout=10)
    lab.client.run(["sh", "-c", f"echo end | nc -N -w 10 {PUBLIC_OTHER} 9090"])
    assert server.communicate(timeout=10)[0].split("\n") == ["hello", "end", ""]


def test_loopback_alone(lab, broker):
    lab.client.popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(PORT)])
    lab.client.listens(PORT)
    state = connect(lab, broker, "-q", "::1", "127.0.0.1", profile="vpn-split")
    assert (state["result"], state["peer"]) == ("ok", "127.0.0.1")


def test_bad_bundles_are_refused(lab, broker):
    script = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.socket(10, 1, 0)
for bundle in (b"\\xe6\\0" + bytes(10), b"\\xe6\\0" + bytes(30), b"\\xe6\\0"):
    print(libc.connect(fd, bundle, len(bundle)), os.strerror(ctypes.get_errno()))
"""
    done = lab.px(broker, [sys.executable, "-c", script], "empty")
    assert done.stdout.splitlines() == ["-1 Invalid argument"] * 3


@pytest.mark.routes
def test_members_by_their_own_rules(lab, broker, members):
    """10/8 by the VPN, the rest by LTE: each member is reached by its own rule's uplink."""
    both = [CORPORATE, PUBLIC]
    state = connect(lab, broker, *both, profile="vpn-split")
    assert_plain(state, CORPORATE)
    assert state["answer"].split()[0] == "10.8.0.2"
    # The socket can be bound to one device once: the first was asked by a probe.
    assert lab.flows.left(CORPORATE) == {"vpn0": 2}
    assert lab.flows.left(PUBLIC) == {}
    members.silence(CORPORATE)
    lab.flows.reset()
    state = connect(lab, broker, *both, profile="vpn-split")
    assert_plain(state, PUBLIC)
    assert state["answer"].split()[0] == "100.64.2.2"
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}
    assert set(lab.flows.left(PUBLIC)) == {"lte0"}


def test_members_that_rules_block(lab, broker, members):
    policy = f"""version: 1
paths:
  lan: {{ interface: lan0 }}
profiles:
  blocking:
    rules:
      - {{ to: [{CORPORATE}, {PUBLIC}, "{CORPORATE6}"], action: block }}
      - {{ to: any, via: lan }}
"""
    assert broker.reload(policy).returncode == 0
    lab.flows.reset()
    state = connect(lab, broker, CORPORATE, PUBLIC, PUBLIC_OTHER, profile="blocking")
    assert_plain(state, PUBLIC_OTHER)
    assert connect(lab, broker, CORPORATE, PUBLIC, profile="blocking")["result"] == "EACCES"
    assert lab.flows.left(CORPORATE) == lab.flows.left(PUBLIC) == {}
    # The IPv6 member of an IPv4 socket could only be probed: a probe has its own family.
    members.silence(PUBLIC_OTHER)
    words = ("-4", "-w", "500", "-t", "300")
    state = connect(lab, broker, *words, PUBLIC_OTHER, CORPORATE6, profile="blocking")
    assert state["result"] == "EINPROGRESS"
    assert lab.flows.left(CORPORATE6) == {}


def test_what_the_program_decides_for_itself_it_keeps(lab, broker, members):
    members.silence(PUBLIC)
    state = connect(lab, broker, "-t", "4000", PUBLIC, PUBLIC_OTHER)
    assert_plain(state, PUBLIC_OTHER)
    assert state["timeout"] == "4000"
