# SPDX-License-Identifier: MIT
"""Programs that are linked with libbundle.so connect to bundles, and serve them: without px, and
under px by the policy."""

import subprocess

import pytest

from support.lab.three_uplinks import PUBLIC, PUBLIC6, PUBLIC_OTHER
from support.programs import BUILD
from support.servers import real_servers
from support.wait import wait_until

# Routed to the server, which does not have them and does not answer.
DEAD, DEAD6 = "203.0.113.99", "2001:db8:80::99"
TCP, MPTCP = "6", "262"
# Where nobody answers, connect(2) itself takes more than two minutes.
DEADLINE = 30


def program(name):
    return BUILD / "tests/libbundle" / name


@pytest.fixture
def dead(lab):
    for uplink, router in lab.routers.items():
        number = lab.uplink(uplink).number
        router.ip(
            f"route add {DEAD} via 172.16.{number}.2",
            f"route add {DEAD6} via fd16:{number}::2",
        )


def getting(notation, port=8080, protocol=TCP, path="/"):
    return [program("bundle_get"), notation, port, protocol, path]


def get(lab, *words, check=True, **options):
    return lab.client.run(getting(*words, **options), timeout=DEADLINE, check=check)


def who_answered(done):
    """Under px a bundle's socket has a bundle as its peer."""
    return done.stdout.splitlines()[0].strip("<>").removeprefix("::ffff:")


def called_from(done):
    """What the echo server saw."""
    return done.stdout.splitlines()[-1].split()[0].removeprefix("::ffff:")


@pytest.mark.parametrize("protocol", [TCP, MPTCP])
@pytest.mark.parametrize(
    "notation, answers",
    [
        (f"<{PUBLIC},{PUBLIC6}>", PUBLIC),
        (f"<{PUBLIC6},{PUBLIC}>", PUBLIC6),
        (f"<{DEAD},{PUBLIC}>", PUBLIC),
        (f"<{DEAD6},{PUBLIC6}>", PUBLIC6),
        (f"<{DEAD6},{DEAD}|{PUBLIC}>", PUBLIC),
        (f"{DEAD}.and.{PUBLIC6.replace(':', '-')}.v6.bundle", PUBLIC6),
    ],
)
def test_whoever_answers(lab, dead, notation, answers, protocol):
    done = get(lab, notation, protocol=protocol)
    assert who_answered(done) == answers
    assert called_from(done) == lab.uplink("lan").source_for(answers)


def test_a_real_server(lab, dead):
    real_servers.nginx(lab, PUBLIC)
    done = get(lab, f"<{DEAD},{PUBLIC}>", port=8081, path="/file")
    assert who_answered(done) == PUBLIC
    assert "200 OK" in done.stdout and done.stdout.endswith(real_servers.FILE_TEXT)


def test_the_other_address_is_not_asked_where_the_first_answers(lab, dead):
    lab.flows.reset()
    get(lab, f"<{PUBLIC},{PUBLIC_OTHER}>")
    lab.settle()
    assert lab.flows.left(PUBLIC) and not lab.flows.left(PUBLIC_OTHER)


def test_nobody_there(lab):
    done = get(lab, f"<{PUBLIC},{PUBLIC_OTHER}>", port=9, check=False)
    assert done.returncode == 1
    assert "bundle_connect: Connection refused" in done.stderr


def test_what_cannot_be_had(lab):
    done = get(lab, f"<{PUBLIC}>", protocol="17", check=False)
    assert "bundle_socket: Protocol not supported" in done.stderr


def test_under_px_the_policy_decides(lab, broker, dead):
    lab.flows.reset()
    done = lab.px(broker, getting(f"<{DEAD},{PUBLIC}>"), timeout=DEADLINE)
    assert who_answered(done) == PUBLIC
    assert called_from(done) == lab.uplink("lte").source
    assert set(lab.flows.left(PUBLIC)) == {"lte0"}


@pytest.mark.parametrize("protocol", [TCP, MPTCP])
def test_a_server_admits_its_addresses_alone(lab, protocol):
    notation = f"<{PUBLIC},{PUBLIC6}>"
    lab.server.popen([program("bundle_serve"), notation, 7000, protocol])
    lab.server.listens(7000)
    uplink = lab.uplink("lan")
    assert get(lab, f"<{PUBLIC}>", port=7000).stdout.endswith(f"\n{uplink.source}\n")
    other = get(lab, f"<{PUBLIC_OTHER}>", port=7000, check=False)
    assert uplink.source not in other.stdout
    assert get(lab, f"<{PUBLIC6}>", port=7000).stdout.endswith(f"\n{uplink.source6}\n")


def test_a_server_under_px_admits_its_addresses_alone(lab, broker):
    lan, lte = lab.uplink("lan"), lab.uplink("lte")
    argv = [program("bundle_serve"), f"<{lan.source},{lan.source6}>", 7000, TCP]
    lab.px_popen(broker, argv, profile="empty")
    lab.client.listens(7000)
    other = lab.server.popen(getting(f"<{lte.source}>", port=7000), stdout=subprocess.PIPE)
    syn_sent = ["ss", "-Htn", "state", "syn-sent"]
    wait_until(
        lambda: other.poll() is not None or lab.server.run(syn_sent).stdout,
        "the other address has been called",
    )
    for address in (lan.source, lan.source6):
        argv = getting(f"<{address}>", port=7000)
        assert len(lab.server.run(argv, timeout=DEADLINE).stdout.splitlines()) == 2
    other.kill()
    assert len(other.communicate()[0].splitlines()) < 2


def mptcp_connections(lab):
    """How many the server has accepted as MPTCP."""
    names, values = (
        line.split()
        for line in lab.server.run(["cat", "/proc/net/netstat"]).stdout.splitlines()
        if line.startswith("MPTcpExt:")
    )
    return int(dict(zip(names, values))["MPCapableACKRX"])


def test_mptcp_stays_mptcp(lab, dead):
    lab.server.popen([program("bundle_serve"), f"<{PUBLIC},{PUBLIC6}>", 7000, MPTCP])
    lab.server.listens(7000)
    get(lab, f"<{DEAD},{PUBLIC}>", port=7000, protocol=MPTCP)
    assert mptcp_connections(lab) == 1


@pytest.mark.parametrize(
    "notation, taken, free",
    [
        (f"<{PUBLIC},{PUBLIC_OTHER}>", "0.0.0.0", "::"),
        (f"<{PUBLIC6},fd20::80>", "::", "0.0.0.0"),
    ],
)
def test_the_other_familys_port_stays_free(lab, notation, taken, free):
    lab.server.popen([program("bundle_serve"), notation, 7000, TCP])
    lab.server.listens(7000)
    second = [program("bundle_serve"), f"<{free}>", 7000, TCP]
    lab.server.popen(second)
    again = lab.server.run([program("bundle_serve"), f"<{taken}>", 7000, TCP], check=False)
    assert "bundle_bind: Address already in use" in again.stderr
    destination = PUBLIC if free == "0.0.0.0" else PUBLIC6
    wait_until(
        lambda: get(lab, f"<{destination}>", port=7000, check=False).returncode == 0,
        "the second server answers",
    )


def test_an_address_of_another_host_cannot_be_bound(lab):
    argv = [program("bundle_serve"), f"<{PUBLIC},{DEAD}>", 7000, TCP]
    done = lab.server.run(argv, check=False)
    assert "bundle_bind: Cannot assign requested address" in done.stderr
