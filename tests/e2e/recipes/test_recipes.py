# SPDX-License-Identifier: MIT
"""The recipes of px.yaml(5), each run with the text of the man page, on the lab's interfaces."""

import contextlib
import shutil
import sys

import pytest

from support.clients.running_program import RunningProgram
from support.lab.isolation import RUN
from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6, UPLINKS
from support.man_page import recipes
from support.programs import SERVERS, unpacked
from support.servers.uplink_name_servers import name_servers
from support.urls import bracketed, url
from support.wait import wait_until

INTERFACES = {"eth0": "lan0", "wwan": "lte", "tun0": "vpn0"}
RECIPES = recipes()
NETWORKS = "All by the VPN, but these networks"
PROGRAMS = "All by the VPN, but these programs"
LTE_ONLY = "This program by LTE only"
TWO_INSTANCES = "Two instances of one program on two networks"
NAMES = "Corporate names by the VPN"
BY_NAME = "Corporate names by the VPN, everything else by the LAN"
SERVER = "A server on two uplinks"
REDIRECT = "Every program's names by the VPN, dig's too"
FTP = "FTP, active"


@contextlib.contextmanager
def serving(lab, heading, **more):
    """A broker with this recipe; `more` words of it are replaced, too."""
    policy = RECIPES[heading]
    for written, there in {**INTERFACES, **more}.items():
        policy = policy.replace(written, there)
    with lab.serving(policy) as broker:
        assert "warning" not in broker.log_text
        yield broker


def left_by(lab, destination):
    found = set(lab.flows.left(destination))
    lab.flows.reset()
    return found


@pytest.mark.routes
def test_all_by_the_vpn_but_these_networks(lab):
    lte = lab.uplink("lte")
    lab.client.ip(f"route add 10.20.0.0/16 via {lte.gateway} dev lte0")
    with serving(lab, NETWORKS) as broker:
        program = RunningProgram.preloaded(lab, broker)
        for transport in ("tcp", "udp"):
            for destination, interface in (
                (CORPORATE, "lte0"), (CORPORATE6, "lan0"), (PUBLIC, "vpn0"), (PUBLIC6, "vpn0")
            ):
                assert program.connect(destination, transport=transport).error is None
                assert left_by(lab, destination) == {interface}
        lab.link_down("vpn")
        wait_until(lambda: program.connect(PUBLIC).error == "ENETUNREACH", "the VPN is down")
        lab.flows.reset()
        assert program.connect(PUBLIC6).error == "ENETUNREACH"
        assert program.connect(CORPORATE).error is None
        assert left_by(lab, PUBLIC) == left_by(lab, PUBLIC6) == set()


@pytest.mark.routes
def test_all_by_the_vpn_but_these_programs(lab):
    games = RUN / "games"
    games.mkdir(exist_ok=True)
    game = shutil.copy(sys.executable, games / "game")
    with serving(lab, PROGRAMS, **{"/opt/games": str(games)}) as broker:
        other = RunningProgram.preloaded(lab, broker)
        direct = RunningProgram.preloaded(lab, broker, game)
        for destination in (PUBLIC, PUBLIC6, CORPORATE):
            other.connect(destination)
            assert left_by(lab, destination) == {"vpn0"}
            direct.connect(destination)
            assert left_by(lab, destination) == {"lan0"}
        assert broker.program(direct.pid)["profile"] == "direct"
        assert broker.program(other.pid)["profile"] == "by-vpn"


@pytest.mark.routes
def test_this_program_by_lte_only(lab):
    neighbour = lab.uplink("lan").gateway
    with serving(lab, LTE_ONLY) as broker:
        words = [*broker.preload_words(), "curl", "-sS", "--connect-timeout", "5"]
        for destination in (PUBLIC, PUBLIC6, CORPORATE):
            assert lab.client.run([*words, url(destination)]).stderr == ""
            assert left_by(lab, destination) == {"lte0"}
            lab.client.run([*broker.preload_words(), "wget", "-qO-", url(destination)])
            assert left_by(lab, destination) == {"lan0"}
        lab.client.run([*words, url(neighbour)], check=False)
        assert left_by(lab, neighbour) <= {"lte0"}
        lab.link_down("lte")
        explained = ("explain", shutil.which("curl"), PUBLIC)
        wait_until(lambda: broker.ask(*explained)["action"] == "fail", "LTE is down")
        assert lab.client.run([*words, url(PUBLIC)], check=False).returncode == 7
        assert left_by(lab, PUBLIC) == set()


@pytest.mark.routes
def test_two_instances_of_one_program_on_two_networks(lab):
    with serving(lab, TWO_INSTANCES) as broker:
        programs = {name: RunningProgram(lab, broker, name) for name in ("lan", "lte")}
        for name, program in programs.items():
            for destination in (PUBLIC, PUBLIC6, CORPORATE):
                connection = program.connect(destination)
                assert connection.source == lab.uplink(name).source_for(destination)
                assert left_by(lab, destination) == {lab.uplink(name).interface}
            children = ["sh", "-c", f"curl -sS {url(PUBLIC)}; true"]
            assert lab.px(broker, children, name).stdout.split()[0] == lab.uplink(name).source
            assert left_by(lab, PUBLIC) == {lab.uplink(name).interface}


def test_corporate_names_by_the_vpn(lab):
    hosts = {"lan": "", "lte": "", "vpn": f"{CORPORATE} intranet.corp.example\n"}
    with name_servers(lab, hosts) as dns, serving(lab, NAMES) as broker:
        page = "http://intranet:8080/"
        words = [*broker.preload_words(), "curl", "-sS", "--connect-timeout", "5", page]
        assert lab.client.run(words).stdout.split()[0] == lab.uplink("vpn").source
        assert set(dns.left()) == {"vpn0"}
        assert left_by(lab, CORPORATE) == {"vpn0"}
        dns.forget()
        words = [*broker.preload_words(), "wget", "-t1", "-qO-", page]
        assert lab.client.run(words, check=False).returncode == 4
        assert set(dns.left()) == {"lan0"}


# All names have one address.
def test_corporate_names_by_the_vpn_everything_else_by_the_lan(lab):
    names = ("intranet.corp.example", "corp.example", "www.example")
    hosts = "".join(f"{PUBLIC} {name}\n" for name in names)
    answers = {uplink.name: hosts for uplink in UPLINKS}
    alias = ["--cname=docs.example,intranet.corp.example"]
    with name_servers(lab, answers, alias) as dns, serving(lab, BY_NAME) as broker:
        def fetch(name):
            words = [*broker.preload_words(), "curl", "-sSm5", f"http://{name}:8080/"]
            return lab.client.run(words, check=False).returncode

        for name, interface in zip((*names, "docs.example"), ("vpn0", "vpn0", "lan0", "vpn0")):
            assert fetch(name) == 0
            assert left_by(lab, PUBLIC) == {interface}, name
        assert set(dns.left()) == {"lan0"}
        lab.link_down("vpn")
        wait_until(lambda: fetch("corp.example") == 7, "the VPN is down")
        lab.flows.reset()
        assert fetch("docs.example") == 7
        assert left_by(lab, PUBLIC) == set()
        assert fetch("www.example") == 0


def test_every_programs_names_by_the_vpn(lab):
    answers = {u.name: f"{CORPORATE} corp.example\n" for u in UPLINKS}
    with name_servers(lab, answers) as dns, serving(lab, REDIRECT) as broker:
        def dig():
            words = ["dig", "+short", "+tries=1", "+time=5", "corp.example"]
            return lab.client.run([*broker.preload_words(), *words], check=False).stdout

        assert dig() == f"{CORPORATE}\n"
        assert set(dns.left()) == {"vpn0"}
        lab.link_down("vpn")
        wait_until(lambda: CORPORATE not in dig(), "the VPN is down")
        assert set(dns.left()) == {"vpn0"}


@pytest.mark.routes
def test_a_server_on_two_uplinks(lab):
    nginx = unpacked("nginx", "usr/sbin/nginx")
    config = lab.directory / "nginx.conf"
    paths = "".join(
        f"  {name}_temp_path {lab.directory}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config.write_text(
        f"daemon off;\nmaster_process off;\nuser root;\npid {lab.directory}/nginx.pid;\n"
        "error_log stderr;\nevents {}\nhttp {\n  access_log off;\n" + paths + "  server {\n"
        "    listen 0.0.0.0:8081;\n    listen [::]:8081;\n"
        "    location / { return 200 \"$server_addr\\n\"; }\n  }\n}\n"
    )
    with serving(lab, SERVER, **{"/usr/sbin/nginx": str(nginx)}) as broker:
        lab.client.popen([*broker.preload_words(), nginx, "-e", "stderr", "-c", config])
        lab.client.listens(8081)
        for uplink in UPLINKS:
            for own in (uplink.source, uplink.source6):
                source = PUBLIC6 if ":" in own else PUBLIC
                lab.flows.reset()
                words = ["curl", "-sS", "--interface", source, url(own, port=8081)]
                done = lab.server.run(words)
                assert done.stdout == f"{own}\n"
                sent = lab.flows.per_interface("sent", source, protocol="tcp")
                assert set(sent) == {uplink.interface}


FTP_CLIENTS = {
    "curl": lambda server: ["curl", "-sS", "--ftp-port", "-", f"ftp://{server}/file"],
    "lftp": lambda server: ["lftp", "-c", f"set ftp:passive-mode off; cat ftp://{server}/file"],
}


@pytest.mark.routes
@pytest.mark.parametrize("client", FTP_CLIENTS)
@pytest.mark.parametrize("server", [PUBLIC, PUBLIC6])
def test_ftp_active(lab, client, server):
    lab.server.popen([sys.executable, SERVERS / "ftp_server.py", server, "21", "hello"])
    lab.server.listens(21)
    with serving(lab, FTP) as broker:
        words = FTP_CLIENTS[client](bracketed(server))
        done = lab.client.run([*broker.preload_words(HOME=lab.directory), *words])
        assert done.stdout == "hello"
        assert set(lab.flows.per_interface("sent", server, protocol="tcp")) == {"vpn0"}


def test_each_recipe_is_tried():
    tried = {NETWORKS, PROGRAMS, LTE_ONLY, TWO_INSTANCES, NAMES, BY_NAME, REDIRECT, SERVER, FTP}
    assert set(RECIPES) == tried
