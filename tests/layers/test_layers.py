# SPDX-License-Identifier: MIT
"""The include rules hold, and would be missed if they did not; the documents say what is true."""

import pathlib
import re

import pytest
from check_layers import FOLDERS, breaches

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    file.relative_to(ROOT) for pattern in ("*.md", "docs/**/*.md") for file in ROOT.glob(pattern)
)
HEADER = "// SPDX-License-Identifier: MIT\n// What this is, and\n// who owns it.\n#pragma once\n"
SOURCE = "// SPDX-License-Identifier: MIT\n"

GOOD = {
    "plan/plan.h": HEADER + '#include <span>\n#include "libbundle/core/address.h"\n',
    "libbundle/core/a.h": HEADER + '#include "libbundle/bundle.h"\n',
    "libbundle/api/a.cc": SOURCE + '#include "libbundle/core/a.h"\n',
    "preload/lib.cc": SOURCE + '#include <sys/socket.h>\n#include "plan/plan.h"\n',
    "broker/config/policy.cc": SOURCE + "#include <yaml-cpp/yaml.h>\n#include <string>\n",
    "broker/daemon/daemon.cc": SOURCE + '#include "broker/control/reports.h"\n',
    "tests/unit/plan/plan_test.cc": SOURCE + "#include <gtest/gtest.h>\n",
}

BAD = {
    "plan sees util": ("plan/a.cc", '#include "util/error.h"\n', "util/error.h"),
    "plan sees hosted": ("plan/a.cc", "#include <string>\n", "<string>"),
    "preload sees util": ("preload/a.cc", '#include "util/fd.h"\n', "util/fd.h"),
    "preload sees broker": ("preload/a.cc", '#include "broker/config/policy.h"\n', "policy.h"),
    "preload sees threads": ("preload/a.cc", "#include <thread>\n", "<thread>"),
    "libbundle sees plan": ("libbundle/core/a.cc", '#include "plan/plan.h"\n', "plan/plan.h"),
    "core sees connect": ("libbundle/core/a.cc", '#include "libbundle/connect/a.h"\n', "connect"),
    "core sees hosted": ("libbundle/core/a.cc", "#include <string>\n", "<string>"),
    "broker sees cli": ("broker/daemon/a.cc", '#include "cli/client.h"\n', "cli/client.h"),
    "cli sees broker": ("cli/a.cc", '#include "broker/daemon/daemon.h"\n', "daemon.h"),
    "config sees host": ("broker/config/a.cc", '#include "broker/host/reach.h"\n', "reach.h"),
    "host sees config": ("broker/host/a.cc", '#include "broker/config/policy.h"\n', "policy.h"),
    "sessions sees control": (
        "broker/sessions/a.cc",
        '#include "broker/control/reports.h"\n',
        "reports.h",
    ),
    "control sees services": (
        "broker/control/a.cc",
        '#include "broker/services/mark_service.h"\n',
        "mark_service.h",
    ),
    "services see daemon": (
        "broker/services/a.cc",
        '#include "broker/daemon/options.h"\n',
        "options.h",
    ),
    "YAML elsewhere": ("broker/host/a.cc", "#include <yaml-cpp/yaml.h>\n", "yaml-cpp"),
    "netlink elsewhere": ("broker/routing/a.cc", "#include <netlink/netlink.h>\n", "netlink"),
    "rtnetlink elsewhere": ("broker/host/a.cc", "#include <linux/rtnetlink.h>\n", "linux"),
    "ipc sees plan": ("ipc/a.cc", '#include "plan/wire.h"\n', "plan/wire.h"),
    "CLI11 elsewhere": ("broker/control/a.cc", "#include <CLI/CLI.hpp>\n", "CLI/CLI.hpp"),
    "session sees streams": ("preload/session/a.cc", '#include "preload/streams/a.h"\n', "streams"),
    "a folder without rules": ("broker/odd/a.cc", "\n", "no folder that has include rules"),
    "nothing beside folders": ("broker/a.cc", "\n", "no folder that has include rules"),
    "px's own in angle brackets": ("preload/a.cc", "#include <util/fd.h>\n", "angle brackets"),
    "a long source": ("cli/a.cc", "\n" * 400, "401 lines"),
}


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_this_tree():
    assert list(breaches(ROOT)) == []


def table(text, header):
    """The rows below a header row of Markdown, each as a list of its cells."""
    _, below = text.split(f"\n{header}\n", 1)
    _, *rows = below.split("\n\n", 1)[0].splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_table_of_folders():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    # The folder of the tests is left out: it may include everything, and nothing includes it.
    rules = [
        [f"`{folder}`", rule["what"], ", ".join(f"`{other}`" for other in rule["may"])]
        for folder, rule in FOLDERS.items()
        if folder != "tests"
    ]
    assert table(text, "| folder | what | may include |") == rules


def test_the_architecture_is_read_in_one_sitting():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / document).parent.joinpath(link).exists()] == []


def test_every_decision_is_in_the_index():
    folder = ROOT / "docs" / "design"
    index = (folder / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[[^]]*\]\(([^)]+)\)", index, re.MULTILINE)
    assert listed == sorted(file.name for file in folder.glob("*.md") if file.name != "README.md")


def test_a_good_tree(tmp_path):
    write(tmp_path, GOOD)
    assert list(breaches(tmp_path)) == []


@pytest.mark.parametrize("what", BAD)
def test_each_breach_is_seen(tmp_path, what):
    name, text, word = BAD[what]
    write(tmp_path, {**GOOD, name: SOURCE + text})
    (breach,) = breaches(tmp_path)
    assert breach.startswith(f"{name}: ")
    assert word in breach


@pytest.mark.parametrize(
    "text, word",
    [
        ("#pragma once\n", "SPDX"),
        (HEADER.replace("// What this is, and\n// who owns it.\n", ""), "lines of comment"),
        (HEADER + "\n" * 150, "154 lines"),
    ],
)
def test_headers(tmp_path, text, word):
    write(tmp_path, {**GOOD, "cli/a.h": text})
    assert any(word in breach for breach in breaches(tmp_path))
