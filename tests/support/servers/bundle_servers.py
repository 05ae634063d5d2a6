# SPDX-License-Identifier: MIT
"""The servers that the clients of real_clients.py talk to, at all addresses of the lab's server.
The pages of port 8080 are the lab's own."""

import subprocess
import sys

from support.programs import SERVERS
from support.servers import protocol_stubs, real_servers

PORT_GIT, PORT_SSH, PORT_TLS = 8081, 2222, 4433
COMMIT = "0123456789abcdef" * 2 + "01234567"


def git(lab):
    """A repository as files, for the protocol without a server program."""
    directory = real_servers.directory_of(lab, "git")
    (directory / "px.git/info").mkdir(parents=True)
    (directory / "px.git/info/refs").write_text(f"{COMMIT}\trefs/heads/main\n")
    (directory / "px.git/HEAD").write_text("ref: refs/heads/main\n")
    argv = [sys.executable, "-m", "http.server", PORT_GIT, "--bind", "::"]
    real_servers.start(lab, [*argv, "--directory", directory], PORT_GIT)


def ssh(lab):
    """It knows nobody's key."""
    key = real_servers.directory_of(lab, "dropbear") / "key"
    subprocess.run(["dropbearkey", "-t", "ed25519", "-f", key], check=True, capture_output=True)
    real_servers.start(lab, ["dropbear", "-F", "-s", "-r", key, "-p", PORT_SSH, "-P", ""], PORT_SSH)


def tls(lab):
    directory = real_servers.directory_of(lab, "tls")
    key, certificate = directory / "key", directory / "certificate"
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]
    subprocess.run(
        ["openssl", "req", "-x509", *new_key, "-subj", "/CN=px.test", "-out", certificate],
        check=True,
        capture_output=True,
    )
    argv = ["openssl", "s_server", "-www", "-key", key, "-cert", certificate]
    for family in ("-4", "-6"):
        real_servers.start(lab, [*argv, family, "-accept", f"{PORT_TLS}"], PORT_TLS)


def start_all(lab):
    for server in (real_servers.iperf3, real_servers.rsyncd, real_servers.redis):
        server(lab, None)
    for server in (git, ssh, tls):
        server(lab)
    script = SERVERS / "protocol_stubs.py"
    real_servers.start(lab, [sys.executable, script], protocol_stubs.POSTGRESQL)
