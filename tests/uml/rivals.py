# SPDX-License-Identifier: MIT
"""The ways to send one program by the second of two uplinks: what Linux itself offers, and px.

Each has a user's program go by p2, as its manual has it. `words` stand before a program that is to
go that way; `move` has a running one do so; `steer` sends what is the program's by another uplink.
"""

import contextlib
import pathlib
import subprocess

from support.lab.broker import Broker
from support.unprivileged import NOBODY, build_for_all

USER = NOBODY
AS_USER = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
TABLE, MARK = 100, 7
CGROUPS = pathlib.Path("/sys/fs/cgroup")
POLICY = """version: 1
paths:
  one: {{ interface: p1 }}
  two: {{ interface: p2 }}
profiles:
  other: {{ rules: [] }}
  ours: {{ rules: [{{ to: any, via: {} }}] }}
"""


class RoutingTable:
    """Nothing but the host's routes."""

    def __init__(self, host):
        self.host = host

    def set_up(self):
        pass

    def end(self):
        pass

    def words(self):
        return AS_USER

    def other_words(self):
        """Before another program of the same user."""
        return AS_USER

    def neighbours(self):
        """The namespace of the program."""
        return self.host.client


class OwnTable(RoutingTable):
    """What has the program looked up in a table of its own."""

    def steer(self, number):
        route = f"default via 10.{number}.0.2 dev p{number} table {TABLE}"
        self.host.client.ip(f"route replace {route}")

    def end_table(self):
        """Nothing that finds no route there is looked up elsewhere."""
        self.host.client.ip(f"route add unreachable default metric 4278198272 table {TABLE}")


class UserRule(OwnTable):
    """ip rule add uidrange: ip-rule(8)."""

    selector = f"uidrange {USER}-{USER}"

    def set_up(self):
        self.host.client.ip(
            f"route add default via 10.2.0.2 dev p2 table {TABLE}",
            f"rule add {self.selector} lookup {TABLE}",
        )


class ControlGroup(UserRule):
    """A mark by iptables -m cgroup, and a rule by fwmark: iptables-extensions(8)."""

    selector = f"fwmark {MARK}"
    group = CGROUPS / "ours"

    def set_up(self):
        super().set_up()
        self.group.mkdir()
        match = ["-m", "cgroup", "--path", self.group.name]
        marks = ["iptables-legacy", "-t", "mangle", "-A", "OUTPUT", *match, "-j", "MARK"]
        self.host.client.run([*marks, "--set-mark", MARK])

    def end(self):
        self.group.rmdir()

    def words(self):
        return ("sh", "-c", f'echo $$ >{self.group}/cgroup.procs; exec "$@"', "sh", *AS_USER)

    def move(self, pid):
        (self.group / "cgroup.procs").write_text(f"{pid}\n")


class NetworkNamespace(RoutingTable):
    """The uplink in a namespace of its own: ip-netns(8)."""

    def __init__(self, host):
        super().__init__(host)
        self.away = None

    def set_up(self):
        # pylint: disable-next=protected-access
        self.away = self.host._namespace("away")
        self.host.client.ip("link set p2 netns away")
        self.away.ip(
            "address add 10.2.0.1/24 dev p2", "link set p2 up", "route add default via 10.2.0.2"
        )

    def words(self):
        return ("nsenter", f"--net={self.away.file}", *AS_USER)

    def neighbours(self):
        return self.away


class Vrf(OwnTable):
    """The uplink in a VRF, entered by ip vrf exec: ip-vrf(8)."""

    def set_up(self):
        self.host.client.ip(
            f"link add ours type vrf table {TABLE}",
            "link set ours up",
            "link set p2 master ours",
            f"route add default via 10.2.0.2 dev p2 table {TABLE}",
        )
        self.host.client.run(["ip", "vrf", "exec", "ours", "true"])

    def groups(self):
        return sorted(CGROUPS.glob("**/vrf/ours"))

    def end(self):
        for group in self.groups():
            group.rmdir()

    def words(self):
        return ("ip", "vrf", "exec", "ours", *AS_USER)

    def move(self, pid):
        (group,) = self.groups()
        (group / "cgroup.procs").write_text(f"{pid}\n")


class Px(RoutingTable):
    """A pxd, and px-exec."""

    def __init__(self, host):
        super().__init__(host)
        self.broker = None

    def set_up(self):
        self.broker = Broker(self.host.client, self.host.directory / "px", POLICY.format("two"))

    def end(self):
        if self.broker:
            assert self.broker.stop() == 0, self.broker.log_text

    def under(self, profile):
        socket = f"PX_SOCKET={self.broker.socket}"
        exec_words = (build_for_all() / "cli/px-exec", "--profile", profile, "--")
        return (*AS_USER, "env", socket, *exec_words)

    def words(self):
        return self.under("ours")

    def other_words(self):
        return self.under("other")

    def move(self, pid):
        self.broker.pxctl("move", pid, "ours")

    def steer(self, number):
        done = self.broker.reload(POLICY.format(("one", "two")[number - 1]))
        assert done.returncode == 0, done.stderr


# By the heading of the column.
RIVALS = {
    "routing table": RoutingTable,
    "rule by uid": UserRule,
    "cgroup mark": ControlGroup,
    "namespace": NetworkNamespace,
    "VRF": Vrf,
    "px": Px,
}


def first_step(column):
    """What each takes, as a user's command."""
    return {
        "rule by uid": ["ip", "rule", "add", UserRule.selector, "lookup", TABLE],
        "cgroup mark": ["ip", "rule", "add", ControlGroup.selector, "lookup", TABLE],
        "namespace": ["ip", "link", "set", "p2", "netns", "far"],
        "VRF": ["ip", "link", "add", "theirs", "type", "vrf", "table", TABLE],
        "px": [build_for_all() / "cli/px-exec", "--via", "p2", "--", "true"],
    }[column]


@contextlib.contextmanager
def control_groups():
    """The kernel's groups, where iptables and ip look for them."""
    subprocess.run(["mount", "-t", "cgroup2", "none", CGROUPS], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", CGROUPS], check=True)
