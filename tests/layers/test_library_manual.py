# SPDX-License-Identifier: MIT
"""Each function of bundle.h has its manual page: bundle(3) under the function's name."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = re.sub(r"/\*.*?\*/", "", (ROOT / "libbundle/bundle.h").read_text(), flags=re.DOTALL)
FUNCTIONS = sorted(set(re.findall(r"\bbundle_(\w+)\(", HEADER)))


def test_each_function_has_a_page_of_its_name():
    (listed,) = re.findall(
        r"foreach function : \[(.*?)\]", (ROOT / "man/meson.build").read_text(), re.DOTALL
    )
    assert re.findall(r"'(\w+)'", listed) == FUNCTIONS


def test_the_page_names_them_all():
    page = (ROOT / "man/bundle.3.scd").read_text()
    (names,) = re.findall(r"^# NAME\n(.*?)^# ", page, re.MULTILINE | re.DOTALL)
    assert sorted(re.findall(r"\bbundle_(\w+)\b", names)) == FUNCTIONS
