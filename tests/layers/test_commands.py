# SPDX-License-Identifier: MIT
"""README.md and pxctl(1) name pxctl's commands, all of them: the table is cli/ctl/commands.def."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = re.findall(r"^PX_COMMAND\((\w+), ", (ROOT / "cli/ctl/commands.def").read_text(), re.M)
SECTION = r"^# {}\n(.*?)(?=^# )"


def section_of_manual(name):
    text = (ROOT / "man/pxctl.1.scd").read_text()
    return re.search(SECTION.format(name), text, re.MULTILINE | re.DOTALL).group(1)


def in_readme():
    (line,) = re.findall(r"^- `pxctl (\w+(?: \| \w+)+)`", (ROOT / "README.md").read_text(), re.M)
    return line.split(" | ")


def in_synopsis():
    lines = re.findall(r"^\*pxctl\* \[_OPTIONS_\] (.*)$", section_of_manual("SYNOPSIS"), re.M)
    return [
        word
        for line in lines
        for word in re.findall(r"^\*(\w+)\*", line) + re.findall(r" \| \*(\w+)\*", line)
    ]


def in_manual():
    headings = re.findall(r"^\*(\w+).*$", section_of_manual("COMMANDS"), re.M)
    return list(dict.fromkeys(headings))


@pytest.mark.parametrize("listed", [in_readme, in_synopsis, in_manual])
def test_all_commands_are_named(listed):
    assert sorted(listed()) == sorted(COMMANDS)


def test_each_command_is_in_the_file_of_its_name():
    for command in COMMANDS:
        source = (ROOT / f"cli/ctl/{command}.cc").read_text()
        assert f"const Command {command}_command{{" in source
