# SPDX-License-Identifier: MIT
"""What surrounds every test: a /run of its own, and files in place of others."""

import contextlib
import os
import pathlib

from support.processes import run

RUN = pathlib.Path("/run/px-lab")


def isolate():
    """Once: a tmpfs of the caller's mount namespace on /run."""
    if os.environ.get("PX_ISOLATED") != "1":
        raise RuntimeError("the lab runs below tools/isolated only")
    if RUN.exists():
        return
    for words in (["--make-rprivate", "/"], ["-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"]):
        run(["mount", *words])
    RUN.mkdir()


@contextlib.contextmanager
def in_place_of(path, file):
    """The file stands at `path`, for all programs of the lab."""
    run(["mount", "--bind", file, path])
    try:
        yield
    finally:
        run(["umount", path])
