# SPDX-License-Identifier: MIT
"""check_libbundle.py LIBBUNDLE MAP HEADER: what libbundle.so exports is what its map and its header
say, each name with a version, and it needs libc alone."""

import re
import subprocess
import sys

# Debian 12 has 2.36, RHEL 9 and Ubuntu 22.04 have 2.34 and 2.35.
NEWEST_GLIBC = (2, 34)


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def map_symbols(path):
    """{name: version}."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"#.*", "", file.read())
    return {
        name: version
        for version, body in re.findall(r"(\S+)\s*\{(.*?)\}", text, re.DOTALL)
        for name in re.findall(r"(\w+);", body.partition("local:")[0])
    }


def header_functions(path):
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
    return set(re.findall(r"\b(bundle_\w+)\(", text))


def exports(path):
    """{name: version or None}, without the versions themselves."""
    symbols = {}
    for line in output("nm", "-D", "--defined-only", path).splitlines():
        _, kind, name = line.split(maxsplit=2)
        name, _, version = name.partition("@")
        if kind != "A":
            symbols[name] = version.lstrip("@") or None
    return symbols


def complaints(library, map_path, header):
    expected = map_symbols(map_path)
    if not expected or exports(library) != expected:
        yield f"exports {exports(library)}, but the map says {expected}"
    if header_functions(header) != set(expected):
        yield f"the header and the map differ: {header_functions(header) ^ set(expected)}"
    dynamic = output("readelf", "--wide", "--dynamic", library)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    if needed != ["libc.so.6"]:
        yield f"needs {needed}, not libc.so.6 alone"
    if "[libbundle.so.0]" not in dynamic:
        yield "is not called libbundle.so.0"
    for line in output("nm", "-D", "--undefined-only", library).splitlines():
        version = re.search(r"@GLIBC_([\d.]+)", line)
        if version and tuple(map(int, version[1].split(".")[:2])) > NEWEST_GLIBC:
            yield f"needs {line.split()[-1]}, newer than {NEWEST_GLIBC}"


def main():
    found = list(complaints(*sys.argv[1:]))
    for complaint in found:
        print(f"libbundle.so: {complaint}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
