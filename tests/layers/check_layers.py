#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The rules of the tree that a script can check: who includes whom (rules.toml, ARCHITECTURE.md), how
long a file may be and how it opens (CONTRIBUTING.md).

Usage: check_layers.py ROOT. Prints one line per breach; exits with 1 if there is one.
"""

import pathlib
import re
import sys
import tomllib

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)

with open(pathlib.Path(__file__).with_name("rules.toml"), "rb") as rules_file:
    RULES = tomllib.load(rules_file)
FOLDERS = RULES["folders"]
LIBRARIES = RULES["libraries"]
FREESTANDING = RULES["freestanding"]["folders"]
FREESTANDING_CXX = set(RULES["freestanding"]["headers"])
# The tree's own top folders.
TOPS = sorted({folder.split("/")[0] for folder in FOLDERS})


def closed(folders):
    """Each folder with all that it may include, itself and what those may include too."""
    reachable = {}
    for folder, rule in folders.items():
        reachable[folder] = {folder}
        for other in rule["may"]:
            if other not in reachable:
                raise ValueError(f"{folder} may include {other}, which does not stand before it")
            reachable[folder] |= reachable[other]
    return reachable


MAY_INCLUDE = closed(FOLDERS)

LONGEST = {".h": 150, ".cc": 400, ".c": 400}
COMMENT_LINES = range(2, 10)  # of a header's opening comment, SPDX line included
SPDX = "SPDX-License-Identifier: MIT"


def folder_of(path, folders):
    """The longest of `folders` that `path` is in, or None."""
    fits = [folder for folder in folders if path == folder or path.startswith(folder + "/")]
    return max(fits, key=len, default=None)


def is_in(path, folders):
    return folder_of(path, folders) is not None


def include_breaches(path, text):
    own = str(pathlib.Path(path).parent)
    if is_in(path, ["tests"]):
        own = "tests"
    if own not in FOLDERS:
        yield "stands in no folder that has include rules (tests/layers/rules.toml)"
        return
    for bracket, name in INCLUDE.findall(text):
        if bracket == '"':
            target = folder_of(name if "/" in name else f"{own}/{name}", FOLDERS)
            if target not in MAY_INCLUDE[own]:
                yield f"includes {name}, which {own} may not"
            continue
        libraries = [allowed for pattern, allowed in LIBRARIES.items() if re.match(pattern, name)]
        for allowed in libraries:
            if not is_in(path, [*allowed, "tests"]):
                yield f"includes {name}, which only {' and '.join(allowed) or 'tests'} may"
        if not libraries and is_in(name, FOLDERS):
            yield f"includes {name} in angle brackets, which are for others' headers"
        hosted = "." not in name and "/" not in name
        if is_in(path, FREESTANDING) and hosted and name not in FREESTANDING_CXX:
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
    for top in TOPS:
        for file in sorted((root / top).rglob("*")):
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
