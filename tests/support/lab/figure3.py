# SPDX-License-Identifier: MIT
"""The host of PacketX's Figure 3: two interfaces, two routers on each, one address on each.

                                192.168.1.1   +-----------+
               eth1           .---------------| router-1a |---.
               192.168.1.10   | 192.168.1.2   +-----------+   |
             .----------------+---------------| router-1b |---|
  +--------+ |                                +-----------+   |   +--------+ 203.0.113.80
  | client |-|                                                +---| server |
  +--------+ |                  192.168.2.1   +-----------+   |   +--------+ 2001:db8:80::80
             '----------------+---------------| router-2a |---|
               192.168.2.10   | 192.168.2.2   +-----------+   |
               eth2           '---------------| router-2b |---'
                                              +-----------+
IPv6 likewise: 2001:db8:1::10 and routers 2001:db8:1::1, ::2; 2001:db8:2::10 and so on.

Either source may leave by either interface. The server answers through the router that a request
came by, so a program that is bound to an interface is answered there.

    with Figure3() as host:
        host.client.run([...])
        host.passed("1a")  # {(source, destination): packets}
"""

import dataclasses
import ipaddress
import json

from support.lab.host_kinds import (
    MAIN,
    SOURCE_RULES,
    VPN,
    Way,
    add_rules,
    lines_in,
    tables_of,
)
from support.lab.network import Network

SERVER = "203.0.113.80"
SERVER6 = "2001:db8:80::80"

COUNTERS = """
table inet px_figure3 {
  set passed4 { type ipv4_addr . ipv4_addr; size 65535; flags dynamic; counter; }
  set passed6 { type ipv6_addr . ipv6_addr; size 65535; flags dynamic; counter; }
  chain passed {
    type filter hook forward priority 0;
    iifname "client" meta nfproto ipv4 update @passed4 { ip saddr . ip daddr counter }
    iifname "client" meta nfproto ipv6 update @passed6 { ip6 saddr . ip6 daddr counter }
  }
}
"""

# On the server: an answer leaves by the router that its request came by.
ANSWERS = """
table inet px_figure3 {
  chain came {
    type filter hook prerouting priority 0;
%s  }
  chain answers {
    type route hook output priority 0;
    ct mark != 0 meta mark set ct mark
  }
}
"""


@dataclasses.dataclass(frozen=True)
class Router:
    name: str  # "1a"
    number: int  # 1 to 4

    @property
    def segment(self):
        return int(self.name[0])

    @property
    def interface(self):
        """The client's."""
        return f"eth{self.segment}"

    @property
    def host_number(self):
        return "ab".index(self.name[1]) + 1

    @property
    def address(self):
        return f"192.168.{self.segment}.{self.host_number}"

    @property
    def address6(self):
        return f"2001:db8:{self.segment}::{self.host_number}"


ROUTERS = tuple(Router(name, number) for number, name in enumerate(("1a", "1b", "2a", "2b"), 1))
SOURCES = ("192.168.1.10", "192.168.2.10")
SOURCES6 = ("2001:db8:1::10", "2001:db8:2::10")


class Figure3(Network):
    """`routes`: the client's default routes, as one set ("multipath"), as a group of "objects", or
    each with its own metric, 101 to 104 ("metrics"). `host_kind`: the tables they stand in; an
    interface is one way out there. `host.routers["1a"]` is a namespace."""

    def __init__(self, routes="multipath", host_kind=MAIN):
        super().__init__()
        self.routes = routes
        self.host_kind = host_kind

    def _build(self):
        self.client = self._namespace("client")
        self.server = self._namespace("server")
        switch = self._namespace("switch")
        self.server.ip(f"address add {SERVER} dev lo", f"address add {SERVER6} dev lo")
        for segment in (1, 2):
            switch.ip(
                f"link add segment{segment} type bridge",
                f"link set segment{segment} up",
                f"link add eth{segment} index {100 + segment} master segment{segment} "
                f"type veth peer name eth{segment} netns client",
                f"link set eth{segment} up",
            )
            self.client.ip(
                f"address add {SOURCES[segment - 1]}/24 dev eth{segment}",
                f"address add {SOURCES6[segment - 1]}/64 dev eth{segment} nodad",
                f"link set eth{segment} up",
            )
        for router in ROUTERS:
            self._build_router(router, switch)
        self._answer_where_asked()
        self._await_links()
        self.client.ip(*self._default_routes())
        add_rules(self.client, self.host_kind, self._ways())
        self._start_server((SERVER, SERVER6))
        self.server.listens(8080)

    def _build_router(self, router, switch):
        namespace = self.routers[router.name] = self._namespace(f"router-{router.name}")
        namespace.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        here, there = router.segment - 1, 2 - router.segment
        link, port = f"r{router.name}", f"eth{router.number}"
        switch.ip(
            f"link add {link} index {200 + router.number} master segment{router.segment} "
            f"type veth peer name client netns {namespace.name}",
            f"link set {link} up",
        )
        namespace.ip(
            f"link add server index 300 type veth peer name {port} netns server",
            f"address add {router.address}/24 dev client",
            f"address add {router.address6}/64 dev client nodad",
            f"address add 172.16.{router.number}.1/24 dev server",
            f"address add fd16:{router.number}::1/64 dev server nodad",
            "link set client up",
            "link set server up",
            f"route add {SERVER} via 172.16.{router.number}.2",
            f"route add {SERVER6} via fd16:{router.number}::2",
            f"route add {SOURCES[there]} via {SOURCES[here]}",
            f"route add {SOURCES6[there]} via {SOURCES6[here]}",
        )
        namespace.run(["nft", "-f", "-"], input=COUNTERS)
        self.server.ip(
            f"address add 172.16.{router.number}.2/24 dev {port}",
            f"address add fd16:{router.number}::2/64 dev {port} nodad",
            f"link set {port} up",
            *(
                line
                for table in (router.number, "main")
                for line in (
                    f"route append default via 172.16.{router.number}.1 table {table}",
                    f"route append ::/0 via fd16:{router.number}::1 table {table}",
                )
            ),
        )
        for family in ("-4", "-6"):
            number = str(router.number)
            self.server.run(["ip", family, "rule", "add", "fwmark", number, "lookup", number])

    def _answer_where_asked(self):
        came = "".join(f'    iifname "eth{r.number}" ct mark set {r.number}\n' for r in ROUTERS)
        self.server.run(["nft", "-f", "-"], input=ANSWERS % came)

    def _default_routes(self):
        if self.host_kind in (MAIN, SOURCE_RULES):
            yield from self._routes_in_main()
        for way in self._ways():
            for table in tables_of(self.host_kind, way):
                if table != "main" or self.host_kind == VPN:
                    yield from lines_in(table, way, "add")

    def _ways(self):
        return list(self._each_way())

    def _each_way(self):
        for segment in (1, 2):
            for sources, attribute in ((SOURCES, "address"), (SOURCES6, "address6")):
                routers = [r for r in ROUTERS if r.segment == segment]
                hops = [f"via {getattr(r, attribute)} dev {r.interface}" for r in routers]
                if self.routes == "multipath":
                    routes = (" ".join(f"nexthop {hop}" for hop in hops),)
                else:
                    routes = tuple(f"{h} metric {100 + r.number}" for h, r in zip(hops, routers))
                yield Way(segment, sources[segment - 1], routes)

    def _routes_in_main(self):
        if self.routes == "multipath":
            for destination, attribute in (("default", "address"), ("::/0", "address6")):
                hops = (f"nexthop via {getattr(r, attribute)} dev {r.interface}" for r in ROUTERS)
                yield f"route add {destination} {' '.join(hops)}"
            return
        if self.routes == "objects":
            for router in ROUTERS:
                for family, address in ((0, router.address), (10, router.address6)):
                    number = family + router.number
                    yield f"nexthop add id {number} via {address} dev {router.interface}"
            yield "nexthop add id 20 group 1/2/3/4"
            yield "nexthop add id 21 group 11/12/13/14"
            yield "route add default nhid 20"
            yield "route add ::/0 nhid 21"
            return
        for router in ROUTERS:
            end = f"dev {router.interface} metric {100 + router.number}"
            yield f"route add default via {router.address} {end}"
            yield f"route add ::/0 via {router.address6} {end}"

    def restore(self, interface):
        """Brings it up, with the address and the routes that were lost with it."""
        source = SOURCES6[int(interface[-1]) - 1]
        routes = [line for line in self._default_routes() if f"dev {interface} " in line]
        self.client.ip(
            f"link set {interface} up",
            f"address replace {source}/64 dev {interface} nodad",
            *(line.replace("route add", "route replace") for line in routes),
        )

    def passed(self, router):
        """{(source, destination): packets} that the client sent through a router."""
        found = {}
        for family in (4, 6):
            text = self.routers[router].run(
                ["nft", "-j", "list", "set", "inet", "px_figure3", f"passed{family}"]
            ).stdout
            for item in json.loads(text)["nftables"]:
                for element in item.get("set", {}).get("elem", []):
                    key, counter = element["elem"]["val"]["concat"], element["elem"]["counter"]
                    found[tuple(key)] = counter["packets"]
        return found

    def routes_taken(self, destination):
        """{(router, source): packets} that the client sent to an address or a network."""
        network = ipaddress.ip_network(destination)
        return {
            (router, source): packets
            for router in self.routers
            for (source, target), packets in self.passed(router).items()
            if ipaddress.ip_address(target) in network
        }

    def reset(self):
        """Counts only what is sent from now on."""
        self.settle()
        for router in self.routers.values():
            flush = "".join(f"flush set inet px_figure3 passed{family}\n" for family in (4, 6))
            router.run(["nft", "-f", "-"], input=flush)
