# SPDX-License-Identifier: MIT
"""How long the soak lasts, and the lab that it runs in."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.lab.isolation import RUN, isolate  # noqa: E402
from support.lab.three_uplinks import Lab  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--minutes", type=float, default=0.5, help="how long each test lasts")


def pytest_configure(config):
    isolate()
    config.option.basetemp = config.option.basetemp or str(RUN / "pytest")


@pytest.fixture
def seconds(request):
    return 60 * request.config.getoption("--minutes")


@pytest.fixture
def lab():
    with Lab() as lab:
        yield lab
