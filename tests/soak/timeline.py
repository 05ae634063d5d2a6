# SPDX-License-Identifier: MIT
"""Which policy and which links there were, and so what a program's connection may have been.

The time is divided into epochs, whose number programs read in a file before and after each exchange.
In an even epoch nothing changes. An odd one is a change: what was right before it, and what is right
after it, may both be.
"""

import contextlib
import dataclasses
import os

from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6, PUBLIC_OTHER

STOP = 99999999

POLICY = """version: 1
paths:
  lan: {{ interface: lan0 }}
  lte: {{ interface: lte0 }}
  vpn: {{ interface: vpn0 }}
profiles:
  soak:
    rules:
      - {{ to: [10.0.0.0/8, "fd20::/16"], via: vpn }}
      - {{ to: [{public}, "{public6}"], via: {to_public} }}
      - {{ to: any, via: {to_any} }}
"""
# {policy: the entries to public addresses, and to all others}
POLICIES = {"a": (("lte", "vpn"), ("lte", "lan")), "b": (("vpn", "lte"), ("lan", "lte"))}
# Whatever the policy and the links, nothing else leaves for these.
EVER = {
    CORPORATE: {"vpn0"},
    CORPORATE6: {"vpn0"},
    PUBLIC: {"lte0", "vpn0"},
    PUBLIC6: {"lte0", "vpn0"},
    PUBLIC_OTHER: {"lte0", "lan0"},
}


def text_of(policy):
    to_public, to_any = (f"[{', '.join(names)}]" for names in POLICIES[policy])
    return POLICY.format(public=PUBLIC, public6=PUBLIC6, to_public=to_public, to_any=to_any)


@dataclasses.dataclass(frozen=True)
class State:
    policy: str = "a"
    lte: bool = True  # whether its link is up

    def egress(self, destination):
        """The uplink's name."""
        if destination in (CORPORATE, CORPORATE6):
            return "vpn"
        names = POLICIES[self.policy][destination == PUBLIC_OTHER]
        return next(name for name in names if name != "lte" or self.lte)


@dataclasses.dataclass(frozen=True)
class Epoch:
    states: tuple  # one; two in a change
    link_changes: bool = False
    no_broker: bool = False


class Timeline:
    def __init__(self, lab, file):
        self.lab, self.file = lab, file
        self.state = State()
        self.epochs = [Epoch((self.state,))]
        file.write_text(f"{0:08}", encoding="ascii")
        self.descriptor = os.open(file, os.O_WRONLY)

    def _publish(self, number):
        # At once: whoever reads it sees the number before or this one.
        os.pwrite(self.descriptor, b"%08d" % number, 0)

    def _begin(self, epoch):
        self.epochs.append(epoch)
        self._publish(len(self.epochs) - 1)

    @contextlib.contextmanager
    def change(self, no_broker=False, **what):
        """An odd epoch, at whose end the new state is in force."""
        new = dataclasses.replace(self.state, **what)
        self._begin(Epoch((self.state, new), new.lte != self.state.lte, no_broker))
        yield new
        self.state = new
        self._begin(Epoch((new,)))

    def stop(self):
        self._publish(STOP)

    def during(self, before, after):
        """The epochs of an exchange."""
        last = len(self.epochs) - 1
        return self.epochs[before : min(after, last) + 1]

    def sources(self, destination, before, after):
        """The addresses that the server may have seen."""
        return {
            self.lab.uplink(state.egress(destination)).source_for(destination)
            for epoch in self.during(before, after)
            for state in epoch.states
        }

    def may_fail(self, before, after, starts):
        """An exchange that a link is taken from may fail, and so may a program that `starts` while
        there is no broker. A link that is back has neighbours that the kernel holds to be
        unreachable for a while: its change counts until the next one."""
        if before in range(2, len(self.epochs)) and self.epochs[before - 1].link_changes:
            return True
        epochs = self.during(before, after)
        return any(epoch.link_changes or (starts and epoch.no_broker) for epoch in epochs)
