# SPDX-License-Identifier: MIT
"""Without root and without a broker on the machine, px-exec starts its own."""

import os

import pytest

from support.lab.broker import POLICY
from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6, UPLINKS
from support.processes import processes_called
from support.programs import PX_EXEC
from support.unprivileged import build_for_all, no_broker, other_user, without_capabilities
from support.urls import url
from support.wait import wait_until

RULES = """rules:
  - { to: [10.0.0.0/8, "fd20::/16"], via: vpn0 }
  - { to: 198.51.100.0/24, action: block }
  - { to: any, via: [lte0, lan0] }
"""


@pytest.fixture(params=["no-capabilities", "another-user"])
def unprivileged(request, lab):
    """Runs px-exec with these words, and checks that its broker ends with it."""
    home = lab.directory / "home"
    home.mkdir()
    if request.param == "another-user":
        words = [*other_user(), build_for_all() / "cli/px-exec"]
        os.chown(home, 65534, 65534)
    else:
        words = without_capabilities([PX_EXEC])

    def run(*more, **options):
        return lab.client.run([*words, *more], env=no_broker(home), **options)

    run.home = home
    yield run
    wait_until(lambda: not processes_called("pxd"), "the private broker ended with its program")
    assert not list(home.glob("px*")), "its directory is gone too"


@pytest.mark.parametrize("uplink", UPLINKS, ids=lambda uplink: uplink.name)
def test_via_an_interface(lab, unprivileged, uplink):
    for destination in (PUBLIC, PUBLIC6, CORPORATE):
        done = unprivileged("--via", uplink.interface, "curl", "-sS", url(destination))
        assert done.stdout == f"{uplink.source_for(destination)} {destination}\n"
        assert done.stderr == ""
        assert set(lab.flows.left(destination)) == {uplink.interface}
        lab.flows.reset()


def test_rules_from_a_file(lab, unprivileged):
    rules = lab.directory / "rules.yaml"
    rules.write_text(RULES)
    expected = [(CORPORATE, "vpn0"), (CORPORATE6, "vpn0"), (PUBLIC, "lte0"), (PUBLIC6, "lte0")]
    for destination, interface in expected:
        unprivileged("--rules", rules, "curl", "-sS", url(destination))
        assert set(lab.flows.left(destination)) == {interface}
    refused = unprivileged("--rules", rules, "curl", "-sS", url("198.51.100.80"), check=False)
    assert refused.returncode == 7
    assert lab.flows.left("198.51.100.80") == {}


def test_a_profile_of_a_policy_file(lab, unprivileged):
    policy = lab.directory / "policy.yaml"
    policy.write_text(POLICY)
    words = ["--config", policy, "--profile", "vpn-split"]
    done = unprivileged(*words, "curl", "-sS", url(CORPORATE))
    assert done.stdout.split()[0] == "10.8.0.2"


def test_an_unknown_profile_is_answered_by_all_names_once(lab, unprivileged):
    policy = lab.directory / "policy.yaml"
    more = [f"profile-with-a-long-name-{number}" for number in range(20)]
    policy.write_text(POLICY + "".join(f"  {name}: {{ rules: [] }}\n" for name in more))
    words = ["--config", policy, "--profile", "wrok"]
    done = unprivileged(*words, "true", check=False)
    assert done.returncode == 125
    assert "no profile named 'wrok'; there are: " in done.stderr
    names = done.stderr.rstrip().split("there are: ")[1].split(", ")
    assert sorted(names) == sorted([*more, "vpn-split", "lan-only", "empty"])


def test_the_users_own_policy_is_found(lab, unprivileged):
    policy = unprivileged.home / ".config/px/px.yaml"
    policy.parent.mkdir(parents=True)
    policy.write_text(POLICY)
    done = unprivileged("--profile", "vpn-split", "curl", "-sS", url(CORPORATE))
    assert done.stdout.split()[0] == "10.8.0.2"


def test_exit_status_of_the_program(unprivileged):
    done = unprivileged("--via", "lan0", "sh", "-c", "exit 42", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (42, "", "")


def test_an_unknown_interface_is_named(unprivileged):
    done = unprivileged("--via", "wlan7", "curl", "-sS", url(PUBLIC), check=False)
    assert done.returncode == 125
    assert "wlan7" in done.stderr and "lan0" in done.stderr


def test_a_bad_rules_file_is_refused_with_its_place(lab, unprivileged):
    rules = lab.directory / "rules.yaml"
    rules.write_text(RULES.replace("action: block", "action: blok"))
    done = unprivileged("--rules", rules, "true", check=False)
    assert done.returncode == 125
    assert f"{rules}:3:" in done.stderr and "blok" in done.stderr


# Of `via` in a rules file: what it says, and words of the message.
@pytest.mark.parametrize(
    "via, words",
    [
        ("wlna0", ["'wlna0' is no path of the policy", "lan0, lte0, vpn0"]),
        ("99", ["there is no entry 99", "`pxctl paths`"]),
        ("[lte0, lna0]", ["'lna0' is no path"]),
        ("no/way", ["'no/way' is no path"]),
    ],
)
def test_a_via_that_stands_for_nothing_is_refused(lab, unprivileged, via, words):
    rules = lab.directory / "rules.yaml"
    rules.write_text(f"rules:\n  - {{ to: any, via: {via} }}\n")
    done = unprivileged("--rules", rules, "true", check=False)
    assert done.returncode == 125
    assert f"{rules}:2:" in done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def test_entry_numbers_in_a_rules_file(lab, unprivileged, broker):
    entries = broker.ask("paths")["entries"]
    (number,) = [
        each["number"]
        for each in entries
        if each["interface_default"] and each["source"] == lab.uplink("lte").source
    ]
    rules = lab.directory / "rules.yaml"
    rules.write_text(f"rules:\n  - {{ to: any, via: [{number}, lan0] }}\n")
    for destination, interface in ((PUBLIC, "lte0"), (PUBLIC6, "lan0")):
        unprivileged("--rules", rules, "curl", "-sS", url(destination))
        assert set(lab.flows.left(destination)) == {interface}
    broker.stop()


def test_without_anything_to_go_by_it_says_what_to_do(unprivileged):
    done = unprivileged("--profile", "vpn-split", "true", check=False)
    assert done.returncode == 125
    assert "--via" in done.stderr or "--config" in done.stderr


def test_a_program_in_the_background_outlives_the_shell_that_started_it(lab, unprivileged):
    answers = lab.directory / "answers"
    answers.mkdir(mode=0o777)
    answers.chmod(0o777)
    for number in range(10):
        part, whole = answers / f"part-{number}", answers / str(number)
        command = f"{{ curl -sS {url(PUBLIC)} >{part} 2>&1; mv {part} {whole}; }} &"
        unprivileged("--via", "lte0", "sh", "-c", command)
    wait_until(lambda: len(list(answers.glob("[0-9]"))) == 10, "all ten had an answer")
    assert {file.read_text() for file in answers.iterdir()} == {
        f"{UPLINKS[1].source_for(PUBLIC)} {PUBLIC}\n"
    }
    assert set(lab.flows.left(PUBLIC)) == {"lte0"}
