# SPDX-License-Identifier: MIT
"""Under a profile whose name server is the system's own, every call says what it says without px."""

import difflib

import pytest

from support.lab.three_uplinks import PUBLIC, PUBLIC6, UPLINKS
from support.programs import program_file
from support.servers.uplink_name_servers import name_servers

LAN = UPLINKS[0]
POLICY = f"""version: 1
paths:
  lan: {{ interface: lan0 }}
profiles:
  own:
    dns: {{ via: lan, servers: ["{LAN.gateway}"], search: [test] }}
"""
HOSTS = f"{PUBLIC} www.test\n{PUBLIC6} www.test\n{PUBLIC} four.test\n{PUBLIC6} six.test\n"
HOSTS += "".join(f"10.9.0.{n + 1} many.test\n" for n in range(60))
WORDS = [
    "--cname=alias.test,www.test",
    "--cname=chain.test,alias.test",
    "--txt-record=www.test,hello",
    "--txt-record=large.test," + ",".join("x" * 200 for _ in range(10)),
]
NAMES = ["www.test", "WWW.Test.", "www", "four.test", "six.test", "alias.test", "chain.test"]
NAMES += ["many.test", "large.test", "nowhere.test", "no.such.name", "a..b", "-dash.test", "."]
NAMES += ["localhost", "10.1", "10.1.2.256", "w\\119w.test", "under_score.test", "sp ace.test"]


@pytest.fixture(name="dns")
def _dns(lab):
    with name_servers(lab, {uplink.name: HOSTS for uplink in UPLINKS}, WORDS) as servers:
        resolver = f"nameserver {LAN.gateway}\nsearch test\n"
        servers.resolver.write_text(resolver, encoding="utf-8")
        yield servers


def test_every_call_says_what_it_says_without_px(lab, dns):
    program = [program_file("name_calls"), *NAMES]
    with lab.serving(POLICY) as broker:
        bare = lab.client.run(program, timeout=60).stdout
        assert len(bare.splitlines()) > 300
        dns.forget()
        under_px = lab.px(broker, program, "own", timeout=60).stdout
        assert list(difflib.unified_diff(bare.splitlines(), under_px.splitlines())) == []
        assert set(dns.left()) == {"lan0"}
        # It was px that asked: nothing of the search list's is asked twice over.
        assert dns.left()["lan0"] > 50
