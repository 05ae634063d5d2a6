# SPDX-License-Identifier: MIT
"""A client and a server with two links between them, for what needs SCTP: runs below tools/uml.

  +--------+ p1   10.1.0.1 fd01::1   10.1.0.2 fd01::2   p1 +--------+
  | client |-----------------------------------------------| server |
  |        |-----------------------------------------------|        |
  +--------+ p2   10.2.0.1 fd02::1   10.2.0.2 fd02::2   p2 +--------+
"""

import pathlib
import re
import subprocess

from support.lab.network import Network
from support.unprivileged import build_for_all
from support.wait import wait_until

FIRST, SECOND = "10.1.0.2", "10.2.0.2"
FIRST6, SECOND6 = "fd01::2", "fd02::2"
BUNDLE = f"<{FIRST},{SECOND}>"
SPELLED = f"{FIRST}.and.{SECOND}.bundle"

POLICY = """version: 1
profiles:
  sctp:
    bundle: { transports: [sctp, tcp] }
    rules: []
  all:
    bundle: { transports: [sctp, tcp], sockets: all }
    rules: []
  tcp:
    bundle: { transports: [tcp] }
    rules: []
  patient:
    bundle: { transports: [sctp, tcp], sockets: all, stagger: 1s }
    rules: []
"""


class TwoLinks(Network):
    def _build(self):
        self.client = self._namespace("client")
        self.server = self._namespace("server")
        for number in (1, 2):
            self.client.ip(
                f"link add p{number} index 10{number} type veth peer name p{number} netns server"
            )
            for end, host in ((self.client, 1), (self.server, 2)):
                end.ip(
                    f"address add 10.{number}.0.{host}/24 dev p{number}",
                    f"address add fd0{number}::{host}/64 dev p{number} nodad",
                    f"link set p{number} up",
                )
        self._await_links()

    def px_words(self, profile="sctp"):
        return [build_for_all() / "cli/px-exec", "--profile", profile, "--"]

    def filter(self, end, *rule):
        """Adds a rule of iptables at one end. It drops, unless it names another target."""
        words = rule if "-j" in rule else (*rule, "-j", "DROP")
        tool = "ip6tables-legacy" if any(":" in word for word in rule) else "iptables-legacy"
        end.run([tool, "-A", *words])

    def clear(self):
        """Ends what was started, and lets everything pass again."""
        for end in (self.client, self.server):
            end.stop()
            for tool in ("iptables-legacy", "ip6tables-legacy"):
                end.run([tool, "--flush"])
        for link in ("p1", "p2"):
            self.client.run(["tc", "qdisc", "delete", "dev", link, "root"], check=False)

    def cut(self, address):
        """Drops everything from and to an address of the server."""
        self.filter(self.server, "INPUT", "-d", address)
        self.filter(self.server, "OUTPUT", "-s", address)


def kernel_lines(end, file):
    """Of /proc/net/sctp in one end, without the heading. It starts no program: a connection
    may be gone by the time one has run."""
    with end.inside():
        return (pathlib.Path("/proc/net/sctp") / file).read_text(encoding="ascii").splitlines()[1:]


def bound_ports(end):
    """As text: the sixth word of each line. Other words look like ports, too."""
    return {line.split()[5] for line in kernel_lines(end, "eps")}


def associations(end, port=None):
    """What /proc/net/sctp/assocs shows of an end: (port, own addresses, peer's addresses) for each,
    one port being `port` if that is given."""
    found = []
    for line in kernel_lines(end, "assocs"):
        found_addresses = re.search(r"((?: *[*]?[0-9a-f.:]+)+) <-> ((?:[*]?[0-9a-f.:]+ )+)", line)
        own, peer = found_addresses.groups()
        ports = {int(word) for word in line.split()[11:13]}
        if port is None or port in ports:
            # The first words of the first group are numbers.
            addresses = [word.strip("*") for word in own.split() if re.search(r"[.:]", word)]
            found.append((ports, set(addresses), {word.strip("*") for word in peer.split()}))
    return found


class Ends:
    """Programs under the profile `all` at the server, and `sctp` or `all` at the client."""

    def __init__(self, lab, brokers, directory):
        self.lab = lab
        self.directory = directory
        self.client_broker, self.server_broker = brokers

    def serve(self, argv, port, **options):
        options.setdefault("stdout", subprocess.DEVNULL)
        words = [*self.lab.px_words("all"), *argv]
        process = self.lab.server.popen(words, env=self.server_broker.environment(), **options)
        wait_until(
            lambda: str(port) in bound_ports(self.lab.server),
            f"{argv[0]} listens on SCTP port {port}",
            30,
        )
        return process

    def start(self, argv, profile="sctp", **options):
        words = [*self.lab.px_words(profile), *argv]
        return self.lab.client.popen(words, env=self.client_broker.environment(), **options)

    def run(self, argv, profile="sctp", **options):
        words = [*self.lab.px_words(profile), *argv]
        return self.lab.client.run(words, env=self.client_broker.environment(), **options)

    def await_both(self, port, client=None):
        """Waits for an association of which both ends' both addresses are known, while the client
        runs."""

        def is_there():
            assert client is None or client.poll() is None, f"ended with {client.returncode}"
            there = associations(self.lab.client, port)
            return any({FIRST, SECOND} <= peer for _, _, peer in there)

        wait_until(is_there, f"an association with both addresses, port {port}", 20)
