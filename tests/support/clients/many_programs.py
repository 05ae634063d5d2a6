# SPDX-License-Identifier: MIT
"""many_programs.py COUNT CONNECT_LOOP ADDRESS: that many connect_loop programs, which wait for a line.

For each line on stdin, every program connects once; one JSON object is printed, {local address or
error: how many}.
"""

import collections
import json
import resource
import subprocess
import sys

count, program, address = int(sys.argv[1]), sys.argv[2], sys.argv[3]
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
herd = [
    subprocess.Popen([program, "1000", address, "80", "step"], text=True, **pipes)
    for _ in range(count)
]
for _ in sys.stdin:
    for each in herd:
        each.stdin.write("\n")
        each.stdin.flush()
    answers = [each.stdout.readline().split()[-1] for each in herd]
    print(json.dumps(collections.Counter(answers)), flush=True)
