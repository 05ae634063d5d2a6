# SPDX-License-Identifier: MIT
"""What the host has for looking names up is passed by: nscd, which answers before libc looks into
nsswitch.conf, and systemd-resolved, by its service in libc and at 127.0.0.53."""

import contextlib
import os

import pytest

from support.lab.isolation import in_place_of
from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC_OTHER, UPLINKS
from support.programs import unpacked
from support.servers.host_resolvers import nscd, systemd_resolved
from support.servers.uplink_name_servers import name_servers
from support.wait import wait_until

LAN, LTE, VPN = UPLINKS
POLICY = f"""version: 1
paths:
  vpn: {{ interface: vpn0 }}
profiles:
  all:
    dns: {{ via: vpn, servers: ["{VPN.gateway}"], options: {{ timeout: 1s, attempts: 1 }} }}
  some:
    dns: [{{ names: "*.corp.test", via: vpn, servers: ["{VPN.gateway}"] }}]
"""
ANSWERS = {"lan": PUBLIC, "lte": PUBLIC_OTHER, "vpn": CORPORATE}
HOSTS = {
    name: f"{address} www.test www.corp.test {name}.only.test\n" for name, address in ANSWERS.items()
}
CODE = "import socket; print(socket.{}('www.test'{})[{}])"
BY_ADDRESS = "import socket; print(socket.gethostbyaddr"
PROGRAMS = {
    "getent ahosts": ["getent", "ahosts", "www.test"],
    "getent hosts": ["getent", "hosts", "www.test"],
    "getaddrinfo": ["/usr/bin/python3", "-c", CODE.format("getaddrinfo", ", 80", "0")],
    "gethostbyname": ["/usr/bin/python3", "-c", CODE.format("gethostbyname_ex", "", "2")],
    "gethostbyaddr": ["/usr/bin/python3", "-c", f"{BY_ADDRESS}('{CORPORATE}'))"],
    "perl": ["perl", "-MSocket", "-e", 'print inet_ntoa(inet_aton("www.test"))'],
    "curl": ["curl", "-svm5", "-o", "/dev/null", "http://www.test:8080/"],
}


@pytest.fixture(name="dns")
def _dns(lab):
    with name_servers(lab, HOSTS, ["--local-ttl=600"]) as servers:
        yield servers


@contextlib.contextmanager
def nsswitch(lab, line):
    file = lab.directory / "nsswitch.conf"
    file.write_text(f"passwd: files\nhosts: {line}\n", encoding="utf-8")
    with in_place_of("/etc/nsswitch.conf", file):
        yield


@contextlib.contextmanager
def with_nscd(lab):
    with nsswitch(lab, "files dns"), nscd(lab):
        yield "lan0", {}


@contextlib.contextmanager
def with_resolved(lab, line):
    """It asks lte's server, where libc itself would ask lan's."""
    service = unpacked("libnss-resolve", "usr/lib/x86_64-linux-gnu/libnss_resolve.so.2")
    with nsswitch(lab, line), systemd_resolved(lab) as resolved:
        resolved.control("dns", "lte0", LTE.gateway)
        resolved.control("domain", "lte0", "~.")
        yield "lte0", {"LD_LIBRARY_PATH": str(service.parent)}


@contextlib.contextmanager
def with_nss_resolve(lab):
    with with_resolved(lab, "files resolve [!UNAVAIL=return] dns") as found:
        yield found


@contextlib.contextmanager
def with_stub(lab, dns):
    dns.resolver.write_text("nameserver 127.0.0.53\n", encoding="utf-8")
    with with_resolved(lab, "files dns") as found:
        yield found


@pytest.fixture(name="host", params=["nscd", "nss-resolve", "127.0.0.53"])
def _host(request, lab, dns):
    """By which interface the host's own service asks, and what programs need to use it."""
    if request.param == "nscd":
        host = with_nscd(lab)
    elif request.param == "nss-resolve":
        host = with_nss_resolve(lab)
    else:
        host = with_stub(lab, dns)
    with host as found:
        yield found


@pytest.fixture(name="broker")
def _broker(lab, host):
    with lab.serving(POLICY) as broker:
        yield broker


def left(dns):
    """To the host's own service at 127.0.0.53, too."""
    return set(dns.left())


def bare(lab, host, words):
    return lab.client.run(words, check=False, env={**os.environ, **host[1]})


def under(lab, host, broker, words, profile):
    variables = [f"{name}={value}" for name, value in host[1].items()]
    return lab.px(broker, ["env", *variables, *words], profile, check=False)


def test_no_program_asks_it(lab, host, broker, dns):
    # The host's service is one, and knows the name from now on.
    dns.forget()
    assert ANSWERS[host[0][:3]] in bare(lab, host, PROGRAMS["getent ahosts"]).stdout
    assert host[0] in left(dns)
    for name, words in PROGRAMS.items():
        dns.forget()
        done = under(lab, host, broker, words, "all")
        assert CORPORATE in done.stdout + done.stderr, name
        assert left(dns) <= {"vpn0"}
    # Nor has it learned anything.
    assert ANSWERS[host[0][:3]] in bare(lab, host, PROGRAMS["getent ahosts"]).stdout
    assert {question.split()[1] for question in dns.asked("vpn")} & {"www.test"}


def test_nor_where_its_own_servers_do_not_answer(lab, host, broker, dns):
    dns.forget()
    other = ["getent", "ahosts", f"{host[0][:3]}.only.test"]
    assert under(lab, host, broker, other, "all").returncode == 2
    assert left(dns) == {"vpn0"}
    lab.link_down("vpn")
    wait_until(
        lambda: not broker.ask("names")["profiles"][0]["servers"][0]["usable"],
        "the broker has seen it",
    )
    dns.forget()
    for name, words in PROGRAMS.items():
        done = under(lab, host, broker, words, "all")
        assert not any(address in done.stdout for address in ANSWERS.values()), name
    assert left(dns) == set()


def test_names_that_are_not_the_profiles_are_its(lab, host, broker, dns):
    dns.forget()
    done = under(lab, host, broker, ["getent", "ahosts", "www.corp.test"], "some")
    assert CORPORATE in done.stdout
    assert left(dns) == {"vpn0"}
    dns.forget()
    done = under(lab, host, broker, ["getent", "ahosts", "www.test"], "some")
    assert ANSWERS[host[0][:3]] in done.stdout
    assert "vpn0" not in left(dns)
    dns.forget()
    done = under(lab, host, broker, ["getent", "ahosts", "nowhere.corp.test"], "some")
    assert done.returncode == 2
    assert left(dns) == {"vpn0"}
