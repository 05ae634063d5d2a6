# SPDX-License-Identifier: MIT
"""Where the built programs are: below $PX_BUILD, else build/ of this checkout."""

import os
import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests/support"
CLIENTS, SERVERS = SUPPORT / "clients", SUPPORT / "servers"
BUILD = pathlib.Path(os.environ.get("PX_BUILD", ROOT / "build")).resolve()

PXD = pathlib.Path(os.environ.get("PX_BROKER", BUILD / "broker/daemon/pxd")).resolve()
PXCTL = BUILD / "cli/pxctl"
PX_EXEC = BUILD / "cli/px-exec"
LIBPX = BUILD / "preload/libpx.so"


def program_file(name):
    """A program of tests/programs."""
    return BUILD / "tests/programs" / name


def unpacked(package, path):
    """A program of tools/unpack, else the installed one."""
    file = ROOT / "build/unpacked" / package / path
    found = file if file.exists() else shutil.which(file.name)
    assert found, f"{package} is not there: run tools/unpack"
    return pathlib.Path(found)
