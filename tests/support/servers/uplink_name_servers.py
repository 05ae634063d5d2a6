# SPDX-License-Identifier: MIT
"""A dnsmasq behind each uplink, on its router, each with answers of its own, and the count of what
leaves for name servers by each uplink."""

import contextlib
import json
import subprocess

from support.lab.isolation import in_place_of
from support.lab.three_uplinks import UPLINKS

# In the server's own addresses, so that who has the answer can connect to it.
OWN = "network.test"  # each network's own answer
RULES = """
table inet px_names {
  set asked { type ifname; size 64; flags dynamic; counter; }
  set pairs { type ifname . ipv4_addr; size 256; flags dynamic; counter; }
  chain sent {
    type filter hook postrouting priority 0;
    meta l4proto { tcp, udp } th dport { 53, 853, 5353 } update @asked { oifname counter }
    meta l4proto { tcp, udp } th dport { 53, 853, 5353 } update @pairs { oifname . ip daddr counter }
  }
}
"""


class UplinkNameServers:
    """`hosts`: by the uplink's name, the lines of its hosts file. `words` of dnsmasq's are for all, and
    `own` for one of them."""

    def __init__(self, lab, hosts, words=(), own=None):
        self.lab = lab
        self.directory = lab.directory / "names"
        self.directory.mkdir()
        for uplink in UPLINKS:
            self._start(uplink, hosts[uplink.name], [*words, *(own or {}).get(uplink.name, [])])
        self.resolver = self.directory / "resolv.conf"
        # What the host itself asks.
        self.resolver.write_text(f"nameserver {UPLINKS[0].gateway}\n", encoding="utf-8")
        lab.client.run(["nft", "-f", "-"], input=RULES)

    def _start(self, uplink, lines, words):
        file = self.directory / f"{uplink.name}.hosts"
        file.write_text(lines, encoding="utf-8")
        own = ["--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts", "--user=root"]
        where = [f"--listen-address={at}" for at in (uplink.gateway, uplink.gateway6)]
        what = ["--bind-interfaces", "--local=/#/", "--no-round-robin", f"--addn-hosts={file}"]
        log = ["--log-queries", f"--log-facility={self.log(uplink.name)}"]
        router = self.lab.routers[uplink.name]
        router.popen(
            ["dnsmasq", "--keep-in-foreground", *own, *where, *what, *log, *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        router.listens(53, datagrams=True)

    def log(self, name):
        return self.directory / f"{name}.log"

    def asked(self, name):
        """The questions that the uplink's server was asked, in order, as TYPE NAME."""
        log = self.log(name)
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        found = [line.split("query[")[1].split() for line in lines if "query[" in line]
        return [f"{words[0].rstrip(']')} {words[1]}" for words in found]

    def left(self):
        """{interface: packets} that have left for a port of name servers."""
        return dict(self._elements("asked"))

    def left_for(self):
        """{(interface, IPv4 address): packets} likewise."""
        return {tuple(key["concat"]): packets for key, packets in self._elements("pairs")}

    def _elements(self, name):
        listing = json.loads(
            self.lab.client.run(["nft", "-j", "list", "set", "inet", "px_names", name]).stdout
        )
        found = next(item["set"] for item in listing["nftables"] if "set" in item)
        elements = [element["elem"] for element in found.get("elem", [])]
        return [(element["val"], element["counter"]["packets"]) for element in elements]

    def forget(self):
        """From now on nothing has left."""
        for name in ("asked", "pairs"):
            self.lab.client.run(["nft", "flush", "set", "inet", "px_names", name])


@contextlib.contextmanager
def name_servers(lab, hosts, words=(), own=None):
    """Those; the host itself asks lan's."""
    servers = UplinkNameServers(lab, hosts, words, own)
    with in_place_of("/etc/resolv.conf", servers.resolver):
        yield servers
