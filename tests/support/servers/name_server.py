# SPDX-License-Identifier: MIT
"""A dnsmasq that knows the lines of a hosts file, and writes down what it is asked."""

import contextlib

from support.lab.isolation import in_place_of
from support.servers.real_servers import directory_of, start


class NameServer:
    def __init__(self, lab, address, hosts):
        directory = directory_of(lab, "names")
        self.log = directory / "log"
        self.resolver = directory / "resolv.conf"
        self.resolver.write_text(f"nameserver {address}\n", encoding="utf-8")
        file = directory / "hosts"
        file.write_text(hosts, encoding="utf-8")
        own = ["--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts", "--user=root"]
        what = ["--bind-interfaces", f"--listen-address={address}", "--local=/#/"]
        what += ["--no-round-robin", f"--addn-hosts={file}"]
        log = ["--log-queries", f"--log-facility={self.log}"]
        argv = ["dnsmasq", "--keep-in-foreground", *own, *what, *log]
        start(lab, argv, 53, datagrams=True)

    def asked(self):
        """The names that were asked for, in order."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [line.split("query[")[1].split()[1] for line in lines if "query[" in line]


@contextlib.contextmanager
def name_server(lab, address, hosts):
    """The one that all programs of the lab's client ask."""
    server = NameServer(lab, address, hosts)
    with in_place_of("/etc/resolv.conf", server.resolver):
        yield server
