# SPDX-License-Identifier: MIT
"""Fetch.java, compiled."""

from support.processes import run
from support.programs import CLIENTS


def fetch_java(directory):
    """The words that run it, compiled into `directory`."""
    run(["ecj", "-17", "-proc:none", "-d", directory, CLIENTS / "Fetch.java"])
    return ["java", "-cp", directory, "-XX:TieredStopAtLevel=1", "Fetch"]
