# SPDX-License-Identifier: MIT
"""A network namespace, and programs in it."""

import json
import signal
import subprocess

from wait import wait_until


class Namespace:
    """Owns a namespace of `ip netns`, and every process started in it."""

    def __init__(self, name):
        self.name = name
        self.processes = []
        subprocess.run(["ip", "netns", "add", name], check=True)

    def command(self, argv):
        return ["nsenter", f"--net=/run/netns/{self.name}", *map(str, argv)]

    def run(self, argv, check=True, timeout=30, **options):
        """Runs to the end; text, output captured. With `check`, a failure shows its output."""
        options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
        if options["stdin"] is None:
            del options["stdin"]
        done = subprocess.run(
            self.command(argv), capture_output=True, text=True, timeout=timeout, **options
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"{' '.join(map(str, argv))}: status {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done

    def popen(self, argv, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(self.command(argv), text=True, **options)
        self.processes.append(process)
        return process

    def ip(self, *lines):
        """Lines for `ip -batch` in this namespace."""
        text = "".join(line + "\n" for line in lines)
        subprocess.run(["ip", "-n", self.name, "-batch", "-"], input=text, text=True, check=True)

    def links(self):
        """As `ip -j link` tells."""
        return json.loads(self.run(["ip", "-j", "link", "show"]).stdout)

    def sysctl(self, **values):
        """sysctl(net__ipv4__ip_forward=1)"""
        script = "".join(
            f"echo {value} > /proc/sys/{key.replace('__', '/')}\n" for key, value in values.items()
        )
        self.run(["sh", "-e"], input=script)

    def listens(self, port, deadline=10.0, datagrams=False):
        """Waits until somebody listens on a TCP port, or has a UDP port."""
        options = "-Hlun" if datagrams else "-Hltn"
        wait_until(
            lambda: self.run(["ss", options, f"sport = {port}"]).stdout.strip(),
            f"a listener on port {port} in {self.name}",
            deadline,
        )

    def stop(self):
        """Ends every process started in it."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        self.processes.clear()

    def close(self):
        self.stop()
        subprocess.run(["ip", "netns", "delete", self.name], check=True)
