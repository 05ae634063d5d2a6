# SPDX-License-Identifier: MIT
"""What bash completes for pxctl and px-exec: what their --help lists, and the values that fit."""

import re
import shlex
import subprocess

import pytest

from support.programs import PX_EXEC, PXCTL, ROOT

STATUS = """{
  "config": [],
  "profiles": [
    {
      "bundle": null,
      "name": "vpn-split"
    },
    {
      "name": "work.2"
    }
  ]
}"""
PATHS = '{\n  "entries": [],\n  "paths": [\n    {\n      "name": "lan"\n    }\n  ]\n}'
COMMON = ["--config", "--help", "--json", "--socket", "--version"]
ROWS = (ROOT / "cli/ctl/commands.def").read_text()
COMMANDS = sorted(re.findall(r"^PX_COMMAND\((\w+), ", ROWS, re.MULTILINE))


@pytest.fixture
def complete(tmp_path):
    """complete("pxctl", "ps", "--js"): what there is for the last word, sorted."""
    programs = tmp_path / "bin"
    programs.mkdir()
    # The broker's answers, and pxctl itself for all else.
    (tmp_path / "status").write_text(STATUS)
    (tmp_path / "paths").write_text(PATHS)
    stand_in = programs / "pxctl"
    stand_in.write_text(
        f'#!/bin/sh\n[ "$1" = --json ] && exec cat {tmp_path}/"$2"\nexec {PXCTL} "$@"\n'
    )
    stand_in.chmod(0o755)
    files = tmp_path / "files"
    files.mkdir()
    (files / "one.yaml").touch()

    def complete(*words):
        program = words[0]
        script = (
            f"PATH={shlex.quote(str(programs))}:$PATH\n"
            f"source {ROOT}/conf/completion/{program}\n"
            f"COMP_WORDS=({shlex.join(words)}) COMP_CWORD={len(words) - 1}\n"
            f"_{program.replace('-', '_')} {program} {shlex.quote(words[-1])} {words[-2]}\n"
            r'printf "%s\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(["bash", "-c", script], cwd=files, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return sorted(word for word in done.stdout.splitlines() if word)

    return complete


def help_of(*words):
    return subprocess.run([*words, "--help"], capture_output=True, text=True, check=True).stdout


def options_in(text):
    """Each option, and whether it takes a value."""
    found = re.findall(r"^  (?:-h,)?(--[a-z-]+)( [A-Z]\S*)?(?: |$)", text, re.MULTILINE)
    return {option: value != "" for option, value in found}


def commands_in(text):
    _, _, listed = text.partition("Subcommands:\n")
    return re.findall(r"^  ([a-z-]+) ", listed, re.MULTILINE)


@pytest.mark.parametrize(
    "words, expected",
    [
        (["--json", ""], COMMANDS),
        (["--socket", "/run/px.sock", ""], COMMANDS),
        (["stat"], ["status"]),
        (["--"], COMMON),
        (["ps", "--"], COMMON),
        (["ps", "--s"], ["--socket"]),
        (["explain", "--"], sorted([*COMMON, "--profile", "--proto"])),
        (["explain", "--profile", ""], ["vpn-split", "work.2"]),
        (["explain", "--profile", "w"], ["work.2"]),
        (["explain", "--proto", ""], ["icmp", "tcp", "udp"]),
        (["explain", "curl", "::1", "--proto", "u"], ["udp"]),
        (["move", "17", "v"], ["vpn-split"]),
        (["move", ""], []),
        (["router", ""], ["add", "delete"]),
        (["router", "d"], ["delete"]),
        (["router", "add", ""], []),
        (["check", "o"], ["one.yaml"]),
        (["--config", "o"], ["one.yaml"]),
        (["check", "--config", "o"], ["one.yaml"]),
        (["ps", ""], []),
        (["no-command", ""], []),
        (["no-command", "--"], COMMON),
        (["no/[command", "--"], COMMON),
    ],
    ids=lambda value: " ".join(value) if value else None,
)
def test_pxctl(complete, words, expected):
    assert complete("pxctl", *words) == expected


def test_pxctl_completes_programs(complete):
    assert "bash" in complete("pxctl", "explain", "bas")


def test_all_of_pxctls_help(complete):
    commands = commands_in(help_of(PXCTL))
    common = options_in(help_of(PXCTL))
    assert complete("pxctl", "") == sorted(commands)
    for option, takes_value in common.items():
        if takes_value:
            assert complete("pxctl", option, "value", "") == sorted(commands)
    for command in commands:
        text = help_of(PXCTL, command)
        assert complete("pxctl", command, "--") == sorted({*common, *options_in(text)})
        if actions := commands_in(text):
            assert complete("pxctl", command, "") == sorted(actions)


def test_all_of_px_execs_help(complete):
    options = options_in(help_of(PX_EXEC))
    assert options["--via"] and not options["--allow-uncovered"]
    assert complete("px-exec", "--") == sorted(options)
    for option, takes_value in options.items():
        # The word behind a value is px-exec's again, that behind a flag begins the program's.
        values = ["value"] if takes_value else []
        assert complete("px-exec", option, *values, "--") == sorted(options)


def test_px_exec(complete):
    assert complete("px-exec", "--profile", "") == ["vpn-split", "work.2"]
    assert complete("px-exec", "--via", "la") == ["lan"]
    assert complete("px-exec", "--rules", "o") == ["one.yaml"]
    assert "bash" in complete("px-exec", "--", "bas")
