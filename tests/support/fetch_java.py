# SPDX-License-Identifier: MIT
"""Fetch.java, compiled."""

import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parent / "clients/Fetch.java"


def fetch_java(directory):
    """The words that run it, compiled into `directory`."""
    subprocess.run(["ecj", "-17", "-proc:none", "-d", directory, SOURCE], check=True)
    return ["java", "-cp", directory, "-XX:TieredStopAtLevel=1", "Fetch"]
