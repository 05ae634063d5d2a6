# SPDX-License-Identifier: MIT
"""many_programs.py COUNT CONNECT_LOOP ADDRESS: starts COUNT programs connect_loop.

For each line of input, every program connects once. Prints a JSON object: {local address or error:
how many}.
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
programs = [
    subprocess.Popen([program, "1000", address, "80", "step"], text=True, **pipes)
    for _ in range(count)
]
for _ in sys.stdin:
    for each in programs:
        each.stdin.write("\n")
        each.stdin.flush()
    answers = [each.stdout.readline().split()[-1] for each in programs]
    print(json.dumps(collections.Counter(answers)), flush=True)
