# SPDX-License-Identifier: MIT
"""What the kernel counted: packets per uplink, source and destination, by nftables in a namespace.

Counters stand in the namespace's own `postrouting` and `prerouting` hooks, behind everything that a
program, px or a route decided. ARP requests are counted too: each one is a
packet that left.
"""

import contextlib
import dataclasses
import ipaddress
import json
import socket

KINDS = ("sent", "syn", "data", "got")
LISTINGS = 5  # at most, for one that is whole
PROTOCOLS = {socket.IPPROTO_TCP: "tcp", socket.IPPROTO_UDP: "udp"}
SETS = "".join(
    f"  set {kind}{family} {{ type ifname . ipv{family}_addr . ipv{family}_addr . inet_proto; "
    "size 65535; flags dynamic; counter; }\n"
    for kind in KINDS
    for family in (4, 6)
)

RULES = r"""
table inet px_lab {
%s  chain sent {
    type filter hook postrouting priority 0;
    meta nfproto ipv4 update @sent4 { oifname . ip saddr . ip daddr . meta l4proto counter }
    meta nfproto ipv6 update @sent6 { oifname . ip6 saddr . ip6 daddr . meta l4proto counter }
    meta nfproto ipv4 tcp flags & (syn | ack) == syn \
      update @syn4 { oifname . ip saddr . ip daddr . meta l4proto counter }
    meta nfproto ipv6 tcp flags & (syn | ack) == syn \
      update @syn6 { oifname . ip6 saddr . ip6 daddr . meta l4proto counter }
    meta nfproto ipv4 tcp flags & psh == psh \
      update @data4 { oifname . ip saddr . ip daddr . meta l4proto counter }
    meta nfproto ipv6 tcp flags & psh == psh \
      update @data6 { oifname . ip6 saddr . ip6 daddr . meta l4proto counter }
  }
  chain got {
    type filter hook prerouting priority 0;
    meta nfproto ipv4 update @got4 { iifname . ip daddr . ip saddr . meta l4proto counter }
    meta nfproto ipv6 update @got6 { iifname . ip6 daddr . ip6 saddr . meta l4proto counter }
  }
}
table arp px_lab {
  set asked { type ifname . ipv4_addr; size 65535; flags dynamic; counter; }
  chain sent {
    type filter hook output priority 0;
    arp operation request update @asked { oifname . arp daddr ip counter }
  }
}
""".replace("%s", SETS)


@dataclasses.dataclass(frozen=True)
class Flow:
    """One line of the count; `source` and `destination` as this namespace's programs see them."""

    kind: str  # "sent", "syn", "data" (the end of what TCP was given at once), "got", "asked"
    interface: str
    source: str
    destination: str
    protocol: str
    packets: int
    bytes: int


class FlowCounters:
    def __init__(self, namespace):
        self.namespace = namespace
        namespace.run(["nft", "-f", "-"], input=RULES)

    def _listing(self):
        """What nft lists. Where a set changes meanwhile, it may leave a value out: then again."""
        # Numbers: names of protocols come from a file that a small host does not have.
        command = ["nft", "-j", "-n", "list", "ruleset"]
        for _ in range(LISTINGS - 1):
            with contextlib.suppress(json.JSONDecodeError):
                return json.loads(self.namespace.run(command).stdout)
        return json.loads(self.namespace.run(command).stdout)

    def flows(self):
        # By key: the kernel may list an element twice while its hash table grows.
        found = {}
        for item in self._listing()["nftables"]:
            if "set" not in item or item["set"]["table"] != "px_lab":
                continue
            kind = item["set"]["name"].rstrip("46")
            for element in item["set"].get("elem", []):
                key, counter = element["elem"]["val"]["concat"], element["elem"]["counter"]
                if kind == "asked":
                    key = [key[0], "", key[1], "arp"]
                else:
                    key[3] = PROTOCOLS.get(key[3], str(key[3]))
                flow = Flow(kind, *key, counter["packets"], counter["bytes"])
                found[(kind, *key)] = flow
        return list(found.values())

    def per_interface(self, kind, destination, value="packets", protocol=None):
        """{interface: packets} of one destination address or network; no key where none were."""
        network = ipaddress.ip_network(destination)
        total = {}
        for flow in self.flows():
            if flow.kind != kind or (protocol and flow.protocol != protocol):
                continue
            if ipaddress.ip_address(flow.destination) in network:
                total[flow.interface] = total.get(flow.interface, 0) + getattr(flow, value)
        return total

    def left(self, destination):
        """{interface: how many} attempts that left for a destination: SYNs, datagrams, and ARP
        requests for it. What else TCP sends may belong to a connection of an earlier run."""
        total = {}
        for kind, protocol in (("syn", "tcp"), ("sent", "udp"), ("asked", "arp")):
            found = self.per_interface(kind, destination, protocol=protocol)
            for interface, packets in found.items():
                total[interface] = total.get(interface, 0) + packets
        return total

    def reset(self):
        names = [f"{kind}{family}" for kind in KINDS for family in (4, 6)]
        flush = "".join(f"flush set inet px_lab {name}\n" for name in names)
        self.namespace.run(["nft", "-f", "-"], input=flush + "flush set arp px_lab asked\n")
