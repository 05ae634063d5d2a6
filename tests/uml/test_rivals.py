# SPDX-License-Identifier: MIT
"""PacketX's Table 2, with what Linux offers today: every yes and no of docs/comparison.md."""

import contextlib
import re
import subprocess
import sys

import pytest
from rivals import AS_USER, RIVALS, control_groups, first_step

from support.lab.two_ways import FIRST, PORT, SECOND, SERVER, TwoWays, default
from support.programs import ROOT
from support.unprivileged import no_broker
from support.wait import wait_until

COMPARISON = ROOT / "docs/comparison.md"
# Connects when a line comes, and again sends when one comes; says how it went.
PROGRAM = """
import socket, sys
print("there", flush=True)
for address in sys.stdin:
    try:
        s = socket.create_connection((address.strip(), int(sys.argv[1])), 2)
        print("ok", flush=True)
        s.sendall(b"GET / HTTP/1.0\\r\\n" if sys.stdin.readline() else b"")
        print("sent", flush=True)
    except OSError as error:
        print(error, flush=True)
"""
LOCAL_PORT = 9000


class Program:
    """One that connects when it is told to."""

    def __init__(self, host, words, port=PORT):
        argv = [*words, sys.executable, "-I", "-c", PROGRAM, port]
        self.process = host.client.popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == "there\n"

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def connects(self, address=SERVER):
        return self.tell(address) == "ok"

    def end(self):
        self.process.kill()
        self.process.wait()


class Comparison:
    """One column: asks each question of the table in turn."""

    def __init__(self, host, column):
        self.host, self.column = host, column
        self.rival = RIVALS[column](host)

    @contextlib.contextmanager
    def program(self, words, port=PORT):
        program = Program(self.host, words, port)
        yield program
        program.end()

    def is_bare(self):
        return self.column == "routing table"

    def way(self, words):
        """(link, source) of one connection, or None."""
        self.host.settle()
        self.host.reset()
        with self.program(words) as program:
            program.connects()
        return next(iter(self.host.came()), None)

    def separates_programs_of_one_user(self):
        ours, other = self.way(self.rival.words()), self.way(self.rival.other_words())
        return ours is not None and other is not None and ours[0] != other[0]

    def has_the_source_of_its_uplink(self):
        return self.way(self.rival.words()) in (FIRST, SECOND)

    def reaches_servers_of_the_host(self):
        listener = self.host.client.socket()
        listener.bind(("127.0.0.1", LOCAL_PORT))
        listener.listen()
        with listener, self.program(self.rival.words(), LOCAL_PORT) as program:
            return program.connects("127.0.0.1")

    def takes_any_program(self):
        """As one that calls the kernel by itself is."""
        words = [*self.rival.words(), "env", "--unset=LD_PRELOAD"]
        return None if self.is_bare() else (self.way(words) or FIRST)[0] == "p2"

    def moves_a_running_program(self):
        if self.is_bare():
            return None
        if not hasattr(self.rival, "move"):
            return False
        with self.program(self.rival.other_words()) as program:
            self.rival.move(program.process.pid)
            self.host.reset()
            assert program.connects()
            return {link for link, _ in self.host.came()} == {"p2"}

    def keeps_an_open_connection(self):
        """When another uplink becomes its program's."""
        if not hasattr(self.rival, "steer"):
            return None
        with self.program(self.rival.words()) as program:
            assert program.connects()
            self.rival.steer(1)
            self.host.reset()
            assert program.tell("go on") == "sent"
            came = wait_until(lambda: self.host.came("data"), "what was sent has come")
        self.rival.steer(2)
        return {link for link, _ in came} == {"p2"}

    def follows_a_new_router(self):
        """Which the host learns as DHCP has it: the default route of that link is another."""
        routers = [("delete", 2), ("add", 3)]
        self.host.server.ip(*(f"address {verb} 10.2.0.{n}/24 dev p2" for verb, n in routers))
        self.host.client.run(["ip", "route", "replace", *default(2, 3).split()], check=False)
        self.rival.neighbours().ip("neighbour flush all")
        if self.column == "px":
            told = lambda: "10.2.0.3" in self.rival.broker.pxctl("paths").stdout
            wait_until(told, "the broker has seen the route")
        way = self.way(self.rival.words())
        self.host.server.ip(*(f"address {verb} 10.2.0.{5 - n}/24 dev p2" for verb, n in routers))
        self.host.client.run(["ip", "route", "replace", *default(2).split()], check=False)
        self.rival.neighbours().ip("neighbour flush all")
        return way is not None

    def leaves_the_uplink_to_others(self):
        """They go by it when the other one fails, as before."""
        self.host.client.ip("link set p1 down")
        way = self.way(AS_USER)
        self.host.client.ip("link set p1 up", f"route add {default(1)}")
        return way == SECOND

    def stays_off_other_uplinks(self):
        """When its own fails. A routing table can be given an end for that."""
        self.rival.neighbours().ip("link set p2 down")
        if self.column == "px":
            words = ("explain", "nc", SERVER, "80", "--profile", "ours")
            gone = lambda: self.rival.broker.ask(*words)["entry"] is None
            wait_until(gone, "the broker has seen that the link is down")
        stays = self.way(self.rival.words()) is None
        if hasattr(self.rival, "end_table"):
            self.rival.end_table()
            assert self.way(self.rival.words()) is None
        return stays

    def takes_no_privilege(self):
        if self.is_bare():
            return None
        argv = ["env", *(f"{k}={v}" for k, v in no_broker("/dev/shm").items())]
        step = [*AS_USER, "--inh-caps=-all", *argv, *first_step(self.column)]
        return self.host.client.run(step, check=False).returncode == 0


# By the first cell of the row; what takes the uplink away is last.
QUESTIONS = {
    "two programs of one user, to one same destination, by different uplinks": (
        Comparison.separates_programs_of_one_user
    ),
    "the source address is that of the uplink": Comparison.has_the_source_of_its_uplink,
    "the program still reaches the host's own servers at 127.0.0.1": (
        Comparison.reaches_servers_of_the_host
    ),
    "any program, whatever its libc": Comparison.takes_any_program,
    "a program that runs already": Comparison.moves_a_running_program,
    "an open connection keeps its uplink when the rule changes": (
        Comparison.keeps_an_open_connection
    ),
    "the host's other programs use the uplink as before": (
        Comparison.leaves_the_uplink_to_others
    ),
    "a new router that the host learns is used": Comparison.follows_a_new_router,
    "without privileges": Comparison.takes_no_privilege,
    "when the uplink fails, nothing leaves by another one": Comparison.stays_off_other_uplinks,
}


def table():
    """{question: {column: whether the cell begins with yes; None: with a dash}}"""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in COMPARISON.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    heading, _, *body = rows[: 2 + len(QUESTIONS)]
    said = {"yes": True, "no": False, "–": None}
    return {
        row[0]: {
            column: said[re.match(r"\w+|–", cell)[0]] for column, cell in zip(heading[1:], row[1:])
        }
        for row in body
    }


@pytest.fixture(scope="module", autouse=True)
def groups():
    with control_groups():
        yield


@pytest.mark.parametrize("column", RIVALS)
def test_each_cell_is_true(column):
    assert table().keys() == QUESTIONS.keys()
    with TwoWays() as host:
        comparison = Comparison(host, column)
        comparison.rival.set_up()
        found = {question: ask(comparison) for question, ask in QUESTIONS.items()}
        comparison.rival.end()
    assert found == {question: row[column] for question, row in table().items()}
