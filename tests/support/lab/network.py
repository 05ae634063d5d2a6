# SPDX-License-Identifier: MIT
"""What every lab has: a client and a server, each a network namespace, and brokers in them."""

import contextlib
import os
import pathlib
import sys
import tempfile

from support.lab.broker import POLICY, Broker
from support.lab.isolation import RUN, isolate
from support.lab.namespace import Namespace
from support.programs import PX_EXEC, SERVERS
from support.wait import wait_until

# No duplicate detection, no autoconfiguration, no filter that would hide a leak.
QUIET = {
    "net__ipv4__conf__all__rp_filter": 0,
    "net__ipv4__conf__default__rp_filter": 0,
    "net__ipv6__conf__all__disable_ipv6": 0,
    "net__ipv6__conf__default__disable_ipv6": 0,
    "net__ipv6__conf__all__accept_dad": 0,
    "net__ipv6__conf__default__accept_dad": 0,
    "net__ipv6__conf__default__accept_ra": 0,
    "net__ipv6__conf__default__router_solicitations": 0,
}


def is_up(link):
    return link["operstate"] == "UP"


class Network:
    """The namespaces of a client, a server and routers; a context manager. Everything started in
    them ends with it. A subclass builds in _build() what stands between them."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.directory = None
        self.client = self.server = None
        self.routers = {}

    def __enter__(self):
        isolate()
        with self.stack:
            self.directory = pathlib.Path(
                self.stack.enter_context(tempfile.TemporaryDirectory(dir=RUN))
            )
            # Another user of the lab may look for the broker's socket.
            self.directory.chmod(0o755)
            self._build()
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def _namespace(self, name):
        namespace = Namespace(name)
        self.stack.callback(namespace.close)
        namespace.sysctl(**QUIET)
        namespace.loopback_up()
        return namespace

    def _await_links(self):
        for namespace in (self.client, self.server, *self.routers.values()):
            wait_until(
                lambda: all(is_up(link) for link in namespace.links() if link["ifname"] != "lo"),
                f"all links of {namespace.name} are up",
            )

    def _start_server(self, addresses):
        self.server.popen([sys.executable, SERVERS / "echo_server.py", *addresses])

    def settle(self):
        """Waits until no connection is left at either end that may still send something: a program
        may be gone before its last acknowledgement has passed the counters."""
        sockets = ["ss", "-Htn", "state", "connected", "exclude", "time-wait"]
        for end in (self.client, self.server):
            wait_until(lambda: not end.run(sockets).stdout, f"{end.name}'s connections have ended")

    def start_broker(self, policy=POLICY, name="px", **options):
        """A pxd in the client."""
        return Broker(self.client, self.directory / name, policy, **options)

    @contextlib.contextmanager
    def serving(self, policy=POLICY, **options):
        """A pxd in the client, which must end well."""
        broker = self.start_broker(policy, **options)
        yield broker
        assert broker.stop() == 0, broker.log_text

    def px(self, broker, argv, profile="vpn-split", words=(), **options):
        """argv under px-exec in the client, to its end."""
        environment = broker.environment() if broker else dict(os.environ)
        profile_words = ["--profile", profile] if profile else []
        return self.client.run(
            [PX_EXEC, *profile_words, *words, "--", *argv], env=environment, **options
        )

    def px_popen(self, broker, argv, profile="vpn-split", **options):
        return self.client.popen(
            [PX_EXEC, "--profile", profile, "--", *argv], env=broker.environment(), **options
        )
