# SPDX-License-Identifier: MIT
"""What tests of bundles need: members that do not answer, and a program that connects to them."""

from support.programs import program_file

PORT = 8080

TABLE = """
table inet px_members {
  chain input { type filter hook input priority 0; }
}
"""


class Members:
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


def argv(*words, port=PORT):
    """bundle_connect with options and members."""
    return [program_file("bundle_connect"), "-p", str(port), *words]


def told(done):
    """What the program printed, as a dict."""
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())
