# SPDX-License-Identifier: MIT
"""PX-8: px-exec --via beside a running broker, which has a profile for it while it is needed."""

import subprocess

import pytest

from support.lab.broker import POLICY
from support.lab.figure3 import ROUTERS, SERVER, SOURCES, Figure3
from support.lab.three_uplinks import PUBLIC, UPLINKS
from support.programs import PX_EXEC
from support.unprivileged import build_for_all, other_user, without_capabilities
from support.urls import url
from support.wait import wait_until

GATEWAY = next(router for router in ROUTERS if router.name == "2a")
POLICY_OF_ROUTERS = f"""version: 1
paths:
  second: {{ interface: {GATEWAY.interface}, gateway: {GATEWAY.address} }}
"""


@pytest.fixture(params=["no-capabilities", "another-user"])
def px_exec(request):
    """The words of a px-exec without privileges."""
    if request.param == "another-user":
        return [*other_user(), build_for_all() / "cli/px-exec"]
    return without_capabilities([PX_EXEC])


@pytest.fixture
def host():
    with Figure3() as host:
        yield host


@pytest.fixture
def router_broker(host):
    broker = host.start_broker(POLICY_OF_ROUTERS)
    yield broker
    assert broker.stop() == 0, broker.log_text


def profiles(broker):
    return {each["name"] for each in broker.ask("status")["profiles"] if not each["removed"]}


def fetch(way, address=PUBLIC, px_exec=(PX_EXEC,)):
    return [*px_exec, "--via", way, "curl", "-sS", "-m", "10", url(address, "/to-the-end")]


def test_every_entry_by_its_number_at_once(host, router_broker, px_exec):
    entries = [e for e in router_broker.ask("paths")["entries"] if e["family"] == "ipv4"]
    assert len(entries) == 8
    started = {
        entry["number"]: host.client.popen(
            fetch(entry["number"], SERVER, px_exec),
            env=router_broker.environment(),
            stdout=subprocess.PIPE,
        )
        for entry in entries
    }
    said = {number: program.communicate(timeout=30)[0] for number, program in started.items()}
    names = {router.address: router.name for router in ROUTERS}
    for entry in entries:
        assert said[entry["number"]].split() == [entry["source"], SERVER]
    assert set(host.routes_taken(SERVER)) == {
        (names[entry["next_hop"]], entry["source"]) for entry in entries
    }
    assert {entry["source"] for entry in entries} == set(SOURCES)


def test_a_path_with_a_gateway_of_the_running_policy(host, router_broker, px_exec):
    done = host.client.run(fetch("second", SERVER, px_exec), env=router_broker.environment())
    assert done.stdout.split()[1] == SERVER
    assert {router for router, _ in host.routes_taken(SERVER)} == {GATEWAY.name}


def test_the_profile_is_gone_once_its_programs_are(lab, broker):
    before = profiles(broker)
    words = [PX_EXEC, "--via", "vpn", "cat"]
    shell = lab.client.popen(
        ["sh", "-c", '"$@" & "$@"', "sh", *words], env=broker.environment(), stdin=subprocess.PIPE
    )
    wait_until(lambda: profiles(broker) == {*before, "via.vpn"}, "one profile for both")
    shell.communicate()
    wait_until(lambda: profiles(broker) == before, "the profile is gone")
    assert not list(broker.directory.glob("plan-*/via.*"))


def test_a_program_in_the_background_outlives_the_shell_that_started_it(lab, broker):
    answers = lab.directory / "answers"
    answers.mkdir()
    for number in range(10):
        part, whole = answers / f"part-{number}", answers / str(number)
        command = f"{{ curl -sS {url(PUBLIC)} >{part} 2>&1; mv {part} {whole}; }} &"
        words = [PX_EXEC, "--via", "vpn0", "sh", "-c", command]
        lab.client.run(words, env=broker.environment())
    wait_until(lambda: len(list(answers.glob("[0-9]"))) == 10, "all ten had an answer")
    said = {file.read_text() for file in answers.iterdir()}
    assert said == {f"{lab.uplink('vpn').source} {PUBLIC}\n"}


def test_it_outlives_reloads_and_the_broker(lab, broker):
    script = f"while read line; do curl -sS -m 10 {url(PUBLIC)} 2>&1; done"
    words = [PX_EXEC, "--via", "vpn", "sh", "-c", script]
    shell = lab.client.popen(
        words,
        env=broker.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    def source():
        shell.stdin.write("\n")
        shell.stdin.flush()
        return shell.stdout.readline().split()[0]

    assert source() == lab.uplink("vpn").source
    assert broker.reload(POLICY.replace("interface: vpn0", "interface: lan0")).returncode == 0
    assert source() == lab.uplink("lan").source, "the path is another one now"
    without = POLICY.replace("  vpn: { interface: vpn0 }\n", "").replace("via: vpn", "via: lan")
    assert broker.reload(without).returncode == 0
    assert source() == lab.uplink("lan").source, "a path that is gone stays what it was"
    broker.kill()
    broker.config.write_text(POLICY)
    broker.start()
    wait_until(lambda: "via.vpn" in profiles(broker), "the new broker has the profile")
    assert source() == lab.uplink("vpn").source
    shell.communicate()


def test_an_unknown_way_is_refused_with_what_there_is(lab, broker):
    done = lab.client.run(fetch("wlan7"), env=broker.environment(), check=False)
    assert done.returncode == 125
    assert "wlan7" in done.stderr
    assert all(uplink.interface in done.stderr for uplink in UPLINKS)


def test_ps_names_the_profile(lab, broker):
    cat = lab.client.popen(
        [PX_EXEC, "--via", "lte0", "cat"], env=broker.environment(), stdin=subprocess.PIPE
    )
    line = wait_until(lambda: broker.program(cat.pid), "px-exec has announced the program")
    assert line["profile"] == "via.lte0"
    explained = broker.ask("explain", str(cat.pid), PUBLIC)
    assert explained["entry"]["interface"] == "lte0"
    cat.communicate()
