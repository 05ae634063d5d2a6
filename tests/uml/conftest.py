# SPDX-License-Identifier: MIT
"""What every test in User Mode Linux has: a client, a server, and two links between them."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.lab.broker import Broker  # noqa: E402
from support.lab.isolation import RUN, isolate  # noqa: E402
from support.lab.two_links import POLICY, Ends, TwoLinks  # noqa: E402


def pytest_configure(config):
    isolate()
    config.option.basetemp = config.option.basetemp or str(RUN / "pytest")


@pytest.fixture(scope="session")
def network():
    with TwoLinks() as lab:
        yield lab


@pytest.fixture
def lab(network):
    """The same network for all tests; what a test starts and filters ends with it."""
    yield network
    network.clear()


@pytest.fixture
def brokers(lab, tmp_path):
    """A new broker at either end."""
    # Other users than root have to find it.
    directory = lab.directory / tmp_path.name
    ends = [Broker(end, directory / end.name, POLICY) for end in (lab.client, lab.server)]
    yield ends
    for broker in ends:
        assert broker.stop() == 0, broker.log_text


@pytest.fixture
def ends(lab, brokers, tmp_path):
    return Ends(lab, brokers, tmp_path)
