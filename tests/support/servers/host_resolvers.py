# SPDX-License-Identifier: MIT
"""What a host may have for looking names up besides libc: systemd-resolved with its bus, and nscd. In
the lab's client, as the one service of its kind, ended with the block."""

import contextlib
import pathlib
import subprocess

from support.lab.isolation import in_place_of
from support.programs import unpacked
from support.wait import wait_until

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
"""
NSCD = """debug-level 0
enable-cache hosts yes
positive-time-to-live hosts 600
negative-time-to-live hosts 600
persistent hosts no
shared hosts no
enable-cache passwd no
enable-cache group no
enable-cache services no
enable-cache netgroup no
"""
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@contextlib.contextmanager
def running(namespace, words, is_there, what, **options):
    process = namespace.popen(words, **{**QUIET, **options})

    def ready():
        assert process.poll() is None, f"{what} ended with {process.returncode}"
        return is_there()

    try:
        wait_until(ready, f"{what} is there")
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextlib.contextmanager
def system_bus(lab):
    directory = pathlib.Path("/run/dbus")
    directory.mkdir(exist_ok=True)
    config = lab.directory / "bus.conf"
    config.write_text(BUS, encoding="utf-8")
    socket = directory / "system_bus_socket"
    words = ["dbus-daemon", "--nofork", "--nopidfile", f"--config-file={config}"]
    with running(lab.client, words, socket.exists, "the system's bus"):
        yield
    socket.unlink(missing_ok=True)


class Resolved:
    """systemd-resolved, and resolvectl to tell it of links."""

    def __init__(self, lab):
        self.lab = lab
        self.process = None

    def control(self, *words):
        program = unpacked("systemd-resolved", "usr/bin/resolvectl")
        return self.lab.client.run([program, *words])

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=10)

    def answers(self):
        program = unpacked("systemd-resolved", "usr/bin/resolvectl")
        return self.lab.client.run([program, "dns"], check=False).returncode == 0


@contextlib.contextmanager
def systemd_resolved(lab):
    """Its own user is root here: the lab may have no other."""
    passwd = lab.directory / "passwd"
    lines = pathlib.Path("/etc/passwd").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if not line.startswith("systemd-resolve:")]
    lines.append("systemd-resolve:x:0:0::/:/usr/sbin/nologin")
    passwd.write_text("\n".join(lines) + "\n", encoding="utf-8")
    pathlib.Path("/run/systemd").mkdir(exist_ok=True)
    resolved = Resolved(lab)
    words = [unpacked("systemd-resolved", "lib/systemd/systemd-resolved")]
    with in_place_of("/etc/passwd", passwd), system_bus(lab):
        with running(lab.client, words, resolved.answers, "systemd-resolved") as process:
            resolved.process = process
            yield resolved


@contextlib.contextmanager
def nscd(lab):
    """It keeps names for ten minutes."""
    directory = pathlib.Path("/run/nscd")
    directory.mkdir(exist_ok=True)
    config = lab.directory / "nscd.conf"
    config.write_text(NSCD, encoding="utf-8")
    words = [unpacked("nscd", "usr/sbin/nscd"), "-F", "-f", config]
    with running(lab.client, words, (directory / "socket").exists, "nscd"):
        yield
    (directory / "socket").unlink(missing_ok=True)
