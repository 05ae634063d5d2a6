# SPDX-License-Identifier: MIT
"""Programs and policy files whose names are not UTF-8."""

import os
import shutil

import pytest

from support.lab.broker import POLICY
from support.lab.three_uplinks import CORPORATE
from support.programs import program_file

pytestmark = pytest.mark.broker


def test_a_program_whose_name_is_not_utf8(lab, broker):
    directory = os.fsencode(lab.directory) + b"/w\xff"
    os.mkdir(directory)
    program = directory + b"/prog\xfe"
    shutil.copy(program_file("connect_twice"), program)
    lab.px(broker, [os.fsdecode(program), CORPORATE, "80"])
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}
    assert broker.ask("status")["pid"] == broker.pid


def test_a_policy_file_whose_name_is_not_utf8(broker):
    fragments = broker.directory / "conf.d"
    fragments.mkdir()
    with open(os.fsencode(fragments) + b"/\xff.yaml", "w", encoding="utf-8") as file:
        file.write("version: 7\n")
    done = broker.pxctl("reload", check=False)
    assert done.returncode == 1
    assert ".yaml:1:10: " in done.stdout + done.stderr
    assert broker.ask("status")["generation"] == 1
    os.unlink(os.fsencode(fragments) + b"/\xff.yaml")
    assert broker.reload(POLICY).returncode == 0
