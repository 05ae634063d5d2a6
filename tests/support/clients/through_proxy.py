# SPDX-License-Identifier: MIT
"""Fetches a page through a proxy program, which it starts and ends.

through_proxy.py PORT PROGRAM ARGS...: says what 127.0.0.1:PORT answers, or what the program said if
it ended. Knows nothing of px.
"""

import subprocess
import sys
import time
import urllib.request

port, program = sys.argv[1], sys.argv[2:]
proxy = subprocess.Popen(program)
page = None
while page is None and proxy.poll() is None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            page = answer.read().decode()
    except ConnectionRefusedError:
        time.sleep(0.002)
    except OSError as error:
        if not isinstance(getattr(error, "reason", None), ConnectionRefusedError):
            raise
        time.sleep(0.002)
proxy.kill()
proxy.wait()
sys.stdout.write(page or "")
