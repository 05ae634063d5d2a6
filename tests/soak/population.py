# SPDX-License-Identifier: MIT
"""The soak's hundred programs: which there are, what each printed, what it holds."""

import collections
import dataclasses
import pathlib
import resource
import sys

from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6, PUBLIC_OTHER
from support.processes import descriptors
from support.programs import CLIENTS, program_file

STREAM_PORT, DATAGRAM_PORT = 7070, 7777  # of soak_server, of echo_server
ADDRESSES = (CORPORATE, PUBLIC, PUBLIC6, PUBLIC_OTHER, CORPORATE6)
IPV4 = (CORPORATE, PUBLIC, PUBLIC_OTHER)
# What a shell does for each address; prints what soak_client does.
SHELL = """
epoch=$1 how=$2; shift 2
fetch() {
  case $how in
    wget) wget -q -O - -T 10 -t 1 "http://$1:8080/" ;;
    *) curl -sS --max-time 10 "http://$1:8080/" ;;
  esac 2>/dev/null
}
ask() {
  before= after=
  read -r before < "$epoch" || :
  said=$(fetch "$1") || said="status-$?"
  read -r after < "$epoch" || :
  echo "$1 $before $after ${said%% *} 1"
}
while :; do
  for address in "$@"; do
    now=
    read -r now < "$epoch" || :
    [ "$now" = 99999999 ] && exit 0
    if [ "$how" = many ]; then ask "$address" & else ask "$address"; fi
  done
  wait
done
"""


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    count: int
    argv: object  # of the file of epochs
    starts: bool = False  # each exchange is a new program's
    forks: bool = False  # each exchange is a child's


def compiled(name, count, port=STREAM_PORT, **more):
    pairs = [word for address in ADDRESSES for word in (address, port)]
    program = program_file("soak_client")
    return Kind(name, count, lambda epoch: [program, name, epoch, *pairs], **more)


def script(how, count, *addresses):
    argv = [sys.executable, "-I", CLIENTS / "soak_client.py", how]
    name = f"python {how}" if len(addresses) > 1 else "python bundle"
    return Kind(name, count, lambda epoch: [*argv, epoch, *addresses])


def shell(how, count):
    return Kind(
        f"shell {how}", count, lambda epoch: ["sh", "-c", SHELL, "sh", epoch, how, *IPV4], True
    )


KINDS = (
    compiled("blocking", 36),
    compiled("nonblocking", 16),
    compiled("threads", 8),
    compiled("fork", 8, forks=True),
    compiled("connected", 6, port=DATAGRAM_PORT),
    compiled("sendto", 6, port=DATAGRAM_PORT),
    script("socket", 4, *ADDRESSES),
    script("url", 3, *ADDRESSES),
    script("asyncio", 3, *ADDRESSES),
    script("socket", 4, f"<{PUBLIC},{PUBLIC_OTHER}>"),
    shell("curl", 2),
    shell("many", 2),
    shell("wget", 2),
)


def resident(pid):
    """Bytes."""
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


@dataclasses.dataclass(frozen=True)
class Exchanges:
    """So many, of one program, that were alike."""

    kind: Kind
    destination: str
    before: int
    after: int
    outcome: str
    count: int


class Program:
    def __init__(self, lab, broker, kind, epoch, output):
        self.kind, self.output = kind, output
        self.complaints = output.with_suffix(".err")
        with output.open("a", encoding="utf-8") as out, self.complaints.open("a") as err:
            self.process = lab.px_popen(broker, kind.argv(epoch), "soak", stdout=out, stderr=err)

    def exchanges(self):
        for line in self.output.read_text(encoding="utf-8").splitlines():
            words = line.split()
            assert len(words) == 5 and words[4].isdigit(), f"{self.kind.name} says: {line}"
            destination, before, after, outcome, count = words
            yield Exchanges(
                self.kind, destination, int(before), int(after), outcome, int(count)
            )

    def files(self):
        return len(descriptors(self.process.pid))

    def memory(self):
        return resident(self.process.pid)


class Population:
    def __init__(self, lab, broker, epoch, directory):
        directory.mkdir()
        self.programs = [
            Program(lab, broker, kind, epoch, directory / f"{index}-{number}")
            for index, kind in enumerate(KINDS)
            for number in range(kind.count)
        ]

    def end(self):
        """{kind: statuses other than 0} of those that did not end well."""
        bad = collections.defaultdict(list)
        for program in self.programs:
            if program.process.wait(timeout=90) != 0:
                bad[program.kind.name].append(program.process.returncode)
        return dict(bad)

    def exchanges(self):
        return [each for program in self.programs for each in program.exchanges()]

    def that_connect(self):
        """The pids of those that do so themselves."""
        kinds = [kind for kind in KINDS if not (kind.starts or kind.forks)]
        return {each.process.pid for each in self.programs if each.kind in kinds}

    def doing(self, pids):
        """Of each: its kind, its status if it has ended, the kernel function that it is in, the last
        line that it printed."""
        return [
            (
                each.kind.name,
                each.process.poll(),
                pathlib.Path(f"/proc/{each.process.pid}/wchan").read_text(encoding="ascii"),
                each.output.read_text(encoding="utf-8").splitlines()[-1:],
            )
            for each in self.programs
            if each.process.pid in pids
        ]

    def idle(self):
        """The kinds of programs that have made no exchange."""
        return [each.kind.name for each in self.programs if not each.output.stat().st_size]
