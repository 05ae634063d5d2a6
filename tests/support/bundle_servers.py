# SPDX-License-Identifier: MIT
"""The servers that the clients of bundle_clients.py talk to, at all addresses of the lab's server.
The pages of port 8080 are the lab's own."""

import pathlib
import subprocess
import sys

import first_words
import servers

PORT_GIT, PORT_SSH, PORT_TLS = 8081, 2222, 4433
COMMIT = "0123456789abcdef" * 2 + "01234567"


def git(lab):
    """A repository as files, for the protocol without a server program."""
    directory = servers.directory_of(lab, "git")
    (directory / "px.git/info").mkdir(parents=True)
    (directory / "px.git/info/refs").write_text(f"{COMMIT}\trefs/heads/main\n")
    (directory / "px.git/HEAD").write_text("ref: refs/heads/main\n")
    argv = [sys.executable, "-m", "http.server", PORT_GIT, "--bind", "::"]
    servers.start(lab, [*argv, "--directory", directory], PORT_GIT)


def ssh(lab):
    """It knows nobody's key."""
    key = servers.directory_of(lab, "dropbear") / "key"
    subprocess.run(["dropbearkey", "-t", "ed25519", "-f", key], check=True, capture_output=True)
    servers.start(lab, ["dropbear", "-F", "-s", "-r", key, "-p", PORT_SSH, "-P", ""], PORT_SSH)


def tls(lab):
    directory = servers.directory_of(lab, "tls")
    key, certificate = directory / "key", directory / "certificate"
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]
    subprocess.run(
        ["openssl", "req", "-x509", *new_key, "-subj", "/CN=px.test", "-out", certificate],
        check=True,
        capture_output=True,
    )
    argv = ["openssl", "s_server", "-www", "-key", key, "-cert", certificate]
    for family in ("-4", "-6"):
        servers.start(lab, [*argv, family, "-accept", f"{PORT_TLS}"], PORT_TLS)


def start_all(lab):
    for server in (servers.iperf3, servers.rsyncd, servers.redis):
        server(lab, None)
    for server in (git, ssh, tls):
        server(lab)
    script = pathlib.Path(__file__).with_name("first_words.py")
    servers.start(lab, [sys.executable, script], first_words.POSTGRESQL)
