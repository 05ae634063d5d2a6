# SPDX-License-Identifier: MIT
"""Real clients with real servers over the lab: SSH and git."""

import os
import shutil
import subprocess
import sys

import pytest

from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC
from support.processes import run
from support.unprivileged import other_user
from support.urls import url


def git(*words, cwd):
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_AUTHOR_NAME": "px",
        "GIT_AUTHOR_EMAIL": "px@lab.invalid",
        "GIT_COMMITTER_NAME": "px",
        "GIT_COMMITTER_EMAIL": "px@lab.invalid",
    }
    run(["git", *words], cwd=cwd, env=environment)


@pytest.mark.parametrize("host", [CORPORATE, CORPORATE6])
def test_git_over_http(lab, broker, host):
    origin = lab.directory / "www/origin"
    origin.mkdir(parents=True)
    git("init", "--initial-branch=main", ".", cwd=origin)
    (origin / "file").write_text("content\n")
    git("add", "file", cwd=origin)
    git("commit", "--message=A file", cwd=origin)
    git("update-server-info", cwd=origin)
    serve = [sys.executable, "-m", "http.server", "8000", "--bind", "::"]
    lab.server.popen(
        serve, cwd=origin.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    lab.server.listens(8000)
    copy = lab.directory / "copy"
    lab.px(broker, ["git", "clone", "--quiet", url(host, "/origin/.git", 8000), copy])
    assert (copy / "file").read_text() == "content\n"
    assert set(lab.flows.left(host)) == {"vpn0"}


def start_openssh(directory):
    options = [
        f"HostKey={directory}/host",
        f"AuthorizedKeysFile={directory}/.ssh/authorized_keys",
        "StrictModes=no",
        "UsePAM=no",
        "PidFile=none",
    ]
    words = [word for option in options for word in ("-o", option)]
    os.makedirs("/run/sshd", exist_ok=True)
    return ["/usr/sbin/sshd", "-D", "-f", "/dev/null", "-p", "22", *words]


def start_dropbear(directory):
    # It looks for the keys in root's home: a passwd of its own mount namespace names ours.
    key = directory / "dropbear"
    run(["dropbearkey", "-t", "ed25519", "-f", key])
    (directory / "passwd").write_text(f"root:x:0:0:root:{directory}:/bin/bash\n")
    script = f"mount --bind {directory}/passwd /etc/passwd && exec dropbear -F -r {key} -p 22 -P ''"
    return ["unshare", "--mount", "sh", "-c", script]


def start_server(lab):
    """An SSH server in the lab's server; returns the client's words."""
    directory = lab.directory / "ssh"
    (directory / ".ssh").mkdir(mode=0o700, parents=True)
    directory.chmod(0o700)
    for name in ("key", "host"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name])
    shutil.copy(directory / "key.pub", directory / ".ssh/authorized_keys")
    (directory / ".ssh/authorized_keys").chmod(0o600)
    start = start_openssh if os.path.exists("/usr/sbin/sshd") else start_dropbear
    lab.server.popen(start(directory), stderr=subprocess.DEVNULL)
    lab.server.listens(22)
    known = ["-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={directory}/known"]
    identity = ["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", directory / "key"]
    return ["ssh", "-q", "-F", "/dev/null", *identity, *known]


def test_ssh(lab, broker):
    other_user()  # the server changes users
    ssh = start_server(lab)
    for host, source, interface in (
        (CORPORATE, "10.8.0.2", "vpn0"),
        (CORPORATE6, "fd08::2", "vpn0"),
        (PUBLIC, "100.64.2.2", "lte0"),
    ):
        done = lab.px(broker, [*ssh, f"root@{host}", "echo $SSH_CONNECTION"])
        assert done.stdout.split()[0] == source
        assert set(lab.flows.left(host)) == {interface}
