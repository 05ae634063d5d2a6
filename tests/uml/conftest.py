# SPDX-License-Identifier: MIT
"""What every test in User Mode Linux has: a client, a server, and two links between them."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.lab.broker import Broker  # noqa: E402
from support.lab.three_uplinks import RUN, private_run  # noqa: E402
from support.lab.two_links import POLICY, Ends, TwoPaths  # noqa: E402


def pytest_configure(config):
    private_run()
    config.option.basetemp = config.option.basetemp or str(RUN / "pytest")


@pytest.fixture(scope="session")
def network():
    with TwoPaths() as paths:
        yield paths


@pytest.fixture
def paths(network):
    """The same network for all; what a test starts and filters in it ends with the test."""
    yield network
    network.clear()


@pytest.fixture
def brokers(paths, tmp_path):
    """A broker at either end, which has no memory of other tests."""
    # Other users than root have to find it.
    directory = paths.directory / tmp_path.name
    ends = [Broker(end, directory / end.name, POLICY) for end in (paths.client, paths.server)]
    yield ends
    for broker in ends:
        assert broker.stop() == 0, broker.log_text


@pytest.fixture
def ends(paths, brokers, tmp_path):
    return Ends(paths, brokers, tmp_path)
