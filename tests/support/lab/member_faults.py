# SPDX-License-Identifier: MIT
"""Members of bundles that do not answer, by nftables at their server."""

PORT = 8080

TABLE = """
table inet px_members {
  chain input { type filter hook input priority 0; }
}
"""


class MemberFaults:
    """Addresses of a server's namespace that are silent, refuse or are slow, on PORT alone."""

    def __init__(self, namespace):
        self.namespace = namespace
        namespace.run(["nft", "-f", "-"], input=TABLE)

    def rule(self, *words):
        self.namespace.run(["nft", "add", "rule", "inet", "px_members", "input", *words])

    def _rule(self, address, *words):
        family = "ip6" if ":" in address else "ip"
        self.rule(family, "daddr", address, "tcp", "dport", str(PORT), *words)

    def silence(self, *addresses):
        for address in addresses:
            self._rule(address, "drop")

    def refuse(self, *addresses):
        for address in addresses:
            self._rule(address, "reject", "with", "tcp", "reset")

    def slow_down(self, address):
        """The first SYN is lost; the client's kernel sends another one after a second."""
        self._rule(address, "tcp", "flags", "syn", "quota", "until", "60", "bytes", "drop")

    def reset(self):
        self.namespace.run(["nft", "flush", "chain", "inet", "px_members", "input"])
