#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The rules of CONTRIBUTING.md that a script can check: who includes whom, how long a file may be,
how it opens.

Usage: check_layers.py ROOT. Prints one line per breach; exits with 1 if there is one.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)

# Folder: the folders it may include from, besides its own. The longest folder that fits counts.
MAY_INCLUDE = {
    "libbundle": [],
    "libbundle/bundle.h": [],
    "libbundle/core": ["libbundle/bundle.h"],
    "libbundle/connect": ["libbundle/bundle.h", "libbundle/core"],
    "libbundle/api": ["libbundle"],
    "plan": ["libbundle"],
    "preload": ["plan", "libbundle"],
    "util": [],
    "broker/config": ["plan", "libbundle", "util"],
    "broker/paths": ["plan", "libbundle", "util"],
    "broker/routing": ["plan", "libbundle", "util", "broker/paths"],
    "broker/mptcp": ["plan", "libbundle", "util", "broker/routing"],
    "broker/publish": ["plan", "libbundle", "util", "broker/config", "broker/paths"],
    "broker/identity": ["plan", "libbundle", "util", "broker/config"],
    "broker/sessions": ["plan", "libbundle", "util", "broker/publish", "broker/identity"],
    "broker/control": [
        *("plan", "libbundle", "util", "broker/config", "broker/paths"),
        *("broker/publish", "broker/routing", "broker/identity", "broker/sessions"),
    ],
    "broker/daemon": ["plan", "libbundle", "util", "broker"],
    "cli": ["plan", "libbundle", "util"],
    "tests": ["plan", "libbundle", "util", "preload", "broker", "cli", "tests"],
}

# A library's headers: the only folders that may include them.
LIBRARIES = {
    r"yaml-cpp/": ["broker/config"],
    r"netlink/": ["broker/paths", "broker/routing", "broker/mptcp"],
    # preload asks without a library
    r"linux/(rt)?netlink\.h": ["broker/paths", "broker/routing", "preload"],
    r"nftables/": ["broker/routing"],
    r"CLI/": ["cli", "broker/daemon"],
    r"(gtest|gmock|benchmark)/": ["tests"],
    r"systemd/": ["broker/daemon"],
    r"spdlog/": ["broker/daemon"],
}

# What runs inside foreign programs: libc, and of the C++ library only what is headers alone.
FREESTANDING = ("libbundle", "plan", "preload")
FREESTANDING_CXX = set(
    "algorithm array atomic bit cerrno climits compare concepts cstddef cstdint cstdio cstdlib "
    "cstring ctime iterator limits new numeric optional span string_view tuple type_traits utility "
    "csignal cstdarg initializer_list ranges functional".split()
)

LONGEST = {".h": 150, ".cc": 400, ".c": 400}
COMMENT_LINES = range(2, 10)  # of a header's opening comment, SPDX line included
SPDX = "SPDX-License-Identifier: MIT"
FOLDERS = ["libbundle", "plan", "preload", "util", "broker", "cli", "tests"]


def folder_of(path, folders):
    """The longest of `folders` that `path` is in, or None."""
    fits = [folder for folder in folders if path == folder or path.startswith(folder + "/")]
    return max(fits, key=len, default=None)


def include_breaches(path, text):
    own = folder_of(path, MAY_INCLUDE)
    if own is None:
        yield "stands in no folder that has include rules"
        return
    for bracket, name in INCLUDE.findall(text):
        target = folder_of(name, [*FOLDERS, *MAY_INCLUDE])
        if target and folder_of(target, [own, *MAY_INCLUDE[own]]) is None:
            yield f"includes {name}, which {own} may not"
        for pattern, allowed in LIBRARIES.items():
            if re.match(pattern, name) and folder_of(path, [*allowed, "tests"]) is None:
                yield f"includes {name}, which only {' and '.join(allowed)} may"
        hosted = bracket == "<" and "." not in name and "/" not in name
        freestanding = folder_of(path, FREESTANDING) is not None
        if freestanding and hosted and name not in FREESTANDING_CXX:
            yield f"includes <{name}>, which is not for code that runs in foreign programs"


def shape_breaches(path, text):
    lines = text.splitlines()
    longest = LONGEST[pathlib.Path(path).suffix]
    if len(lines) > longest:
        yield f"has {len(lines)} lines, more than {longest}"
    if SPDX not in "".join(lines[:1]):
        yield f"does not open with {SPDX}"
    if path.endswith(".h"):
        opening = [bool(re.match(r"//|/\*| \*", line)) for line in lines]
        comment = opening.index(False) if False in opening else len(lines)
        if comment not in COMMENT_LINES:
            yield f"opens with {comment} lines of comment, not {COMMENT_LINES[0]} to 9"


def breaches(root):
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in LONGEST:
                continue
            path, text = str(file.relative_to(root)), file.read_text(encoding="utf-8")
            for breach in [*include_breaches(path, text), *shape_breaches(path, text)]:
                yield f"{path}: {breach}"


def main():
    found = list(breaches(pathlib.Path(sys.argv[1])))
    for breach in found:
        print(breach)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
