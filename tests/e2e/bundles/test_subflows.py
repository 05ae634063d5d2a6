# SPDX-License-Identifier: MIT
"""PB-4, PB-5: an MPTCP connection to a bundle has one subflow to each member, by its own rule, and
no others. The broker makes them."""

import json
import socket
import subprocess
import sys

import pytest

from support import wire
from support.lab.broker import Broker
from support.lab.host_kinds import OWN_TABLES
from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC6, PUBLIC_OTHER
from support.programs import PX_EXEC, PXD, SERVERS, SUPPORT
from support.unprivileged import UnprivilegedNamespace, no_broker
from support.wait import wait_until

pytestmark = pytest.mark.broker

POLICY = """version: 1
paths:
  lan: { interface: lan0 }
  lte: { interface: lte0 }
  vpn: { interface: vpn0 }
profiles:
  both:
    bundle: { transports: [mptcp, tcp], sockets: all }
    rules:
      - { to: %s, via: vpn }
      - { to: %s, action: block }
      - { to: ["203.0.113.0/24", "2001:db8:80::/48"], via: lte }
  one-uplink:
    bundle: { transports: [mptcp, tcp], sockets: all }
    rules:
      - { to: any, via: lte }
  system:
    bundle: { transports: [mptcp, tcp], sockets: all }
    rules: []
  partly:
    bundle: { transports: [mptcp, tcp], sockets: all }
    rules:
      - { to: %s, action: system }
      - { to: any, via: lte }
""" % (CORPORATE, PUBLIC_OTHER, CORPORATE)
WITHOUT = POLICY.replace("mptcp, tcp", "tcp")

PORT = 7001
BUNDLE = f"<{CORPORATE},{PUBLIC}>"


def receiver(family=socket.AF_INET):
    """The words that start a gap_receiver."""
    bound = "0.0.0.0" if family == socket.AF_INET else "::"
    numbers = str(int(family)), bound, str(socket.IPPROTO_MPTCP)
    return [sys.executable, SERVERS / "gap_receiver.py", *numbers]


# Sends until it is told to stop, and prints the digest of what it has sent.
SEND = """
import hashlib, select, socket, sys, time
peer = socket.create_connection((sys.argv[1], 7001))
print(peer.getpeername()[0], flush=True)
digest, piece = hashlib.sha256(), 0
while not select.select([sys.stdin], [], [], 0.01)[0]:
    data = piece.to_bytes(4, "big") * 1000
    piece += 1
    digest.update(data)
    peer.sendall(data)
peer.close()
print(digest.hexdigest())
"""


def subflows(lab):
    """(local address, interface, peer's address) of each, as the client's kernel has them."""
    found = set()
    for line in lab.client.run(["ss", "-Htn", "state", "established"]).stdout.splitlines():
        local, peer = line.split()[2:4]
        if peer.endswith(f":{PORT}"):
            address, _, interface = local.rpartition(":")[0].strip("[]").partition("%")
            remote = peer.rpartition(":")[0].strip("[]")
            found.add((address.strip("]"), interface.strip("]"), remote))
    return found


def await_subflows(lab, *wanted):
    wait_until(lambda: subflows(lab) == set(wanted), f"{wanted}; now {subflows(lab)}", 20)


class Transfer:
    """From a program under px to one without."""

    def __init__(
        self, lab, broker, bundle=BUNDLE, family=socket.AF_INET, send=SEND, profile="both", words=()
    ):
        """With `words` for px-exec instead of a profile, it has a private broker."""
        self.receiver = lab.server.popen(receiver(family), stdout=subprocess.PIPE)
        lab.server.listens(PORT)
        sender = [PX_EXEC, *(words or ("--profile", profile)), "--", sys.executable, "-c", send]
        self.sender = lab.client.popen(
            [*sender, bundle],
            env=no_broker(lab.directory) if words else broker.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.peer = self.sender.stdout.readline().strip()

    def end(self):
        """The receiver's report, once both agree on what was sent."""
        sent = self.sender.communicate("\n", timeout=30)[0].strip()
        received = json.loads(self.receiver.communicate(timeout=30)[0])
        assert received["digest"] == sent
        return received


def path_manager(lab):
    return lab.client.run(["cat", "/proc/sys/net/mptcp/path_manager"]).stdout.strip()


@pytest.fixture
def both(lab):
    with lab.serving(POLICY) as broker:
        yield broker
    assert path_manager(lab) == "kernel"


OVER_VPN = ("10.8.0.2", "vpn0", CORPORATE)
OVER_LTE = ("100.64.2.2", "lte0", PUBLIC)


@pytest.mark.routes
def test_each_member_has_a_subflow_by_its_own_rule(lab, both):
    transfer = Transfer(lab, both)
    await_subflows(lab, OVER_VPN, OVER_LTE)
    transfer.end()
    # Members with different egresses are probed first; a subflow is one SYN.
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}
    assert lab.flows.left(PUBLIC) == {"lte0": 1}


@pytest.mark.routes
def test_a_transfer_survives_the_loss_of_a_subflow(lab, both):
    transfer = Transfer(lab, both)
    await_subflows(lab, OVER_VPN, OVER_LTE)
    assert transfer.peer == CORPORATE
    rule = "add chain ip cut forwarded { type filter hook forward priority 0; policy drop; }"
    lab.routers["vpn"].run(["nft", f"add table ip cut; {rule}"])
    before = sent_by(lab, OVER_LTE)
    enough = before + 100_000
    wait_until(lambda: sent_by(lab, OVER_LTE) > enough, "much went by the other subflow", 20)
    received = transfer.end()
    print(f"longest gap: {received['longest']:.3f} s")
    assert received["longest"] < 0.7


def sent_by(lab, subflow):
    """Bytes that the peer has acknowledged."""
    lines = lab.client.run(["ss", "-Htin", "state", "established", "dst", subflow[2]]).stdout
    return sum(int(word.partition(":")[2]) for word in lines.split() if "bytes_acked" in word)


def test_members_of_the_other_family_and_blocked_ones(lab, both):
    """An IPv6 socket has subflows of both families, and none to a member that a rule blocks."""
    bundle = f"<{PUBLIC6},{CORPORATE},{PUBLIC_OTHER}>"
    transfer = Transfer(lab, both, bundle, socket.AF_INET6)
    await_subflows(lab, OVER_VPN, ("2001:db8:2::2", "lte0", PUBLIC6))
    transfer.end()
    assert lab.flows.left(PUBLIC_OTHER) == {}


@pytest.mark.routes
@pytest.mark.parametrize("profile", ["one-uplink", "system"])
def test_members_by_the_same_uplink(lab, both, profile):
    transfer = Transfer(lab, both, f"<{CORPORATE},{PUBLIC},{PUBLIC_OTHER}>", profile=profile)
    source, interface = ("100.64.2.2", "lte0") if profile == "one-uplink" else ("192.168.1.2", "")
    await_subflows(lab, *((source, interface, each) for each in (CORPORATE, PUBLIC, PUBLIC_OTHER)))
    transfer.end()


def test_a_member_as_the_host_routes_it(lab, both):
    transfer = Transfer(lab, both, profile="partly")
    await_subflows(lab, ("192.168.1.2", "", CORPORATE), OVER_LTE)
    transfer.end()
    assert set(lab.flows.left(CORPORATE)) == {"lan0"}


def test_a_server_whose_broker_has_the_path_manager_admits_them(lab, both):
    there = Broker(lab.server, lab.directory / "there", POLICY)
    transfer = Transfer(lab, both)
    await_subflows(lab, OVER_VPN, OVER_LTE)
    transfer.end()
    assert there.stop() == 0, there.log_text


def test_a_subflow_that_was_refused_is_tried_again(lab, both):
    refuse_subflows(lab)
    transfer = Transfer(lab, both)
    await_subflows(lab, OVER_VPN)
    wait_until(lambda: lab.flows.left(PUBLIC), "the other subflow was tried")
    lab.server.run(["nft", "delete table ip cut"])
    await_subflows(lab, OVER_VPN, OVER_LTE)
    transfer.end()


def refuse_subflows(lab):
    chain = "add chain ip cut incoming { type filter hook input priority 0; }"
    refuse = f"add rule ip cut incoming ip daddr {PUBLIC} tcp dport {PORT} reject with tcp reset"
    lab.server.run(["nft", f"add table ip cut; {chain}; {refuse}"])


def test_a_retry_goes_by_the_policy_of_its_time(lab, both):
    refuse_subflows(lab)
    transfer = Transfer(lab, both)
    wait_until(lambda: lab.flows.left(PUBLIC), "the other subflow was tried")
    via, blocked = '2001:db8:80::/48"], via: lte', '2001:db8:80::/48"], action: block'
    assert both.reload(POLICY.replace(via, blocked)).returncode == 0
    lab.flows.reset()
    lab.server.run(["nft", "delete table ip cut"])
    # The retry of a second later is gone; a policy that permits the member is followed at once.
    assert both.reload(POLICY.replace(via, via.replace("lte", "lan"))).returncode == 0
    await_subflows(lab, OVER_VPN, ("192.168.1.2", "lan0", PUBLIC))
    assert set(lab.flows.left(PUBLIC)) == {"lan0"}
    transfer.end()


@pytest.mark.routes
def test_a_lost_subflow_is_made_again_from_the_new_address(lab, both):
    transfer = Transfer(lab, both)
    await_subflows(lab, OVER_VPN, OVER_LTE)
    lab.client.ip(
        "address delete 100.64.2.2/24 dev lte0",
        "address add 100.64.2.77/24 dev lte0",
        "route add default via 100.64.2.1 dev lte0 metric 200",
    )
    lab.client.run(["ss", "--kill", "dst", PUBLIC])
    await_subflows(lab, OVER_VPN, ("100.64.2.77", "lte0", PUBLIC))
    transfer.end()


ODD = """version: 1
paths:
  lan: { interface: lan0 }
  vpn: { interface: vpn0 }
  odd: { interface: lte0, source: 192.168.1.2 }
profiles:
  both:
    bundle: { transports: [mptcp, tcp], sockets: all }
    rules:
      - { to: %s, via: vpn }
      - { to: %s, via: odd }
      - { to: any, via: lan }
""" % (CORPORATE, PUBLIC_OTHER)


@pytest.mark.routes
def test_one_source_on_two_interfaces(lab, host_kind):
    """Where lte0's routes are for its own source alone, the third member is left out."""
    broker = lab.start_broker(ODD)
    transfer = Transfer(lab, broker, f"<{CORPORATE},{PUBLIC},{PUBLIC_OTHER}>")
    third = set() if host_kind == OWN_TABLES else {"lte0"}
    wait_until(lambda: lab.flows.left(PUBLIC_OTHER if third else PUBLIC), "the last is tried")
    assert set(lab.flows.left(PUBLIC)) == {"lan0"}
    assert set(lab.flows.left(PUBLIC_OTHER)) == third
    transfer.end()
    assert broker.stop() == 0, broker.log_text


# A program that asks by hand, over and over.
ASKING = """
import os, socket, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from support import wire
peer = socket.create_connection((sys.argv[2], 7001))
peer.sendall(b"x")
for _ in range(200):
    with wire.connect(os.environ["PX_SOCKET"]) as broker:
        request = wire.extra_paths(7001, [*sys.argv[3:], *sys.argv[3:]])
        wire.send_with_descriptors(broker, request, [peer.fileno()])
        assert wire.refusal(wire.receive(broker)) is None
print("asked", flush=True)
sys.stdin.readline()
"""


def test_a_program_that_asks_again_and_again_gets_one_subflow(lab, both):
    """Also to members that are silent, so that nothing ends the attempts."""
    lab.server.run(["nft", f"add table ip cut; {SILENT % PUBLIC}"])
    lab.server.popen(receiver(), stdout=subprocess.DEVNULL)
    lab.server.listens(PORT)
    argv = [sys.executable, "-c", ASKING, SUPPORT.parent, BUNDLE, CORPORATE, PUBLIC]
    program = lab.px_popen(both, argv, "both", stdin=-1, stdout=-1)
    assert program.stdout.readline() == "asked\n"
    waiting = lab.client.run(["ss", "-Htn", "state", "syn-sent", "dst", PUBLIC]).stdout
    assert len(waiting.splitlines()) == 1
    program.communicate("\n", timeout=30)


SILENT = (
    "add chain ip cut incoming { type filter hook input priority 0; }; "
    "add rule ip cut incoming ip daddr %s drop"
)


def test_a_connection_that_does_not_block_gets_them_too(lab, both):
    script = SEND.replace(
        "peer = socket.create_connection((sys.argv[1], 7001))",
        "import errno\n"
        "entry = socket.getaddrinfo(sys.argv[1], 7001, socket.AF_INET, socket.SOCK_STREAM)[0]\n"
        "peer = socket.socket(entry[0], entry[1])\n"
        "peer.setblocking(False)\n"
        "assert peer.connect_ex(entry[4]) in (0, errno.EINPROGRESS)\n"
        "select.select([], [peer], [])\n"
        "peer.setblocking(True)",
    )
    transfer = Transfer(lab, both, send=script)
    await_subflows(lab, OVER_VPN, OVER_LTE)
    transfer.end()


def test_the_path_manager_is_the_kernels_again(lab):
    """The broker has it as long as the policy asks for subflows, also after it was killed."""
    broker = lab.start_broker(WITHOUT)
    assert path_manager(lab) == "kernel"
    broker.reload(POLICY)
    assert path_manager(lab) == "userspace"
    broker.reload(POLICY + "broker: { mptcp-subflows: false }\n")
    assert path_manager(lab) == "kernel"
    broker.reload(POLICY)
    broker.kill()
    assert path_manager(lab) == "userspace"
    broker.start()
    broker.reload(WITHOUT)
    assert path_manager(lab) == "kernel"
    broker.reload(POLICY)
    lab.client.sysctl(net__mptcp__path_manager="kernel")
    Transfer(lab, broker).end()
    wait_until(lambda: path_manager(lab) == "userspace", "it is the broker's at the next one")
    assert broker.stop() == 0, broker.log_text
    assert path_manager(lab) == "kernel"


def test_a_broker_that_cannot_start_gives_it_back(lab):
    directory = lab.directory / "px"
    (directory / "px.sock").mkdir(parents=True)
    (directory / "px.yaml").write_text(POLICY)
    words = [PXD, "--config", directory / "px.yaml", "--socket", directory / "px.sock"]
    assert lab.client.run(words, check=False).returncode == 1
    assert path_manager(lab) == "kernel"


def test_a_private_broker_leaves_it_as_it_is(lab):
    rules = lab.directory / "rules.yaml"
    rules.write_text("bundle: { transports: [mptcp, tcp] }\nrules: []\n")
    show = ["cat", "/proc/sys/net/mptcp/path_manager"]
    done = lab.px(None, show, None, ["--rules", rules])
    assert done.stdout == "kernel\n"


@pytest.mark.parametrize("wanted", [True, False])
def test_a_rules_file_has_the_policys_word_on_subflows(lab, wanted):
    """Beside the rules, all of the policy holds."""
    lab.client.sysctl(net__mptcp__path_manager="userspace")
    policy = lab.directory / "policy.yaml"
    policy.write_text(f"version: 1\nbroker: {{ mptcp-subflows: {str(wanted).lower()} }}\n")
    rules = lab.directory / "rules.yaml"
    rules.write_text(
        "bundle: { transports: [mptcp, tcp], sockets: all }\nrules:\n"
        f"  - {{ to: {CORPORATE}, via: vpn0 }}\n  - {{ to: any, via: lte0 }}\n"
    )
    words = ["--config", policy, "--rules", rules]
    transfer = Transfer(lab, None, words=words)
    if wanted:
        await_subflows(lab, OVER_VPN, OVER_LTE)
    transfer.end()
    assert lab.flows.left(PUBLIC) == ({"lte0": 1} if wanted else {})


def test_an_administrator_who_set_it_by_hand_keeps_it(lab):
    lab.client.sysctl(net__mptcp__path_manager="userspace")
    broker = lab.start_broker(POLICY)
    assert broker.stop() == 0, broker.log_text
    assert path_manager(lab) == "userspace"


def test_without_the_privilege_there_is_one_path(lab):
    broker = Broker(UnprivilegedNamespace(lab.client), lab.directory / "px", POLICY)
    report = broker.pxctl("doctor", check=False)
    assert report.returncode == 1
    assert "one path each" in report.stdout
    transfer = Transfer(lab, broker)
    await_subflows(lab, OVER_VPN)
    transfer.end()
    assert broker.stop() == 0, broker.log_text


def test_which_sockets_may_have_extra_paths(lab, both):
    """Only the MPTCP connections of programs under px; anything else is refused."""
    with wire.connect(both.socket) as client, socket.socket() as tcp:
        wire.send_with_descriptors(client, wire.extra_paths(PORT, [CORPORATE]), [tcp.fileno()])
        _, reason = wire.refusal(wire.receive(client))
        assert "hello" in reason
    with wire.connect(both.socket) as client:
        client.send(wire.extra_paths(PORT, [CORPORATE]))
        assert wire.closed(client), "without a socket"
