# SPDX-License-Identifier: MIT
"""The line on stderr that says why calls fail: it goes to what was stderr when the program was
started, and into no file that has taken its number since."""

import sys
import tempfile

import pytest

from support.lab.isolation import RUN
from support.lab.three_uplinks import CORPORATE
from support.programs import LIBPX

CONNECT = f"""
import socket
s = socket.socket()
print(s.connect_ex(("{CORPORATE}", 80)))
"""
# What the program makes of descriptor 2 before it connects.
TAKEN = {
    "another file": "import os, sys\nos.close(2)\nassert os.open(sys.argv[1], os.O_WRONLY) == 2\n",
    "another file by dup2": "import os, sys\nos.dup2(os.open(sys.argv[1], os.O_WRONLY), 2)\n",
    "closed": "import os\nos.close(2)\n",
}


def failing(lab, script, *words):
    """Its calls fail: nobody answers at the socket."""
    variables = [f"LD_PRELOAD={LIBPX}", "PX_PROFILE=steered", "PX_SOCKET=/nonexistent/px.sock"]
    run = lab.client.run(["env", *variables, sys.executable, "-c", script, *words])
    assert run.stdout == "101\n"  # ENETUNREACH
    return run.stderr


def test_it_goes_to_stderr(lab):
    assert failing(lab, CONNECT).startswith("px: steered: ")


def test_it_goes_to_stderr_that_was_opened_again(lab):
    again = "import os\nkept = os.dup(2)\nos.close(2)\nos.dup2(kept, 2)\n"
    assert failing(lab, again + CONNECT).startswith("px: steered: ")


@pytest.mark.parametrize("how", TAKEN)
def test_it_goes_into_no_file_that_has_taken_the_number(lab, how):
    with tempfile.NamedTemporaryFile("r", dir=RUN) as data:
        assert failing(lab, TAKEN[how] + CONNECT, data.name) == ""
        assert data.read() == ""
