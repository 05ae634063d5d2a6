# SPDX-License-Identifier: MIT
"""spawner.py HOW PROGRAM ARGS...: becomes another program, or starts one as its child.

HOW is exec, fork, vfork or posix_spawn. After "connect ADDRESS PORT HOW..." the spawner itself has
connected before.
"""

import os
import socket
import subprocess
import sys

words = sys.argv[1:]
if words[0] == "connect":
    socket.create_connection((words[1], int(words[2]))).close()
    words = words[3:]
how, program = words[0], words[1:]
if how == "exec":
    os.execv(program[0], program)
elif how == "fork":
    child = os.fork()
    if child == 0:
        os.execv(program[0], program)
    os.waitpid(child, 0)
elif how == "vfork":
    assert subprocess._USE_VFORK
    subprocess.run(program, check=True)
elif how == "posix_spawn":
    os.waitpid(os.posix_spawn(program[0], program, os.environ), 0)
