# SPDX-License-Identifier: MIT
"""Rules by name: a connection takes the rule of the names that the program was given its address for,
with name servers of the profile and without."""

import pytest

from support.lab.isolation import in_place_of
from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC6, PUBLIC_OTHER, UPLINKS
from support.programs import program_file
from support.servers.uplink_name_servers import name_servers
from support.unprivileged import build_for_all, other_user

LAN, LTE, VPN = UPLINKS
# git and www share an address. web is an alias of an alias, of which the middle one is corporate.
HOSTS = "".join(
    f"{address} {name}\n"
    for address, name in (
        (PUBLIC, "git.corp.test"),
        (PUBLIC6, "six.corp.test"),
        (PUBLIC, "www.test"),
        (PUBLIC_OTHER, "corp.test"),
        (PUBLIC_OTHER, "Ads.test"),
        (CORPORATE, "cdn.test"),
        (CORPORATE, "down.test"),
    )
)
ALIASES = ["--local-ttl=600", "--cname=web.test,mid.corp.test", "--cname=mid.corp.test,cdn.test"]
RULES = """    rules:
      - { to: [nowhere.test, "*.corp.test"], via: vpn }
      - { to: [10.99.0.0/16, down.test], via: lte }
      - { to: ads.test, action: block }
      - { to: any, via: lan }
"""
POLICY = f"""version: 1
paths:
  lan: {{ interface: lan0 }}
  lte: {{ interface: lte0 }}
  vpn: {{ interface: vpn0 }}
profiles:
  host:
{RULES}  own:
{RULES}    dns: {{ via: lte, servers: ["{LTE.gateway}"], options: {{ timeout: 1s, attempts: 1 }} }}
  next:
    if-unavailable: next
{RULES}  without:
    rules: [{{ to: any, via: lan }}]
"""
PROFILES = ["host", "own"]
CONNECT = """import socket, sys
def left(name, kind=socket.SOCK_STREAM):
    family, kind, _, _, address = socket.getaddrinfo(name, 8080, 0, kind)[0]
    with socket.socket(family, kind) as made:
        made.sendto(b"x", address) if kind == socket.SOCK_DGRAM else made.connect(address)
"""


@pytest.fixture(name="dns")
def _dns(lab):
    with name_servers(lab, {uplink.name: HOSTS for uplink in UPLINKS}, ALIASES) as servers:
        yield servers


def left_by(lab, destination):
    found = set(lab.flows.left(destination))
    lab.flows.reset()
    return found


def python(lab, broker, profile, code, **options):
    program = ["/usr/bin/python3", "-c", CONNECT + code]
    return lab.px(broker, program, profile, **options)


PROGRAMS = {
    "curl": ["curl", "-sSm5", "-o", "/dev/null", "http://{}:8080/"],
    "wget": ["wget", "-qt1", "-T5", "-O", "/dev/null", "http://{}:8080/"],
    "python": ["/usr/bin/python3", "-c", CONNECT + "left('{}')"],
    "perl": ["perl", "-MIO::Socket::INET", "-e", "IO::Socket::INET->new('{}:8080')"],
    "php": ["php", "-r", "fsockopen('{}', 8080);"],
    "node": ["node", "-e", "require('net').connect(8080, '{}', function() {{ this.end() }})"],
    "ssh": ["ssh", "-o", "ConnectTimeout=5", "-o", "BatchMode=yes", "-p", "8080", "{}", "true"],
    "nc.traditional": ["nc.traditional", "-z", "-w5", "{}", "8080"],
}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_programs_connect_by_the_rule_of_the_name(lab, broker, program, profile):
    for name, address, interface in (
        ("git.corp.test", PUBLIC, "vpn0"),
        ("www.test", PUBLIC, "lan0"),
        ("web.test", CORPORATE, "vpn0"),
        ("corp.test", PUBLIC_OTHER, "lan0"),
        ("down.test", CORPORATE, "lte0"),
        ("ads.test", PUBLIC_OTHER, None),
    ):
        words = [word.format(name) for word in PROGRAMS[program]]
        lab.px(broker, words, profile, check=False)
        assert left_by(lab, address) == ({interface} if interface else set()), name


@pytest.mark.parametrize("profile", PROFILES)
def test_a_blocked_name_is_refused(lab, broker, profile):
    done = python(lab, broker, profile, "left('ADS.test.')", check=False)
    assert "Permission denied" in done.stderr
    assert left_by(lab, PUBLIC_OTHER) == set()


@pytest.mark.parametrize("profile", PROFILES)
def test_of_two_names_of_an_address_the_one_asked_last(lab, broker, profile):
    code = "import sys\nfor name in sys.argv[1:]: socket.getaddrinfo(name, 80)\n"
    code += f"socket.create_connection(('{PUBLIC}', 8080))"
    for asked, interface in (
        (["git.corp.test", "www.test"], "lan0"), (["www.test", "git.corp.test"], "vpn0"),
        (["git.corp.test", "www.test", "git.corp.test"], "vpn0"), ([], "lan0"),
    ):
        program = ["/usr/bin/python3", "-c", CONNECT + code, *asked]
        lab.px(broker, program, profile)
        assert left_by(lab, PUBLIC) == {interface}


@pytest.mark.parametrize("profile", PROFILES)
def test_datagrams_go_by_name_as_well(lab, broker, profile):
    python(lab, broker, profile, "left('git.corp.test', socket.SOCK_DGRAM)")
    assert left_by(lab, PUBLIC) == {"vpn0"}
    python(lab, broker, profile, "left('www.test', socket.SOCK_DGRAM)")
    assert left_by(lab, PUBLIC) == {"lan0"}
    code = (
        "one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "for name in ('git.corp.test', 'www.test', 'git.corp.test', 'down.test'):\n"
        "  one.sendto(b'x', (name, 8080))\n"
    )
    python(lab, broker, profile, code)
    assert lab.flows.per_interface("sent", PUBLIC, protocol="udp") == {"vpn0": 2, "lan0": 1}
    assert left_by(lab, CORPORATE) == {"lte0"}


@pytest.mark.parametrize("profile", PROFILES)
def test_ipv6(lab, broker, profile):
    python(lab, broker, profile, "left('six.corp.test')")
    assert left_by(lab, PUBLIC6) == {"vpn0"}


# What is asked in one process is known in those that it forks, and the other way round.
@pytest.mark.parametrize("profile", PROFILES)
def test_forked_processes_know_each_others_names(lab, broker, profile):
    code = (
        "import os\n"
        f"def connect(): socket.create_connection(('{PUBLIC}', 8080))\n"
        "if os.fork() == 0:\n"
        "  socket.getaddrinfo('git.corp.test', 80)\n"
        "  os._exit(0)\n"
        "os.wait()\n"
        "connect()\n"
        "if os.fork() == 0:\n"
        "  connect()\n"
        "  os._exit(0)\n"
        "print(os.wait()[1])\n"
    )
    # With capabilities, each process keeps its names to itself.
    px_exec = [build_for_all() / "cli/px-exec", "--profile", profile]
    program = [*other_user(), *px_exec, "/usr/bin/python3", "-c", CONNECT + code]
    done = lab.client.run(program, env=broker.environment())
    assert done.stdout == "0\n"
    assert lab.flows.per_interface("syn", PUBLIC, protocol="tcp") == {"vpn0": 2}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_hosts_file_counts_too(lab, broker, profile, tmp_path):
    file = tmp_path / "hosts"
    file.write_text(f"{PUBLIC} nas.corp.test nas\n", encoding="utf-8")
    with in_place_of("/etc/hosts", file):
        for name in ("nas.corp.test", "nas"):
            python(lab, broker, profile, f"left('{name}')")
            assert left_by(lab, PUBLIC) == {"vpn0"}




@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "call", ["gethostbyname", "gethostbyname_r", "getaddrinfo_a", "getaddrinfo_a_later", "res_query"]
)
def test_other_calls_that_look_names_up(lab, broker, profile, call):
    for name, address, interface in (
        ("git.corp.test", PUBLIC, "vpn0"), ("web.test", CORPORATE, "vpn0"),
        ("www.test", PUBLIC, "lan0"),
    ):
        # What libc's own servers answer to a program that does not wait, px does not see.
        if (call, profile) == ("getaddrinfo_a_later", "host"):
            interface = "lan0"
        lab.px(broker, [program_file("connect_by_name"), call, name, "8080"], profile)
        assert left_by(lab, address) == {interface}, name


@pytest.mark.parametrize("profile", ["host", "next"])
def test_a_link_that_is_down(lab, broker, profile):
    lab.link_down("vpn")
    done = python(lab, broker, profile, "left('git.corp.test')", check=False)
    if profile == "next":
        assert left_by(lab, PUBLIC) == {"lan0"}
    else:
        assert "Network is unreachable" in done.stderr
        assert left_by(lab, PUBLIC) == set()


def test_a_new_policy_holds_for_names_that_were_asked_before(lab, broker):
    code = (
        "socket.getaddrinfo('git.corp.test', 80)\n"
        "for line in sys.stdin:\n"
        f"  socket.create_connection(('{PUBLIC}', 8080)).close()\n"
        "  print(flush=True)\n"
    )
    program = lab.px_popen(
        broker, ["/usr/bin/python3", "-c", CONNECT + code], "host", stdin=-1, stdout=-1
    )

    def connect():
        program.stdin.write("\n")
        program.stdin.flush()
        assert program.stdout.readline() == "\n"
        return left_by(lab, PUBLIC)

    assert connect() == {"vpn0"}
    broker.reload(POLICY.replace('"*.corp.test"], via: vpn', 'git.corp.test], via: lte'))
    assert connect() == {"lte0"}
    broker.reload(POLICY.replace('"*.corp.test"', '"*.other.test"'))
    assert connect() == {"lan0"}


def explained(broker, name, profile="host"):
    (report,) = broker.ask("explain", "curl", name, "--profile", profile)
    rule = report["rule"]["to"] if report["rule"] else None
    return rule, (report["entry"] or {}).get("interface"), report["names"], report["ambiguous"]


def test_explain_says_which_rule_a_name_takes(lab, broker):
    corporate = "nowhere.test, *.corp.test"
    assert explained(broker, "git.corp.test") == (corporate, "vpn0", ["git.corp.test"], [])
    chain = ["web.test", "mid.corp.test", "cdn.test"]
    assert explained(broker, "Web.test") == (corporate, "vpn0", chain, [])
    assert explained(broker, "www.test") == ("any", "lan0", ["www.test"], [])
    assert explained(broker, "ads.test") == ("ads.test", None, ["ads.test"], [])
    text = broker.pxctl("explain", "curl", "web.test", "--profile", "host").stdout
    assert f"rule 1 (to {corporate}; " in text
    assert "Rules by name look at web.test, mid.corp.test, cdn.test." in text
    report = broker.ask("explain", "curl", PUBLIC, "--profile", "host")
    assert (report["rule"]["to"], report["names"]) == ("any", [])


def test_explain_says_that_an_address_is_ambiguous(lab, broker):
    names = ["git.corp.test", "www.test"]
    code = f"for name in {names}: socket.getaddrinfo(name, 80, socket.AF_INET)"
    python(lab, broker, "own", code)
    for name, other in (names, reversed(names)):
        assert explained(broker, name, "own")[2:] == ([name], [other])
        text = broker.pxctl("explain", "curl", name, "--profile", "own").stdout
        assert f"Ambiguous: the address was answered for {other} as well" in text
    assert explained(broker, "git.corp.test", "host")[3] == []


# The hosts line, and whom it asks, stay as they are: also what libc asks, but once more for an
# alias.
def test_without_dns_the_hosts_own_servers_are_asked(lab, broker, dns):
    python(lab, broker, "host", "left('git.corp.test')")
    assert sorted(dns.asked("lan")) == ["A git.corp.test", "AAAA git.corp.test"]
    assert dns.asked("lte") == dns.asked("vpn") == []
    before = len(dns.asked("lan"))
    python(lab, broker, "host", "left('web.test')")
    assert sorted(dns.asked("lan")[before:]) == ["A web.test", "A web.test", "AAAA web.test"]


def test_getaddrinfo_a_asks_once(lab, broker, dns):
    lab.px(broker, [program_file("name_requests"), "git.corp.test", "80"], "host")
    # Once for GAI_WAIT, and once for GAI_NOWAIT.
    assert sorted(dns.asked("lan")) == 2 * ["A git.corp.test"] + 2 * ["AAAA git.corp.test"]


def test_without_rules_by_name_nothing_is_asked_twice(lab, broker, dns):
    python(lab, broker, "without", "left('web.test')")
    assert sorted(dns.asked("lan")) == ["A web.test", "AAAA web.test"]
