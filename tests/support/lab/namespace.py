# SPDX-License-Identifier: MIT
"""A network namespace, and programs in it."""

import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess

from support.processes import run
from support.wait import wait_until

NAMED = pathlib.Path("/run/netns")  # of `ip netns`
OWN = "/proc/thread-self/ns/net"
CLONE_NEWNET = 0x40000000
MS_BIND, MNT_DETACH = 4096, 2
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
LIBC = ctypes.CDLL(None, use_errno=True)


def system_call(name, *arguments):
    if getattr(LIBC, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)


@contextlib.contextmanager
def coming_back():
    """Returns this thread to its namespace afterwards."""
    own = os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        system_call("setns", own, CLONE_NEWNET)
        os.close(own)


class Namespace:
    """Owns a namespace of `ip netns`, and every process started in it. A run makes thousands:
    system calls do here what takes a program milliseconds."""

    def __init__(self, name):
        self.name = name
        self.processes = []
        NAMED.mkdir(exist_ok=True)
        self.file = NAMED / name
        self.file.touch(exist_ok=False)
        with coming_back():
            system_call("unshare", CLONE_NEWNET)
            system_call("mount", OWN.encode(), bytes(self.file), None, MS_BIND, None)

    @contextlib.contextmanager
    def inside(self):
        """This thread is in the namespace."""
        with coming_back(), self.file.open("rb") as file:
            system_call("setns", file.fileno(), CLONE_NEWNET)
            yield

    def command(self, argv):
        return ["nsenter", f"--net={self.file}", *map(str, argv)]

    def run(self, argv, check=True, timeout=30, **options):
        """As processes.run(), in this namespace."""
        return run(self.command(argv), check, timeout=timeout, **options)

    def popen(self, argv, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(self.command(argv), text=True, **options)
        self.processes.append(process)
        return process

    def ip(self, *lines, family=0):
        """Lines for `ip -batch` in this namespace; rules need the family, 4 or 6."""
        text = "".join(line + "\n" for line in lines)
        words = [f"-{family}"] if family else []
        run(["ip", "-n", self.name, *words, "-batch", "-"], input=text)

    def links(self):
        """As `ip -j link` tells."""
        return json.loads(self.run(["ip", "-j", "link", "show"]).stdout)

    def sysctl(self, **values):
        """sysctl(net__ipv4__ip_forward=1)"""
        with self.inside():
            for key, value in values.items():
                pathlib.Path("/proc/sys", key.replace("__", "/")).write_text(f"{value}\n")

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0):
        """A socket of this namespace, in this process."""
        with self.inside():
            return socket.socket(family, kind, protocol)

    def loopback_up(self):
        with self.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            request = struct.pack("16sh14x", b"lo", IFF_UP)
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)

    def listens(self, port, deadline=10.0, datagrams=False):
        """Waits for a listener at a TCP port, or for a socket at a UDP port."""
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
                    # Of what was never read, too.
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()
        self.processes.clear()

    def close(self):
        self.stop()
        system_call("umount2", bytes(self.file), MNT_DETACH)
        self.file.unlink()
