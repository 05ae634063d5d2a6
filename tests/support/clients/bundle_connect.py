# SPDX-License-Identifier: MIT
"""tests/programs/bundle_connect: its command line, and what it prints."""

from support.lab.member_faults import PORT
from support.programs import program_file


def command(*words, port=PORT):
    """With options and members."""
    return [program_file("bundle_connect"), "-p", str(port), *words]


def results(done):
    """What the program printed, as a dict."""
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())
