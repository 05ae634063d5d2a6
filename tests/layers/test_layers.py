# SPDX-License-Identifier: MIT
"""The include rules hold, and would be missed if they did not."""

import pathlib

import pytest
from check_layers import breaches

ROOT = pathlib.Path(__file__).resolve().parents[2]
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
    "cli sees broker": ("cli/a.cc", '#include "broker/daemon/host.h"\n', "host.h"),
    "config sees host": ("broker/config/a.cc", '#include "broker/host/reach.h"\n', "reach.h"),
    "host sees config": ("broker/host/a.cc", '#include "broker/config/policy.h"\n', "policy.h"),
    "sessions sees control": (
        "broker/sessions/a.cc",
        '#include "broker/control/reports.h"\n',
        "reports.h",
    ),
    "control sees daemon": ("broker/control/a.cc", '#include "broker/daemon/host.h"\n', "host.h"),
    "YAML elsewhere": ("broker/host/a.cc", "#include <yaml-cpp/yaml.h>\n", "yaml-cpp"),
    "netlink elsewhere": ("broker/config/a.cc", "#include <netlink/netlink.h>\n", "netlink"),
    "CLI11 elsewhere": ("broker/control/a.cc", "#include <CLI/CLI.hpp>\n", "CLI/CLI.hpp"),
    "session sees streams": ("preload/session/a.cc", '#include "preload/streams/a.h"\n', "streams"),
    "a folder without rules": ("broker/odd/a.cc", "\n", "no folder that has include rules"),
    "nothing beside folders": ("broker/a.cc", "\n", "no folder that has include rules"),
    "a long source": ("cli/a.cc", "\n" * 400, "401 lines"),
}


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_this_tree():
    assert list(breaches(ROOT)) == []


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
