# SPDX-License-Identifier: MIT
"""What every end-to-end test has: the lab, and a broker in it that must end well."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.clients.fetch_java import fetch_java  # noqa: E402
from support.clients.running_program import RunningProgram  # noqa: E402
from support.lab.host_kinds import KINDS, MAIN  # noqa: E402
from support.lab.isolation import RUN, isolate  # noqa: E402
from support.lab.three_uplinks import Lab  # noqa: E402


def pytest_configure(config):
    isolate()
    # Another user's leftovers in /tmp are no reason to fail.
    config.option.basetemp = config.option.basetemp or str(RUN / "pytest")
    config.addinivalue_line("markers", "broker: tries the broker; run with a sanitized one too")
    config.addinivalue_line("markers", "routes: depends on the host's routes; on each kind of host")
    config.addinivalue_line("markers", "other_host: a test's run on another host than `main`")


def pytest_generate_tests(metafunc):
    if metafunc.definition.get_closest_marker("routes") is None:
        return
    others = (pytest.param(kind, marks=pytest.mark.other_host) for kind in KINDS if kind != MAIN)
    metafunc.parametrize("host_kind", [MAIN, *others])


@pytest.fixture
def host_kind():
    return MAIN


@pytest.fixture
def lab(host_kind):
    with Lab(host_kind) as lab:
        yield lab


def ended_well(broker):
    if broker.process.poll() is None:
        assert broker.stop() == 0, broker.log_text
    assert "Sanitizer" not in broker.log_text
    assert "runtime error" not in broker.log_text


@pytest.fixture
def broker(lab):
    broker = lab.start_broker()
    yield broker
    ended_well(broker)


@pytest.fixture
def program(lab, broker):
    """One running program under the profile vpn-split."""
    return RunningProgram(lab, broker)


@pytest.fixture(scope="session")
def java(tmp_path_factory):
    """The words that run Fetch.java."""
    return fetch_java(tmp_path_factory.mktemp("java"))
