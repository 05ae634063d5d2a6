# SPDX-License-Identifier: MIT
"""Programs ask the name servers of their profile, through its path, and nobody else."""

import concurrent.futures

import pytest

from support.clients.fetch_java import fetch_java
from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC6, PUBLIC_OTHER, UPLINKS

# What `network.test` is behind each uplink: an address of the lab's server, so that programs can
# connect to it.
ANSWERS = {"lan": PUBLIC, "lte": PUBLIC_OTHER, "vpn": CORPORATE}
HOSTS = {
    name: f"{address} network.test {name}.only.test\n{address} inner.corp.test\n"
    f"{address} both.test\n{PUBLIC6} both.test\n"
    for name, address in ANSWERS.items()
}
PATHS = "".join(f"  {u.name}: {{ interface: {u.interface} }}\n" for u in UPLINKS)
PROFILES = "".join(
    f"""  {u.name}:
    rules: [{{ to: any, via: {u.name} }}]
    dns:
      via: {u.name}
      servers: ["{u.gateway}"]
      search: [corp.test]
      options: {{ timeout: 1s, attempts: 1 }}
  {u.name}-by-ipv6:
    dns: {{ via: {u.name}, servers: ["{u.gateway6}"] }}
"""
    for u in UPLINKS
)
POLICY = f"""version: 1
paths:
{PATHS}profiles:
{PROFILES}  without:
    rules: [{{ to: any, via: vpn }}]
"""
URL = "http://network.test:8080/"
PYTHON = "import socket; print(socket.getaddrinfo('network.test', 80))"
# With folders of its own, and as the user it is started by. It asks for SRV records, too.
APT = """
cd "$(mktemp -d)"
echo 'deb [trusted=yes] http://network.test/ ./' >sources
exec apt-get update -o Dir::Etc::sourcelist="$PWD/sources" -o Dir::Etc::sourceparts=/dev/null \
  -o Dir::State::lists="$PWD" -o Dir::Cache="$PWD" -o APT::Sandbox::User=root -o Debug::pkgAcquire::Worker=1
"""
PROGRAMS = {
    "getent hosts": ["getent", "hosts", "network.test"],
    "getent ahosts": ["getent", "ahosts", "network.test"],
    "python": ["/usr/bin/python3", "-c", PYTHON],
    "perl": ["perl", "-MSocket", "-e", 'print inet_ntoa(inet_aton("network.test"))'],
    "php": ["php", "-r", 'echo gethostbyname("network.test");'],
    "node": ["node", "-e", 'require("dns").lookup("network.test", (e, a) => console.log(e, a))'],
    "ruby": ["ruby", "-rsocket", "-e", 'p Addrinfo.getaddrinfo("network.test", 80)'],
    "curl": ["curl", "-svm5", "-o", "/dev/null", URL],
    "wget": ["wget", "-t1", "-T5", "-O", "/dev/null", URL],
    "git": ["env", "GIT_CURL_VERBOSE=1", "git", "ls-remote", URL],
    "ping": ["ping", "-c1", "-W1", "network.test"],
    "nc": ["nc", "-vz", "-w5", "network.test", "8080"],
    "nc.traditional": ["nc.traditional", "-vz", "-w5", "network.test", "8080"],
    "psql": ["psql", "-d", "postgres://network.test:81/x?connect_timeout=5", "-c", "select 1"],
    "apt": ["sh", "-c", APT],
    "ssh": ["ssh", "-v", "-o", "ConnectTimeout=5", "-p", "8080", "network.test", "true"],
}


def answers(done):
    """Whose answers a program has shown."""
    text = done.stdout + done.stderr
    return {name for name, address in ANSWERS.items() if address in text} or text


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_each_profile_gets_its_own_networks_answer(lab, broker, dns, name):
    for uplink in UPLINKS:
        dns.forget()
        done = lab.px(broker, PROGRAMS[name], uplink.name, check=False)
        assert answers(done) == {uplink.name}
        assert set(dns.left()) == {uplink.interface}
        assert "A network.test" in dns.asked(uplink.name)
    for without in (lab.px(broker, PROGRAMS[name], "without", check=False), bare(lab, name)):
        assert answers(without) == {"lan"}
    dns.forget()
    assert answers(bare(lab, name)) == {"lan"}
    assert set(dns.left()) == {"lan0"}


def test_java(lab, broker, dns, tmp_path):
    program = [*fetch_java(tmp_path), "network.test", "8080"]
    for uplink in UPLINKS:
        dns.forget()
        lab.flows.reset()
        lab.px(broker, program, uplink.name)
        assert set(lab.flows.left(ANSWERS[uplink.name])) == {uplink.interface}
        assert set(dns.left()) == {uplink.interface}
        assert "A network.test" in dns.asked(uplink.name)
    lab.flows.reset()
    lab.client.run(program)
    assert set(lab.flows.left(ANSWERS["lan"])) == {"lan0"}


def bare(lab, name):
    return lab.client.run(PROGRAMS[name], check=False)


@pytest.mark.broker
def test_all_at_once(lab, broker, dns):
    """Three profiles and bare programs, each of them many times."""

    def look_up(profile):
        code = (
            "import socket\n"
            "for i in range(40): a = socket.getaddrinfo('network.test', 80, socket.AF_INET)\n"
            "print(a)"
        )
        program = ["/usr/bin/python3", "-c", code]
        done = lab.client.run(program) if profile is None else lab.px(broker, program, profile)
        return answers(done)

    profiles = ["lan", "lte", "vpn", None] * 3
    with concurrent.futures.ThreadPoolExecutor(len(profiles)) as pool:
        found = list(pool.map(look_up, profiles))
    assert found == [{profile or "lan"} for profile in profiles]
    # Nobody's question has come to a server of another network.
    for uplink in UPLINKS:
        others = {f"{other.name}.only.test" for other in UPLINKS if other != uplink}
        assert not others & {question.split()[1] for question in dns.asked(uplink.name)}


@pytest.mark.parametrize("uplink", UPLINKS, ids=lambda uplink: uplink.name)
def test_servers_by_ipv6(lab, broker, dns, uplink):
    done = lab.px(broker, PROGRAMS["getent ahosts"], f"{uplink.name}-by-ipv6")
    assert answers(done) == {uplink.name}
    assert set(dns.left()) == {uplink.interface}


def test_a_search_list_is_the_profiles_own(lab, broker, dns):
    found = lab.px(broker, ["getent", "ahostsv4", "inner"], "vpn")
    assert answers(found) == {"vpn"}
    assert "A inner.corp.test" in dns.asked("vpn")
    assert lab.px(broker, ["getent", "ahostsv4", "inner."], "vpn", check=False).returncode == 2
    assert lab.px(broker, ["getent", "ahostsv4", "inner"], "without", check=False).returncode == 2
    # The program's environment says otherwise, as it does to libc.
    own = ["env", "LOCALDOMAIN=only.test", "getent", "ahostsv4", "vpn"]
    assert answers(lab.px(broker, own, "vpn")) == {"vpn"}
    dots = ["env", "RES_OPTIONS=ndots:0", "getent", "ahostsv4", "inner"]
    assert answers(lab.px(broker, dots, "vpn")) == {"vpn"}
    assert "A inner" in dns.asked("vpn")


def test_a_name_that_is_not_there_is_asked_nowhere_else(lab, broker, dns):
    dns.forget()
    done = lab.px(broker, ["getent", "ahosts", "lan.only.test"], "vpn", check=False)
    assert done.returncode == 2
    assert set(dns.left()) == {"vpn0"}


def test_addresses_have_the_names_of_their_network(lab, broker, dns):
    dns.forget()
    names = lab.px(broker, ["getent", "hosts", CORPORATE], "vpn").stdout.split()
    assert "network.test" in names
    assert lab.px(broker, ["getent", "hosts", CORPORATE], "lte", check=False).returncode == 2
    assert set(dns.left()) == {"vpn0", "lte0"}


def test_a_moved_program_asks_its_new_network(lab, broker, dns):
    code = (
        "import socket, sys\n"
        "for line in sys.stdin:\n"
        "  print(socket.getaddrinfo('network.test', 80, socket.AF_INET)[0][4][0], flush=True)"
    )
    program = lab.px_popen(
        broker, ["/usr/bin/python3", "-c", code], "vpn", stdin=-1, stdout=-1
    )

    def look_up():
        program.stdin.write("\n")
        program.stdin.flush()
        return program.stdout.readline().strip()

    assert look_up() == CORPORATE
    broker.pxctl("move", program.pid, "lte")
    assert look_up() == PUBLIC_OTHER
    broker.pxctl("move", program.pid, "without")
    assert look_up() == PUBLIC
    broker.pxctl("move", program.pid, "vpn")
    assert look_up() == CORPORATE


def test_explain_says_whom_a_profile_asks(lab, broker):
    report = broker.ask("explain", "curl", PUBLIC, "--profile", "vpn")
    assert report["dns"] == {
        "servers": [
            {
                "server": "10.8.0.1",
                "interface": "vpn0",
                "source": "10.8.0.2",
                "usable": True,
                "why": None,
                "names": None,
                "from": "policy",
                "timeout_s": 1,
                "attempts": 1,
            }
        ],
        "search": ["corp.test"],
        "ndots": 1,
    }
    text = broker.pxctl("explain", "curl", PUBLIC, "--profile", "vpn").stdout
    assert "Names are asked of 10.8.0.1 out of vpn0 from 10.8.0.2" in text
    lab.link_down("vpn")
    text = broker.pxctl("explain", "curl", PUBLIC, "--profile", "vpn").stdout
    assert "10.8.0.1 (which cannot be reached through vpn now)" in text


def test_status_has_what_the_policy_says(lab, broker):
    profiles = {profile["name"]: profile["dns"] for profile in broker.ask("status")["profiles"]}
    assert profiles["without"] is None
    entry = {
        "names": None,
        "via": ["vpn"],
        "servers": ["10.8.0.1"],
        "timeout_s": 1,
        "attempts": 1,
        "redirect": False,
    }
    assert profiles["vpn"] == {"search": ["corp.test"], "ndots": 1, "entries": [entry]}
