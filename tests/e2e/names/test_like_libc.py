# SPDX-License-Identifier: MIT
"""Under a profile whose name server is the system's own, every call says what it says without px. So does
it where px but notes the answers, for rules by name."""

import difflib

import pytest

from support.lab.three_uplinks import PUBLIC, PUBLIC6, UPLINKS
from support.programs import program_file
from support.servers.uplink_name_servers import name_servers

LAN = UPLINKS[0]
POLICY = """version: 1
paths:
  lan: {{ interface: lan0 }}
profiles:
  own:
    dns: {{ via: lan, servers: ["{server}"], search: [test] }}
  steered:
    rules: [{{ to: any, via: lan }}]
    dns: {{ via: lan, servers: ["{server}"], search: [test] }}
  by-name:
    rules: [{{ to: "*.corp.test", action: block }}]
"""
# A host of one family alone asks the server by that.
SERVERS = {"dual": LAN.gateway, "ipv4": LAN.gateway, "ipv6": LAN.gateway6}
# Of each kind that the order of addresses depends on; to some of them no host here has a way.
SORTED = [PUBLIC, "192.168.1.30", "169.254.3.4", "127.0.0.5", "2001:db8:1::30", PUBLIC6, "fd20::80"]
SORTED += ["2002:c000:21e::1", "2001::1", "fec0::1", "::1", "fe80::5", "::ffff:198.51.100.80"]
HOSTS = f"{PUBLIC} www.test\n{PUBLIC6} www.test\n{PUBLIC} four.test\n{PUBLIC6} six.test\n"
HOSTS += "".join(f"{address} sorted.test\n" for address in SORTED)
HOSTS += "".join(f"10.9.0.{n + 1} many.test\n" for n in range(60))
WORDS = [
    "--cname=alias.test,www.test",
    "--cname=chain.test,alias.test",
    "--txt-record=www.test,hello",
    "--txt-record=large.test," + ",".join("x" * 200 for _ in range(10)),
]
NAMES = ["www.test", "WWW.Test.", "www", "four.test", "six.test", "alias.test", "chain.test"]
NAMES += ["sorted.test", "many.test", "large.test", "nowhere.test", "no.such.name", "a..b", "-dash.test", "."]
NAMES += ["localhost", "10.1", "10.1.2.256", "w\\119w.test", "under_score.test", "sp ace.test"]


@pytest.fixture(name="server", params=SERVERS)
def _server(lab, request):
    for uplink in UPLINKS:
        if request.param == "ipv4":
            lab.client.sysctl(**{f"net__ipv6__conf__{uplink.interface}__disable_ipv6": 1})
        elif request.param == "ipv6":
            lab.client.ip(f"address del {uplink.source}/24 dev {uplink.interface}")
    return SERVERS[request.param]


@pytest.fixture(name="dns")
def _dns(lab, server):
    with name_servers(lab, {uplink.name: HOSTS for uplink in UPLINKS}, WORDS) as servers:
        resolver = f"nameserver {server}\nsearch test\n"
        servers.resolver.write_text(resolver, encoding="utf-8")
        yield servers


@pytest.mark.parametrize("profile", ["own", "steered", "by-name"])
def test_every_call_says_what_it_says_without_px(lab, dns, server, profile):
    program = [program_file("name_calls"), *NAMES]
    with lab.serving(POLICY.format(server=server)) as broker:
        bare = lab.client.run(program, timeout=60).stdout
        assert len(bare.splitlines()) > 300
        dns.forget()
        under_px = lab.px(broker, program, profile, timeout=60).stdout
        assert list(difflib.unified_diff(bare.splitlines(), under_px.splitlines())) == []
        assert set(dns.left()) == {"lan0"}
        # It was px that asked: nothing of the search list's is asked twice over.
        assert dns.left()["lan0"] > 50
