# SPDX-License-Identifier: MIT
"""./check's arguments: what they may be, and that a wrong one is told so before anything is done."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def check(*arguments):
    return subprocess.run([ROOT / "check", *arguments], capture_output=True, text=True, timeout=60)


def listed(text):
    return re.findall(r"^  (\w+) +\w", text, re.MULTILINE)


def test_help_has_a_line_for_each_subject():
    done = check("--help")
    assert done.returncode == 0
    subjects = listed(done.stdout)
    assert {"build", "unit", "e2e", "uml", "asan", "tsan", "clang", "tidy"} <= set(subjects)
    script = (ROOT / "check").read_text(encoding="utf-8")
    uses = re.findall(r"\bwants ([a-z0-9 ]+)(?:;| &&)", script)
    used = {subject for use in uses for subject in use.split()}
    assert used == set(subjects)


@pytest.mark.parametrize("arguments", [["nonsense"], ["format", "nonsense"], [""], ["--quick"]])
def test_an_unknown_subject_is_an_error_that_lists_them(arguments):
    done = check(*arguments)
    assert done.returncode == 2
    assert not done.stdout
    assert f'no subject "{arguments[-1]}"' in done.stderr
    assert listed(done.stderr) == listed(check("--help").stdout)


def test_the_documentation_names_each_subject():
    text = (ROOT / "docs/testing.md").read_text(encoding="utf-8")
    table = "\n".join(line for line in text.splitlines() if line.startswith("| `"))
    assert [name for name in listed(check("--help").stdout) if f"`{name}`" not in table] == []
