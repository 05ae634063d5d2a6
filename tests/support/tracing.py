# SPDX-License-Identifier: MIT
"""System calls of a program, as strace saw them, made comparable between runs."""

import re
import tempfile

from support.lab.isolation import RUN

# What differs between any two runs of a program.
_VOLATILE = [
    (re.compile(r"getrandom\(\"[^\"]*\""), "getrandom(BYTES"),
    (re.compile(r"0x[0-9a-f]+"), "ADDRESS"),
    (re.compile(r"(sin6?_port=htons\()\d{5}"), r"\1PORT"),
    (re.compile(r"(NULL|ADDRESS)(.*\) += )\d{5,}"), r"\1\2NUMBER"),
]


def strace(namespace, argv, run=None, calls=None):
    """The calls of a program, one a line. `run` takes strace's whole command line: px-exec may
    stand before it, so that nothing but the program is traced."""
    run = run or namespace.run
    filters = ["-e", f"trace={calls}"] if calls else []
    with tempfile.NamedTemporaryFile("r", dir=RUN) as log:
        run(["strace", "-qq", "-e", "signal=none", *filters, "-o", log.name, *argv])
        return log.read().splitlines()


def comparable(lines):
    for pattern, replacement in _VOLATILE:
        lines = [pattern.sub(replacement, line) for line in lines]
    return lines


def from_first_socket(lines):
    """Past the dynamic loader and the library's constructor, which do differ."""
    first = next(number for number, line in enumerate(lines) if line.startswith("socket("))
    return lines[first:]


def names(lines):
    return [line.split("(")[0] for line in lines if "(" in line]
