# SPDX-License-Identifier: MIT
"""check_px_exec.py PX_EXEC: that px-exec has nothing that makes every program's start slower.

A start is too short to be timed in a test, and whoever includes <iostream> somewhere does not
notice: only this test says so. `cost` in tests/bench measures it."""

import subprocess
import sys

# The initialiser of <iostream> makes the standard streams and all facets of a locale.
STREAMS = "_ZNSt8ios_base4InitC1Ev"


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def complaints(px_exec):
    symbols = {line.split()[-1] for line in output("nm", px_exec).splitlines()}
    if "main" not in symbols:
        yield "its symbols cannot be read"
    if STREAMS in symbols:
        yield "a part of it includes <iostream>"
    if "INTERP" in output("readelf", "--wide", "--segments", px_exec):
        yield "it is not linked statically"


def main():
    found = list(complaints(*sys.argv[1:]))
    for complaint in found:
        print(f"px-exec: {complaint}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
