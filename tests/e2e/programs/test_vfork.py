# SPDX-License-Identifier: MIT
"""A vfork child shares its parent's memory, and px's state in it, but is a process of its own to the
broker: both connect by the rule, also where the broker must mark their sockets."""

import pytest

from support.lab.figure3 import SERVER, SERVER6, Figure3
from support.lab.flows import FlowCounters
from support.programs import program_file

POLICY = """version: 1
paths:
  second: { interface: eth2 }
  v4-2b: { interface: eth2, gateway: 192.168.2.2 }
  v6-2b: { interface: eth2, gateway: "2001:db8:2::2" }
profiles:
  plain: { rules: [{ to: any, via: second }] }
  next-hops: { rules: [{ to: any, via: [v4-2b, v6-2b] }] }
"""


@pytest.mark.parametrize(("profile", "router"), [("plain", "2a"), ("next-hops", "2b")])
@pytest.mark.parametrize("destination", [SERVER, SERVER6])
def test_child_and_parent_go_by_the_rule(destination, profile, router):
    argv = [program_file("vfork_connect"), destination, "80"]
    first, second = (
        f"2001:db8:{n}::10" if ":" in destination else f"192.168.{n}.10" for n in (1, 2)
    )
    with Figure3("metrics") as host, host.serving(POLICY) as broker:
        bare = host.client.run(argv)
        assert first in bare.stdout
        host.reset()
        flows = FlowCounters(host.client)
        run = host.px(broker, argv, profile)
        assert run.stdout == bare.stdout.replace(first, second)
        assert run.stderr == ""
        assert set(flows.left(destination)) == {"eth2"}
        assert (router, second) in host.routes_taken(destination)
