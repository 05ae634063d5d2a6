# SPDX-License-Identifier: MIT
"""Under a profile whose name server is the system's own, every call says what it says without px. So does
it where px but notes the answers, for rules by name."""

import difflib

import pytest

from support.lab.isolation import in_place_of
from support.lab.three_uplinks import PUBLIC, PUBLIC6, UPLINKS
from support.programs import program_file
from support.servers.hostile_uplink import HostileUplink
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
HOSTS += f"{PUBLIC} xn--bcher-kva.test\n"
HOSTS += "".join(f"10.9.0.{n + 1} many.test\n" for n in range(60))
WORDS = [
    "--cname=alias.test,www.test",
    "--cname=chain.test,alias.test",
    "--cname=half.test,six.test",
    "--txt-record=www.test,hello",
    "--txt-record=large.test," + ",".join("x" * 200 for _ in range(10)),
]
NAMES = ["www.test", "WWW.Test.", "www", "four.test", "six.test", "alias.test", "chain.test", "half.test"]
NAMES += ["sorted.test", "many.test", "large.test", "nowhere.test", "no.such.name", "a..b", "-dash.test", "."]
NAMES += ["localhost", "10.1", "10.1.2.256", "w\\119w.test", "under_score.test", "sp ace.test"]
# Of each kind whose answer depends on the hints, or that libc reads itself.
FORMS = ["www.test", "WWW", "four.test", "six.test", "chain.test", "half.test", "sorted.test", "many.test"]
FORMS += ["nowhere.test", "", "localhost", "LOCALHOST", "localhost.", "self.files", "self", "only-four.files"]
FORMS += ["10", "0x0a010203", "012.1.2.3", "09.1.2.3", "10.1.2.3 ", "10.1.2.3%lo", "::1", "fe80::1%lo"]
FORMS += ["fe80::1%nosuch", "::ffff:10.1.2.3", "[::1]", "b\u00fccher.test", "xn--bcher-kva.test"]
FORMS += ["a" * 63 + ".test", "a" * 64 + ".test", ".".join(["a" * 49] * 5), ".".join(["a" * 49] * 6)]
HOSTS_FILE = "127.0.0.1 localhost\n::1 localhost ip6-localhost\n10.9.8.1 self.files self\n"
HOSTS_FILE += "fd09:8::1 self.files self\n10.9.8.2 only-four.files\n10.9.8.3 only-four.files\n"


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


def changes(bare, under_px):
    """The lines that differ, without their context."""
    lines = difflib.unified_diff(bare.splitlines(), under_px.splitlines(), n=0)
    return [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")]


@pytest.mark.parametrize("profile", ["own", "steered", "by-name"])
def test_every_call_says_what_it_says_without_px(lab, dns, server, profile):
    program = [program_file("name_calls"), *NAMES]
    with lab.serving(POLICY.format(server=server)) as broker:
        bare = lab.client.run(program, timeout=60).stdout
        assert len(bare.splitlines()) > 300
        dns.forget()
        under_px = lab.px(broker, program, profile, timeout=60).stdout
        assert changes(bare, under_px) == []
        assert set(dns.left()) == {"lan0"}
        # It was px that asked: nothing of the search list's is asked twice over.
        assert dns.left()["lan0"] > 50


@pytest.mark.parametrize("profile", ["own", "steered", "by-name"])
def test_every_form_of_a_call_says_what_it_says_without_px(lab, dns, server, profile, tmp_path):
    file = tmp_path / "hosts"
    file.write_text(HOSTS_FILE, encoding="utf-8")
    # px has libc ask for the canonical name, too, and then libc says of such a name that there is none.
    forms = [name for name in FORMS if (name, profile) != ("half.test", "by-name")]
    program = [program_file("name_forms"), *forms]
    with in_place_of("/etc/hosts", file), lab.serving(POLICY.format(server=server)) as broker:
        bare = lab.client.run(program, timeout=60).stdout
        assert len(bare.splitlines()) > 3000
        dns.forget()
        assert changes(bare, lab.px(broker, program, profile, timeout=60).stdout) == []
        assert set(dns.left()) == {"lan0"}


IMPATIENT = """version: 1
paths: {{ lan: {{ interface: lan0 }} }}
profiles:
  alone: {{ dns: {{ via: lan, servers: ["{server}"], options: {{ timeout: 1s, attempts: 1 }} }} }}
  searching:
    dns: {{ via: lan, servers: ["{server}"], search: [nowhere.test], options: {{ timeout: 1s, attempts: 1 }} }}
"""
TEMPORARY = ["server-failure", "refused", "not-implemented"]
FAILING = [*TEMPORARY, "silent", "format-error", "no-such-name", "other-owner", "own-and-other"]
FAILING += ["alias-loop", "alias-of-itself", "alias-of-nothing", "gigantic"]


def test_failures_are_what_they_are_without_px(lab, server, tmp_path):
    HostileUplink(lab, "lan")
    resolver = tmp_path / "resolv.conf"
    lines = f"nameserver {server}\noptions timeout:1 attempts:1\n"

    def changes_under(profile, search, names):
        resolver.write_text(lines + search, encoding="utf-8")
        words = [program_file("failing_names"), *(f"{name}.test" for name in names)]
        bare = lab.client.run(words, timeout=60).stdout
        return changes(bare, lab.px(broker, words, profile, timeout=60).stdout)

    resolver.touch()
    with in_place_of("/etc/resolv.conf", resolver), lab.serving(
        IMPATIENT.format(server=server)
    ) as broker:
        assert changes_under("alone", "", FAILING) == []
        # Where the failure is not the last thing that libc hears, since the search list has names that
        # do not exist, libc takes the failing one for such a name, too. px keeps to the failure.
        assert sorted(changes_under("searching", "search nowhere.test\n", TEMPORARY)) == sorted(
            f"{sign}{name}.test {call}: {text}"
            for name in TEMPORARY
            for sign, call, text in (
                ("-", "IPv4", "Name or service not known"),
                ("+", "IPv4", "Temporary failure in name resolution"),
                ("-", "gethostbyname_r", "0, 0 addresses, error 2"),
                ("+", "gethostbyname_r", "EAGAIN, 0 addresses, error 2"),
            )
        )
