# SPDX-License-Identifier: MIT
"""plan/abi.h stays a header that a BPF program can include: no other headers, no pointers, no
bit-fields. (The compilers hold it to C11 and C++20: tests/unit/plan/abi_layout.c, abi_alone.cc.)"""

import pathlib
import re

import pytest

PLAN = pathlib.Path(__file__).resolve().parents[2] / "plan"
HEADERS = {"abi.h", "abi_file.h", "abi_half.h", "abi_values.h"}
MAY_INCLUDE = {"<stdint.h>", *(f'"plan/{name}"' for name in HEADERS)}


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_it_needs_nothing_that_bpf_lacks(name):
    text = (PLAN / name).read_text(encoding="utf-8")
    assert set(re.findall(r"^\s*#\s*include\s+(\S+)", text, re.MULTILINE)) <= MAY_INCLUDE
    code = re.sub(r"/\*.*?\*/|//[^\n]*|#define[^\n]*(\\\n[^\n]*)*", "", text, flags=re.DOTALL)
    for body in re.findall(r"struct \w+ \{(.*?)\}", code, re.DOTALL):
        body = re.sub(r"\[[^]]*\]", "", body)
        assert "*" not in body
        assert ":" not in body
