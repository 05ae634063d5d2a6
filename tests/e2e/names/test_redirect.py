# SPDX-License-Identifier: MIT
"""Programs that ask the host's name servers by packets of their own ask their profile's instead."""

import pytest

from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC_OTHER, UPLINKS
from support.programs import program_file

ANSWERS = {"lan": PUBLIC, "lte": PUBLIC_OTHER, "vpn": CORPORATE}
HOSTS = {name: f"{address} network.test\n" for name, address in ANSWERS.items()}
LAN, LTE, VPN = UPLINKS
STUB = "127.0.0.53"  # systemd-resolved's, where nobody listens here
OTHER = "192.0.2.53"  # the host's, too, and silent
PATHS = "".join(f"  {u.name}: {{ interface: {u.interface} }}\n" for u in UPLINKS)
# The rules send everything elsewhere, and some profiles have none.
PROFILES = "".join(
    f"""  {u.name}:
    dns: {{ via: {u.name}, servers: ["{u.gateway}", "{u.gateway6}"], redirect: true }}
    rules: [{{ to: any, via: {other.name} }}]
  {u.name}-alone:
    dns: {{ via: {u.name}, servers: ["{u.gateway}"], redirect: true }}
"""
    for u, other in zip(UPLINKS, UPLINKS[1:] + UPLINKS[:1])
)
POLICY = f"""version: 1
paths:
{PATHS}profiles:
{PROFILES}  not-redirected:
    dns: {{ via: vpn, servers: ["{VPN.gateway}"] }}
  refused:
    dns: {{ via: vpn, servers: ["{VPN.gateway}"], redirect: true }}
    rules: [{{ to: any, port: 53, action: block }}]
"""
ONCE = ["+short", "+tries=1", "+time=5"]
RESOLVE = 'require("dns").resolve4("network.test", (e, found) => console.log(e ? e.code : found))'
PROGRAMS = {
    "dig": ["dig", *ONCE, "network.test"],
    "dig by TCP": ["dig", *ONCE, "+tcp", "network.test"],
    "host": ["host", "-t", "A", "-W", "5", "-R", "1", "network.test"],
    "nslookup": ["nslookup", "-timeout=5", "-type=A", "network.test"],
    "node by c-ares": ["node", "-e", RESOLVE],
    "aria2c by c-ares": ["aria2c", "--dry-run", "-t", "9", "-m", "1", "http://network.test:8080/"],
}
HOWS = ("connect", "tcp", "sendto", "sendmsg", "sendmmsg")


@pytest.fixture(name="broker")
def _broker(lab, dns):
    dns.resolver.write_text(f"nameserver {LAN.gateway}\nnameserver {OTHER}\n", encoding="utf-8")
    with lab.serving(POLICY) as broker:
        yield broker


def ask(how, *servers):
    return [program_file("ask_name"), how, "network.test", *(w for s in servers for w in (s, "53"))]


def answers(done):
    text = done.stdout + done.stderr
    return {name for name, address in ANSWERS.items() if address in text} or text


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_each_program_asks_its_profiles_server(lab, broker, dns, name):
    for uplink in UPLINKS:
        for profile in (uplink.name, f"{uplink.name}-alone"):
            dns.forget()
            lab.flows.reset()
            done = lab.px(broker, PROGRAMS[name], profile, check=False)
            if name.startswith("aria2c"):
                assert lab.flows.left(ANSWERS[uplink.name]), done.stdout
            else:
                assert answers(done) == {uplink.name}
            assert set(dns.left()) == {uplink.interface}
    for profile in ("not-redirected", None):
        dns.forget()
        done = lab.px(broker, PROGRAMS[name], profile, check=False) if profile else bare(lab, name)
        assert set(dns.left()) == {"lan0"}


def bare(lab, name):
    return lab.client.run(PROGRAMS[name], check=False)


@pytest.mark.routes
@pytest.mark.parametrize("how", HOWS)
def test_answers_come_from_where_the_program_has_asked(lab, broker, dns, how):
    asked = [STUB, LAN.gateway, OTHER, LAN.source]
    done = lab.px(broker, ask(how, *asked), "vpn", check=False)
    peers = [f", connected to {server} 53" if how in HOWS[:2] else "" for server in asked]
    wanted = [f"{CORPORATE} from {server} 53{peer}" for server, peer in zip(asked, peers)]
    assert done.stdout.splitlines() == wanted
    assert set(dns.left()) == {"vpn0"}
    assert dns.asked("vpn") == ["A network.test"] * 4


@pytest.mark.parametrize("how", HOWS)
def test_by_ipv6(lab, broker, dns, how):
    done = lab.px(broker, ask(how, "::1"), "vpn", check=False)
    assert f"{CORPORATE} from ::1 53" in done.stdout
    assert set(dns.left()) == {"vpn0"}
    # Where there is no server of that family, by IPv4.
    done = lab.px(broker, ask(how, "::1"), "vpn-alone", check=False)
    assert f"{CORPORATE} from ::1 53" in done.stdout
    assert set(dns.left_for()) == {("vpn0", VPN.gateway)}


@pytest.mark.parametrize("how", HOWS)
def test_other_servers_are_left_alone(lab, broker, dns, how):
    done = lab.px(broker, ask(how, LTE.gateway), "vpn-alone", check=False)
    assert f"{PUBLIC_OTHER} from {LTE.gateway} 53" in done.stdout
    assert set(dns.left()) == {"lte0"}


@pytest.mark.parametrize("how", HOWS)
def test_a_profiles_own_server_is_asked_by_its_path(lab, broker, dns, how):
    # The rules of vpn lead elsewhere.
    done = lab.px(broker, ask(how, VPN.gateway), "vpn", check=False)
    assert f"{CORPORATE} from {VPN.gateway} 53" in done.stdout
    assert set(dns.left()) == {"vpn0"}


@pytest.mark.parametrize("how", HOWS)
def test_a_rule_that_blocks_comes_first(lab, broker, dns, how):
    for server in (STUB, LAN.gateway):
        done = lab.px(broker, ask(how, server), "refused", check=False)
        assert "EACCES" in done.stdout
    assert dns.left() == {}


def test_explain_says_where_a_question_goes(lab, broker):
    report = broker.ask("explain", "dig", STUB, "53", "--proto", "udp", "--profile", "vpn")
    assert report["redirected"] == {"server": VPN.gateway}
    assert (report["reason"], report["entry"]["interface"]) == ("name-server", "vpn0")
    words = ("explain", "dig", STUB, "53", "--proto", "udp", "--profile")
    text = broker.pxctl(*words, "vpn").stdout
    assert f"{STUB} port 53 udp: is redirected to {VPN.gateway}, and goes out of vpn0" in text
    assert "Because it is a name server of the profile's own." in text
    assert "is refused with EACCES" in broker.pxctl(*words, "refused").stdout
    assert broker.ask(*words, "not-redirected")["redirected"] is None
    lab.link_down("vpn")
    text = broker.pxctl(*words, "vpn-alone").stdout
    assert "fails with ENETUNREACH" in text
    assert "the profile redirects it, and none of its name servers is available" in text


@pytest.mark.parametrize("how", HOWS)
def test_without_its_path_nobody_is_asked(lab, broker, dns, how):
    lab.link_down("vpn")
    for server in (STUB, LAN.gateway):
        done = lab.px(broker, ask(how, server), "vpn", check=False)
        assert "ENETUNREACH" in done.stdout
    assert dns.left() == {}
