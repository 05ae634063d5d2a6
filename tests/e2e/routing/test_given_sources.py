# SPDX-License-Identifier: MIT
"""Programs that ask for the source that px gave them, and then bind it: it stays the rule's."""

import sys

import pytest

from support.lab.host_kinds import OWN_TABLES, SOURCE_RULES
from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC_OTHER
from support.servers.real_servers import FILE_TEXT, ftp
from support.urls import bracketed

pytestmark = [pytest.mark.broker, pytest.mark.routes]

# Learns its own address by a connect that sends nothing, as mtr and SIP programs do. Then binds it
# on another socket, which calls or sends to the address behind.
SCRIPT = """
import socket, sys
how, learnt, called = sys.argv[1:]
family = socket.AF_INET6 if ":" in learnt else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as probe:
    probe.connect((learnt, 9))
    own = probe.getsockname()[0]
sock = socket.socket(family, socket.SOCK_STREAM if how == "tcp" else socket.SOCK_DGRAM)
sock.bind((own, 0))
if how == "sendto":
    sock.sendto(b"x", (called, 9))
else:
    sock.connect((called, 8080 if how == "tcp" else 9))
    sock.send(b"x")
print(own, sock.getsockname()[0])
"""


def run(lab, broker, how, learnt, called):
    argv = [sys.executable, "-I", "-c", SCRIPT, how, learnt, called]
    return lab.px(broker, argv).stdout.split()


@pytest.mark.parametrize("how", ["tcp", "udp", "sendto"])
def test_a_source_of_the_rule_takes_its_device(lab, broker, how):
    source = lab.uplink("vpn").source
    assert run(lab, broker, how, CORPORATE, CORPORATE) == [source, source]
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}


@pytest.mark.parametrize("how", ["tcp", "udp"])
def test_ipv6(lab, broker, how):
    source = lab.uplink("vpn").source6
    assert run(lab, broker, how, CORPORATE6, CORPORATE6) == [source, source]
    assert set(lab.flows.left(CORPORATE6)) == {"vpn0"}


@pytest.mark.parametrize("how", ["udp", "sendto"])
def test_the_source_of_another_rule_is_the_programs_choice(lab, broker, host_kind, how):
    """As the host routes it, from that source (PX-6): by its own table, where it has one."""
    source = lab.uplink("vpn").source
    assert run(lab, broker, how, CORPORATE, PUBLIC) == [source, source]
    by_source = host_kind in (SOURCE_RULES, OWN_TABLES)
    assert set(lab.flows.left(PUBLIC)) == {"vpn0" if by_source else "lan0"}


def test_a_later_entry_of_the_rule_will_do(lab, broker):
    """`via: [lte, lan]`, and a program bound to lan's address."""
    lab.px(broker, ["nc", "-u", "-w", "1", "-s", lab.uplink("lan").source, PUBLIC_OTHER, "9"],
           input="x")
    assert set(lab.flows.left(PUBLIC_OTHER)) == {"lan0"}


FTPLIB = """
import ftplib, sys, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
with ftplib.FTP() as ftp:
    ftp.connect(url.hostname, url.port)
    ftp.login()
    ftp.set_pasv(False)
    ftp.retrbinary("RETR " + url.path.strip("/"), sys.stdout.buffer.write)
"""
# ftplib waits for the server at all addresses, so its answers are the profile's `listen`.
LISTENING = """version: 1
paths:
  vpn: { interface: vpn0 }
profiles:
  active:
    listen: received-interface
    rules:
      - { to: any, via: vpn }
"""


def get(lab, broker, argv, profile, address):
    """A file by FTP in active mode: bare and under px, the interfaces that its packets leave by."""
    port = ftp(lab, address)
    argv = [*argv, f"ftp://{bracketed(address)}:{port}/file"]
    for runs in (lambda: lab.client.run(argv), lambda: lab.px(broker, argv, profile)):
        lab.flows.reset()
        assert runs().stdout == FILE_TEXT
        lab.settle()
        yield set(lab.flows.per_interface("sent", address, protocol="tcp"))


@pytest.mark.parametrize("address", [CORPORATE, CORPORATE6])
def test_a_server_calls_back_at_the_source_that_px_gave(lab, broker, address):
    argv = ["curl", "-sS", "--ftp-port", "-"]
    assert list(get(lab, broker, argv, "vpn-split", address)) == [{"lan0"}, {"vpn0"}]


@pytest.mark.parametrize("address", [CORPORATE, CORPORATE6])
def test_a_server_calls_back_at_any_address(lab, address):
    argv = [sys.executable, "-I", "-c", FTPLIB]
    with lab.serving(LISTENING) as broker:
        assert list(get(lab, broker, argv, "active", address)) == [{"lan0"}, {"vpn0"}]
