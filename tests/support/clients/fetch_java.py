# SPDX-License-Identifier: MIT
"""Fetch.java, compiled."""

import subprocess

from support.programs import CLIENTS


def fetch_java(directory):
    """The words that run it, compiled into `directory`."""
    subprocess.run(["ecj", "-17", "-proc:none", "-d", directory, CLIENTS / "Fetch.java"], check=True)
    return ["java", "-cp", directory, "-XX:TieredStopAtLevel=1", "Fetch"]
