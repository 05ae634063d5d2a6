# SPDX-License-Identifier: MIT
"""What most tests of names have: name servers that know the module's HOSTS, and then a broker with
its POLICY. A module that needs others has fixtures of its own."""

import pytest

from support.servers.uplink_name_servers import name_servers


@pytest.fixture
def dns(lab, request):
    with name_servers(lab, request.module.HOSTS) as servers:
        yield servers


@pytest.fixture
def broker(lab, dns, request):
    with lab.serving(request.module.POLICY) as broker:
        yield broker
