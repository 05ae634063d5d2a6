# SPDX-License-Identifier: MIT
"""What tests of px-exec's transparency share: one lab for a whole file, the launchers, a shell."""

import contextlib
import shutil

import pytest

from support.lab.three_uplinks import Lab
from support.processes import processes_called
from support.programs import PX_EXEC
from support.wait import wait_until

PX_VARIABLES = ("LD_PRELOAD=", "PX_SOCKET=", "PX_PROFILE=")


@pytest.fixture(scope="module")
def lab():
    """One for all tests of a file: none changes it."""
    with Lab() as lab:
        yield lab


@contextlib.contextmanager
def launching(lab, how):
    """The words before a program: none, or px-exec's, with a broker of the lab's or with a private
    one, which ends with the program."""
    if how == "bare":
        yield []
    elif how == "private":
        yield [PX_EXEC, "--via", "lan0", "--"]
        wait_until(lambda: not processes_called("pxd"), "the private brokers have ended")
    else:
        with lab.serving() as broker:
            yield [PX_EXEC, "--profile", "lan-only", "--socket", broker.socket, "--"]


@pytest.fixture(scope="module", params=["broker", "private"])
def launcher(request, lab):
    with launching(lab, request.param) as words:
        yield words


def shell(lab, script, *words, **options):
    """A script of bash's, whose "$@" is `words`, in an empty directory."""
    directory = lab.directory / "work"
    directory.mkdir()
    command = ["bash", "-c", script, "bash", *words]
    done = lab.client.run(command, cwd=directory, check=False, **options)
    shutil.rmtree(directory)
    return done


def without_px(variables):
    # The shell's own `_` names what it was told to run.
    own = (*PX_VARIABLES, "_=")
    return [variable for variable in variables if not variable.startswith(own)]
