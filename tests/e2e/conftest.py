# SPDX-License-Identifier: MIT
"""What every end-to-end test has: the lab, and a broker in it that must end well."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.clients.running_program import RunningProgram  # noqa: E402
from support.lab.isolation import RUN, isolate  # noqa: E402
from support.lab.three_uplinks import Lab  # noqa: E402


def pytest_configure(config):
    isolate()
    # Another user's leftovers in /tmp are no reason to fail.
    config.option.basetemp = config.option.basetemp or str(RUN / "pytest")
    config.addinivalue_line("markers", "broker: tries the broker; run with a sanitized one too")


@pytest.fixture
def lab():
    with Lab() as lab:
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
