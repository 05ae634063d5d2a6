# SPDX-License-Identifier: MIT
"""Four kinds of host: how a client comes to its default routes. On each of them, what is unsteered
leaves by the first of a lab's ways out, and every way out is one by hand too.

    main          all default routes in the main table, by metric
    source-rules  the same, and each source has a rule and a table of its own: the usual recipe for
                  several uplinks
    own-tables    the same rules, and no default route in main at all; the first way's table comes
                  last for all sources
    vpn           the first way stands in a table of its own, to which wg-quick's rules send what
                  is not the tunnel's own: `not fwmark 51820`, behind `suppress_prefixlength 0`
"""

import dataclasses

MAIN, SOURCE_RULES, OWN_TABLES, VPN = "main", "source-rules", "own-tables", "vpn"
KINDS = (MAIN, SOURCE_RULES, OWN_TABLES, VPN)

TUNNEL = 51820  # wg-quick's mark and table


@dataclasses.dataclass(frozen=True)
class Way:
    """One source and the default routes that are its own: `ip route`'s words behind "default"."""

    number: int  # from 1
    source: str
    routes: tuple

    @property
    def table(self):
        return 700 + self.number

    @property
    def family(self):
        return 6 if ":" in self.source else 4

    @property
    def default(self):
        return "::/0" if self.family == 6 else "0.0.0.0/0"


def tables_of(kind, way):
    """The tables that its default routes stand in."""
    return {
        MAIN: ("main",),
        SOURCE_RULES: ("main", way.table),
        OWN_TABLES: (way.table,),
        VPN: (TUNNEL if way.number == 1 else "main",),
    }[kind]


def lines_in(table, way, verb):
    """Its default routes in one table, for `ip -batch`."""
    lines = []
    for route in way.routes:
        words, equal_cost, hops = route.partition("nexthop")
        lines.append(f"route {verb} {way.default} {words} table {table} {equal_cost}{hops}")
    return lines


def route_lines(kind, way, verb="replace"):
    return [line for table in tables_of(kind, way) for line in lines_in(table, way, verb)]


def add_rules(client, kind, ways):
    """The rules of a host of this kind, which outlast their routes."""
    for family in (4, 6):
        client.ip(*_rule_lines(kind, [w for w in ways if w.family == family]), family=family)


def _rule_lines(kind, ways):
    if kind == MAIN:
        return []
    if kind == VPN:
        return [
            "rule add lookup main suppress_prefixlength 0 priority 32764",
            f"rule add not fwmark {TUNNEL} lookup {TUNNEL} priority 32765",
        ]
    lines = [f"rule add from {way.source} lookup {way.table} priority 1000" for way in ways]
    if kind == OWN_TABLES:
        lines += [f"rule add lookup {way.table} priority 33000" for way in ways if way.number == 1]
    return lines
