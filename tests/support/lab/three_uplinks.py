# SPDX-License-Identifier: MIT
"""A host with three uplinks, and the same server behind each of them.

                 lan0 192.168.1.2     +------------+
              .--------------------- 1| router-lan |------.
              |  2001:db8:1::2        +------------+      |     server
  +--------+  |                                           |   +----------------------------+
  |        |--'  lte0 100.64.2.2      +------------+      '---| "corporate" 10.20.0.80     |
  | client |------------------------ 1| router-lte |----------|             fd20::80       |
  |        |--.  2001:db8:2::2        +------------+      .---| "public"    203.0.113.80   |
  +--------+  |                                           |   |             198.51.100.80  |
              |  vpn0 10.8.0.2        +------------+      |   |             2001:db8:80::80 |
              '--------------------- 1| router-vpn |------'   +----------------------------+
                 fd08::2              +------------+

Default routes of the client, IPv4 and IPv6: lan0 metric 100, lte0 200, vpn0 300; other kinds of
host (host_kinds.py) have them in other tables, too. What is unsteered leaves by lan0 on each.
Every router reaches every address of the server. The server answers through
the router that the source's network belongs to: a wrong source is answered on the wrong uplink.
"""

import dataclasses

from support.lab.flows import FlowCounters
from support.lab.host_kinds import MAIN, Way, add_rules, route_lines
from support.lab.network import Network, is_up
from support.wait import wait_until

CORPORATE = "10.20.0.80"
CORPORATE6 = "fd20::80"
PUBLIC = "203.0.113.80"
PUBLIC_OTHER = "198.51.100.80"
PUBLIC6 = "2001:db8:80::80"
SERVER_ADDRESSES = (CORPORATE, PUBLIC, PUBLIC_OTHER, CORPORATE6, PUBLIC6)


@dataclasses.dataclass(frozen=True)
class Uplink:
    name: str
    number: int
    network: str  # IPv4 /24 without its last number
    network6: str  # IPv6 /64
    metric: int

    @property
    def interface(self):
        return f"{self.name}0"

    @property
    def source(self):
        return f"{self.network}.2"

    @property
    def source6(self):
        return f"{self.network6}::2"

    @property
    def gateway(self):
        return f"{self.network}.1"

    @property
    def gateway6(self):
        return f"{self.network6}::1"

    def source_for(self, destination):
        return self.source6 if ":" in destination else self.source

    def addresses(self, verb="replace"):
        device = f"dev {self.interface}"
        return [
            f"address {verb} {self.source}/24 {device}",
            f"address {verb} {self.source6}/64 {device} nodad",
        ]

    def ways(self):
        end = f"dev {self.interface} metric {self.metric}"
        return [
            Way(self.number, self.source, (f"via {self.gateway} {end}",)),
            Way(self.number, self.source6, (f"via {self.gateway6} {end}",)),
        ]


UPLINKS = (
    Uplink("lan", 1, "192.168.1", "2001:db8:1", 100),
    Uplink("lte", 2, "100.64.2", "2001:db8:2", 200),
    Uplink("vpn", 3, "10.8.0", "fd08", 300),
)


class Lab(Network):
    """The client with three uplinks, as above, and one kind of host."""

    def __init__(self, host_kind=MAIN):
        super().__init__()
        self.host_kind = host_kind
        self.flows = None

    def _build(self):
        self.client = self._namespace("client")
        self.server = self._namespace("server")
        # An IPv6 address cannot be bound while it is checked for duplicates.
        nodad = {False: "", True: "nodad"}
        self.server.ip(
            *(f"address add {ip} dev lo {nodad[':' in ip]}" for ip in SERVER_ADDRESSES)
        )
        self._start_server(SERVER_ADDRESSES)
        for uplink in UPLINKS:
            self._build_router(uplink)
        self.server.ip(*(line for uplink in UPLINKS for line in self._server_side(uplink)))
        for uplink in UPLINKS:
            via = f"via fd16:{uplink.number}::2"
            self.routers[uplink.name].ip(*(f"route add {ip} {via}" for ip in SERVER_ADDRESSES[3:]))
        self.client.ip(*(line for uplink in UPLINKS for line in self._client_side(uplink)))
        add_rules(self.client, self.host_kind, [w for uplink in UPLINKS for w in uplink.ways()])
        self._await_links()
        self.flows = FlowCounters(self.client)
        self.server.listens(8080)

    def _build_router(self, uplink):
        router = self.routers[uplink.name] = self._namespace(f"router-{uplink.name}")
        router.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        # Indices of their own: where both ends of a veth have the same index, the kernel takes up
        # to a second to report it up.
        router.ip(
            f"link add client index 100 type veth peer name {uplink.interface} netns client",
            f"link add server index 200 type veth peer name {uplink.name} netns server",
            f"address add {uplink.gateway}/24 dev client",
            f"address add {uplink.gateway6}/64 dev client nodad",
            f"address add 172.16.{uplink.number}.1/24 dev server",
            f"address add fd16:{uplink.number}::1/64 dev server nodad",
            "link set client up",
            "link set server up",
            *(f"route add {ip} via 172.16.{uplink.number}.2" for ip in SERVER_ADDRESSES[:3]),
        )

    def _server_side(self, uplink):
        return [
            f"address add 172.16.{uplink.number}.2/24 dev {uplink.name}",
            f"address add fd16:{uplink.number}::2/64 dev {uplink.name} nodad",
            f"link set {uplink.name} up",
            f"route add {uplink.network}.0/24 via 172.16.{uplink.number}.1",
            f"route add {uplink.network6}::/64 via fd16:{uplink.number}::1",
        ]

    def _client_side(self, uplink):
        up = f"link set {uplink.interface} up"
        return [up, *uplink.addresses(), *self.routes(uplink.name)]

    def routes(self, name, verb="replace"):
        """The default routes of an uplink."""
        ways = self.uplink(name).ways()
        return [line for way in ways for line in route_lines(self.host_kind, way, verb)]

    def uplink(self, name):
        return next(uplink for uplink in UPLINKS if name in (uplink.name, uplink.interface))

    def link_down(self, name):
        """Administratively down: the kernel drops its routes."""
        self.client.ip(f"link set {self.uplink(name).interface} down")

    def restore(self, name):
        """Brings it up, with the addresses and routes that were taken away."""
        self.client.ip(*self._client_side(self.uplink(name)))
        wait_until(lambda: self.has_carrier(name), f"{name} with carrier")

    def unplug(self, name):
        """No carrier: the routes stay in the table."""
        self.routers[name].ip("link set client down")
        wait_until(lambda: not self.has_carrier(name), f"{name} without carrier")

    def plug(self, name):
        # The router lost its IPv6 address with the link.
        uplink = self.uplink(name)
        self.routers[name].ip(
            "link set client up", f"address replace {uplink.gateway6}/64 dev client nodad"
        )
        wait_until(lambda: self.has_carrier(name), f"{name} with carrier")

    def has_carrier(self, name):
        interface = self.uplink(name).interface
        return any(is_up(link) for link in self.client.links() if link["ifname"] == interface)
