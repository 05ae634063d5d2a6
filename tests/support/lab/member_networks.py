# SPDX-License-Identifier: MIT
"""The lab with two large networks of addresses at its server. One is dead: what is sent there is
dropped. Each program has addresses of its own, so that many can run at once, and none learns from
another which member of its bundle answers.

    198.18.R.N   2001:db8:18:R::N   dead
    198.19.R.N   2001:db8:19:R::N   alive      R: the round, N: the program
"""

import pathlib

from support.lab.isolation import in_place_of
from support.lab.three_uplinks import Lab

DEAD, ALIVE = 18, 19
NETWORKS = ("198.18.0.0/15", "2001:db8:18::/47")
DROP = """
table inet dead {
  chain arriving {
    type filter hook prerouting priority raw;
    ip daddr 198.18.0.0/16 drop
    ip6 daddr 2001:db8:18::/48 drop
  }
}
"""


def member(state, family, round_number, number):
    """The address of one member, of family 4 or 6."""
    if family == 4:
        return f"198.{state}.{round_number}.{number}"
    return f"2001:db8:{state}:{round_number:x}::{number:x}"


class MemberNetworks(Lab):
    """The lab, with these addresses at its server, and an /etc/hosts of its own."""

    def _build(self):
        super()._build()
        self.server.ip(*(f"route add local {network} dev lo" for network in NETWORKS))
        self.server.run(["nft", "-f", "-"], input=DROP)
        for number, router in enumerate(self.routers.values(), 1):
            router.ip(
                f"route add {NETWORKS[0]} via 172.16.{number}.2",
                f"route add {NETWORKS[1]} via fd16:{number}::2",
            )
        self.hosts = self.directory / "hosts"
        self.hosts.write_text(pathlib.Path("/etc/hosts").read_text(encoding="utf-8"))
        self.stack.enter_context(in_place_of("/etc/hosts", self.hosts))

    def name(self, name, addresses):
        """From now on /etc/hosts gives a name these addresses."""
        with self.hosts.open("a", encoding="utf-8") as hosts:
            hosts.writelines(f"{address} {name}\n" for address in addresses)
