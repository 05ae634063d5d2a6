# SPDX-License-Identifier: MIT
"""docs/protocol.md tells of every message, and of none that there is not."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r"^PX_(?:EMPTY_|TEXT_)?MESSAGE\((\d+), (\w+)\)", re.MULTILINE)


def test_the_page_names_the_messages_of_the_table():
    rows = ROW.findall((ROOT / "plan/messages.def").read_text(encoding="utf-8"))
    page = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
    assert len(rows) >= 12
    assert set(re.findall(r"\*\*([A-Z]\w*)\*\*", page)) == {name for _, name in rows}
