# SPDX-License-Identifier: MIT
"""The addresses of a name come in the order that suits the paths of the program's profile, by libc's own
rules, and AI_ADDRCONFIG is about these paths."""

import pytest

from support.lab.isolation import in_place_of
from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6, UPLINKS
from support.programs import program_file
from support.servers.uplink_name_servers import name_servers

HOSTS = {
    uplink.name: f"{PUBLIC} both.test\n{PUBLIC6} both.test\n{PUBLIC6} six.test\n"
    f"{CORPORATE} corp.test\n{CORPORATE6} corp.test\n"
    for uplink in UPLINKS
}
PATHS = "".join(f"  {u.name}: {{ interface: {u.interface} }}\n" for u in UPLINKS)
PROFILES = "".join(
    f"""  {u.name}:
    rules: [{{ to: any, via: {u.name} }}]
  {u.name}-asked:
    rules: [{{ to: any, via: {u.name} }}]
    dns: {{ via: {u.name}, servers: ["{u.gateway}"] }}
"""
    for u in UPLINKS
)
POLICY = f"""version: 1
paths:
{PATHS}profiles:
{PROFILES}  no-ipv6:
    rules:
      - {{ to: "::/0", action: block }}
      - {{ to: any, via: lan }}
  one-of-two:
    rules: [{{ to: "{PUBLIC6}/128", via: vpn }}]
  nothing: {{}}
"""
LIST = """
import socket, sys
name, family, flags = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
try:
  for entry in socket.getaddrinfo(name, 80, family, socket.SOCK_STREAM, 0, flags): print(entry[4][0])
except socket.gaierror as error: print(error.args[1])
"""
UNSPEC, INET, INET6 = 0, 2, 10
CANONNAME, ADDRCONFIG = 0x2, 0x20
NO_NAME = ["Name or service not known"]


@pytest.fixture(name="dns")
def _dns(lab):
    """lte has no IPv6, and of vpn's it is only for private use."""
    lab.client.sysctl(net__ipv6__conf__lte0__disable_ipv6=1)
    with name_servers(lab, HOSTS) as servers:
        yield servers


def program(name, family=UNSPEC, flags=0):
    return ["/usr/bin/python3", "-c", LIST, name, str(family), str(flags)]


def listed(lab, broker, profile, *what):
    return lab.px(broker, program(*what), profile).stdout.splitlines()


@pytest.mark.parametrize("asked", ["", "-asked"], ids=["hosts-servers", "own-servers"])
def test_a_path_comes_first_with_what_it_is_good_for(lab, broker, asked):
    bare = lab.client.run(program("both.test")).stdout.splitlines()
    assert bare == [PUBLIC6, PUBLIC]
    assert listed(lab, broker, f"lan{asked}", "both.test") == [PUBLIC6, PUBLIC]
    assert listed(lab, broker, f"lte{asked}", "both.test") == [PUBLIC, PUBLIC6]
    # From a private IPv6 address to a public one comes after IPv4, and before it to a private one.
    assert listed(lab, broker, f"vpn{asked}", "both.test") == [PUBLIC, PUBLIC6]
    assert listed(lab, broker, f"vpn{asked}", "corp.test") == [CORPORATE6, CORPORATE]
    assert listed(lab, broker, f"lan{asked}", "corp.test") == [CORPORATE, CORPORATE6]


def test_what_a_rule_refuses_comes_last(lab, broker):
    assert listed(lab, broker, "no-ipv6", "both.test") == [PUBLIC, PUBLIC6]
    assert listed(lab, broker, "no-ipv6", "both.test", UNSPEC, ADDRCONFIG) == [PUBLIC]


def test_of_two_addresses_one_may_be_steered(lab, broker):
    assert listed(lab, broker, "one-of-two", "both.test") == [PUBLIC, PUBLIC6]
    assert listed(lab, broker, "nothing", "both.test") == [PUBLIC6, PUBLIC]


def test_addresses_of_a_family_without_a_path_are_left_out_where_asked(lab, broker):
    both = ("both.test", UNSPEC, ADDRCONFIG)
    assert lab.client.run(program(*both)).stdout.splitlines() == [PUBLIC6, PUBLIC]
    assert listed(lab, broker, "lan", *both) == [PUBLIC6, PUBLIC]
    assert listed(lab, broker, "lte", *both) == [PUBLIC]
    assert listed(lab, broker, "lte", "both.test", INET, ADDRCONFIG) == [PUBLIC]
    assert listed(lab, broker, "lte", "both.test", INET6, ADDRCONFIG) == NO_NAME
    assert listed(lab, broker, "lte", "both.test", INET6) == [PUBLIC6]
    # What is down for the moment is not left out.
    lab.link_down("lte")
    assert set(listed(lab, broker, "lte", *both)) == {PUBLIC, PUBLIC6}


def test_nothing_is_freed_wrongly(lab, broker):
    valgrind = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full"]
    for flags in (0, ADDRCONFIG | CANONNAME):
        argv = [*valgrind, program_file("name_list"), "both.test", "80", UNSPEC, flags]
        assert PUBLIC in lab.px(broker, argv, "lte", timeout=100).stdout


@pytest.mark.parametrize("profile", ["lte", "lte-asked"])
def test_curl_goes_by_ipv4_without_trying_ipv6(lab, broker, profile):
    words = ["curl", "-svm9", "-o", "/dev/null", "http://both.test:8080/"]
    tried = [line for line in lab.px(broker, words, profile).stderr.splitlines() if "Trying" in line]
    assert [PUBLIC in line for line in tried] == [True]
    tried = lab.client.run(words).stderr
    assert tried.index(PUBLIC6) < tried.index("Connected")


def test_gai_conf_is_heeded(lab, broker, dns):
    own = dns.directory / "gai.conf"
    own.write_text("precedence ::ffff:0:0/96 100\n", encoding="utf-8")
    with in_place_of("/etc/gai.conf", own):
        assert lab.client.run(program("both.test")).stdout.splitlines() == [PUBLIC, PUBLIC6]
        assert listed(lab, broker, "lan", "both.test") == [PUBLIC, PUBLIC6]
    own.write_text("label ::/0 1 # no other\nlabel ::ffff:0:0/96 4\n", encoding="utf-8")
    with in_place_of("/etc/gai.conf", own):
        assert listed(lab, broker, "vpn", "both.test") == [PUBLIC6, PUBLIC]
