# SPDX-License-Identifier: MIT
"""Policies from a man page's source, as their readers copy them."""

import pathlib

MAN = pathlib.Path(__file__).resolve().parents[2] / "man"
FENCE = "```\n"


def recipes():
    """{heading: policy} of the recipes in px.yaml(5)."""
    text = (MAN / "px.yaml.5.scd").read_text(encoding="utf-8")
    section = text.split("\n# RECIPES\n")[1].split("\n# ")[0]
    found = {}
    for part in section.split("\n## ")[1:]:
        heading, _, body = part.partition("\n")
        _, policy, _ = body.split(FENCE)
        found[heading] = policy
    return found
