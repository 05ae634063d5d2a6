# SPDX-License-Identifier: MIT
"""pxd as a service: a socket that the service manager listens at, and the units."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

import pytest

from support.lab.broker import POLICY
from support.lab.three_uplinks import CORPORATE
from support.processes import run
from support.programs import BUILD, PXCTL, PXD
from support.wait import wait_until

# What a service manager does (sd_listen_fds(3)): descriptor 3 listens, and it says so.
MANAGER = """
import os, socket, sys
path, kind, count, *program = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX, int(kind))
listener.bind(path)
listener.listen()
os.chmod(path, 0o666)
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=count)
os.execv(program[0], program)
"""


@pytest.fixture
def service(lab):
    """Starts a pxd that is passed a socket; returns the process and the socket's path."""
    directory = lab.directory / "service"
    directory.mkdir()
    (directory / "px.yaml").write_text(POLICY)
    path = directory / "px.sock"

    def start(*more, kind=socket.SOCK_SEQPACKET, count="1", **options):
        path.unlink(missing_ok=True)
        words = [sys.executable, "-c", MANAGER, path, str(int(kind)), count]
        pxd = [PXD, "--config", directory / "px.yaml", *more]
        process = lab.client.popen([*words, *pxd], stderr=subprocess.PIPE, **options)
        wait_until(path.exists, "the service manager listens")
        return process, path

    return start


def pxctl(lab, path, *words):
    return lab.client.run([PXCTL, "--socket", path, *words])


def test_it_serves_at_the_socket_that_it_was_passed(lab, service):
    process, path = service()
    assert f'"{path}"' in pxctl(lab, path, "status", "--json").stdout
    environment = {**os.environ, "PX_SOCKET": str(path)}
    argv = [BUILD / "cli/px-exec", "--profile", "vpn-split", "--"]
    program = [BUILD / "tests/programs/connect_twice", CORPORATE, "80"]
    lab.client.run([*argv, *program], env=environment)
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert path.is_socket(), "the socket is the service manager's"


def test_the_first_client_starts_it(lab):
    directory = lab.directory / "activated"
    directory.mkdir()
    (directory / "px.yaml").write_text(POLICY)
    path = directory / "px.sock"
    listen = ["systemd-socket-activate", "--seqpacket", "-l", path]
    process = lab.client.popen(
        [*listen, PXD, "--config", directory / "px.yaml", "--socket", path],
        stderr=subprocess.DEVNULL,
    )
    wait_until(path.is_socket, "the socket is there")
    assert not (directory / "plan-v3").exists()
    assert "vpn-split" in pxctl(lab, path, "status").stdout
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0


@pytest.mark.parametrize(
    "how, said",
    [
        ({"kind": socket.SOCK_STREAM}, "ListenSequentialPacket="),
        ({"count": "2"}, "ListenSequentialPacket="),
    ],
)
def test_a_socket_that_is_not_as_agreed(service, how, said):
    process, _ = service(**how)
    assert process.wait(timeout=10) == 1
    assert said in process.stderr.read()


def test_another_socket_than_the_command_line_says(service, lab):
    process, path = service("--socket", str(lab.directory / "other.sock"))
    assert process.wait(timeout=10) == 1
    assert str(path) in process.stderr.read()


def test_variables_of_another_process_mean_nothing(lab):
    path = lab.directory / "px/px.sock"
    broker = lab.start_broker()
    assert broker.stop() == 0
    words = ["env", "LISTEN_PID=1", "LISTEN_FDS=1", PXD, "--config", broker.config]
    process = lab.client.popen([*words, "--socket", path], stderr=subprocess.DEVNULL)
    wait_until(path.is_socket, "a socket of its own")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert not path.exists()


UNITS = {"system": BUILD / "conf", "user": BUILD / "conf/systemd"}


@pytest.mark.parametrize("manager", UNITS)
def test_the_units_are_well_formed(manager, tmp_path):
    for name in ("pxd.service", "pxd.socket"):
        text = (UNITS[manager] / name).read_text()
        # Not installed yet: the programs are those under test.
        text = re.sub(r"/\S*/pxd(?= |$)", str(PXD), text, flags=re.MULTILINE)
        text = re.sub(r"/\S*/pxctl(?= |$)", str(PXCTL), text, flags=re.MULTILINE)
        (tmp_path / name).write_text(text)
    words = ["systemd-analyze", f"--{manager}", "--man=no", "verify"]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    units = [tmp_path / name for name in ("pxd.service", "pxd.socket")]
    done = run([*words, *units], env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("manager", UNITS)
def test_no_setting_is_said_twice(manager):
    for unit in ("pxd.service", "pxd.socket"):
        lines = (UNITS[manager] / unit).read_text().splitlines()
        settings = [line for line in lines if "=" in line and not line.startswith("#")]
        assert len(settings) == len(set(settings))


def test_the_service_has_one_capability_and_its_own_user():
    text = pathlib.Path(UNITS["system"] / "pxd.service").read_text()
    settings = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    assert settings["User"] == "px"
    assert settings["AmbientCapabilities"] == settings["CapabilityBoundingSet"] == "CAP_NET_ADMIN"
    assert settings["StateDirectory"] == "px"
