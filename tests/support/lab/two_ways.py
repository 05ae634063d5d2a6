# SPDX-License-Identifier: MIT
"""A host with two ways to one server, for what a kernel of User Mode Linux has and others lack.

  +--------+ p1   10.1.0.1   metric 100   10.1.0.2   p1 +--------+
  |  host  |-----------------------------------------------|  far   | 203.0.113.80
  |        |-----------------------------------------------|        |
  +--------+ p2   10.2.0.1   metric 200   10.2.0.2   p2 +--------+
"""

import re

from support.lab.network import Network

SERVER, PORT = "203.0.113.80", 8080
FIRST, SECOND = ("p1", "10.1.0.1"), ("p2", "10.2.0.1")
TOOL = "iptables-legacy"
# Not what the kernel sends for connections that have ended: no program's choice.
COUNTED = {"requests": ("SYN,ACK", "SYN"), "data": ("PSH", "PSH")}


def default(number, router=2):
    return f"default via 10.{number}.0.{router} dev p{number} metric {number}00"


class TwoWays(Network):
    def _build(self):
        self.client = self._namespace("host")
        self.server = self._namespace("far")
        for number in (1, 2):
            self.client.ip(
                f"link add p{number} index 10{number} type veth peer name p{number} netns far"
            )
            for end, last in ((self.client, 1), (self.server, 2)):
                end.ip(
                    f"address add 10.{number}.0.{last}/24 dev p{number}", f"link set p{number} up"
                )
        self._await_links()
        self.client.ip(*(f"route add {default(number)}" for number in (1, 2)))
        self.server.ip(f"address add {SERVER} dev lo")
        for kind, flags in COUNTED.items():
            self.server.run([TOOL, "-N", kind])
            self.server.run([TOOL, "-A", "INPUT", "-p", "tcp", "--tcp-flags", *flags, "-j", kind])
            for link in ("p1", "p2"):
                for source in ("10.1.0.1", "10.2.0.1"):
                    self.server.run([TOOL, "-A", kind, "-i", link, "-s", source, "-d", SERVER])
        self._start_server((SERVER,))
        self.server.listens(PORT)

    def reset(self):
        self.server.run([TOOL, "-Z"])

    def came(self, kind="requests"):
        """{(link, source)} of what has come to the server."""
        listing = self.server.run([TOOL, "-vnxL", kind]).stdout
        rule = re.compile(rf"^ *([1-9]\d*) .* (p[12]) +\* +(\S+) +{re.escape(SERVER)}", re.M)
        return {(link, source) for _, link, source in rule.findall(listing)}
