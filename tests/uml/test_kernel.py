# SPDX-License-Identifier: MIT
"""The kernel under these tests has SCTP."""

import socket
import sys

from support.lab.two_links import FIRST, SECOND, associations


def test_sctp_is_there_and_counted(lab):
    script = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP)\n"
        "{}\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
    )
    listen = "s.bind(('0.0.0.0', 7000)); s.listen()"
    listener = lab.server.popen([sys.executable, "-c", script.format(listen)], stdin=-1, stdout=-1)
    assert listener.stdout.readline() == "ready\n"
    connect = f"s.connect(('{FIRST}', 7000))"
    caller = lab.client.popen([sys.executable, "-c", script.format(connect)], stdin=-1, stdout=-1)
    assert caller.stdout.readline() == "ready\n"
    (association,) = associations(lab.client, 7000)
    assert {FIRST, SECOND} <= association[2]
    assert socket.IPPROTO_SCTP == 132

