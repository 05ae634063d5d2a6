# SPDX-License-Identifier: MIT
"""Real programs, both ends under px, over SCTP: unmodified clients that are given `<a,b>`, and
unmodified servers."""

import hashlib
import os
import pathlib
import select
import subprocess

import pytest

from support.lab.isolation import in_place_of
from support.lab.two_links import BUNDLE, SPELLED
from support.programs import unpacked
from support.unprivileged import visible_to_all


def test_nc(ends):
    server = ends.serve(["nc", "-l", BUNDLE, "7001"], 7001, stdin=-1, stdout=-1)
    client = ends.start(["nc", BUNDLE, "7001"], stdin=-1, stdout=-1)
    client.stdin.write("hello\n")
    client.stdin.flush()
    assert server.stdout.readline() == "hello\n"
    ends.await_both(7001)


def test_telnet(ends):
    server = ends.serve(["nc", "-l", BUNDLE, "7001"], 7001, stdin=-1, stdout=-1)
    client = ends.start(["telnet", BUNDLE, "7001"], stdin=-1, stdout=-1)
    ends.await_both(7001)
    server.stdin.write("hello\n")
    server.stdin.flush()
    for line in client.stdout:
        if line == "hello\n":
            break
    else:
        raise AssertionError("telnet did not print what the server sent")


def test_perl(ends):
    server = ends.serve(["nc", "-l", BUNDLE, "7001"], 7001, stdin=-1, stdout=-1)
    script = (
        "use IO::Socket::IP; $| = 1;"
        "my $s = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => 7001, Type => SOCK_STREAM)"
        " or die $@; print $s \"hello\\n\"; $s->flush; print \"sent\\n\"; <STDIN>;"
    )
    client = ends.start(["perl", "-e", script, BUNDLE], stdin=-1, stdout=-1)
    assert client.stdout.readline() == "sent\n"
    assert server.stdout.readline() == "hello\n"
    ends.await_both(7001)


def test_iperf3(ends):
    ends.serve(["iperf3", "--server", "--port", "7003"], 7003)
    client = ends.start(
        ["iperf3", "--client", BUNDLE, "--port", "7003", "--time", "2", "--bitrate", "20M"],
        stdout=-1, stderr=subprocess.STDOUT,
    )
    ends.await_both(7003)
    output = client.communicate(timeout=60)[0]
    assert client.returncode == 0, output


def payload(directory, size=2_000_000):
    file = directory / "payload"
    file.write_bytes(os.urandom(size))
    return file


def same(file, copy):
    return hashlib.sha256(file.read_bytes()).digest() == hashlib.sha256(copy.read_bytes()).digest()


def test_rsync(ends):
    directory = ends.directory
    file, copy, config = payload(directory), directory / "copy", directory / "rsyncd.conf"
    gate = directory / "gate"
    os.mkfifo(gate)
    # The server sends nothing until somebody has opened the gate for writing.
    module = ["[files]", f"path = {directory}", f"pre-xfer exec = cat {gate}"]
    lines = ["use chroot = no", "uid = 0", "gid = 0", *module]
    config.write_text("\n".join([*lines, ""]), encoding="utf-8")
    ends.serve(["rsync", "--daemon", "--no-detach", f"--config={config}", "--port=7004"], 7004)
    client = ends.start(["rsync", "--port=7004", f"{BUNDLE}::files/payload", copy])
    ends.await_both(7004, client)
    gate.write_bytes(b"")
    assert client.wait(timeout=60) == 0
    assert same(file, copy)


def test_redis_with_a_large_value(ends):
    directory = ends.directory
    server = directory / "redis-server"
    server.symlink_to("/usr/bin/redis-check-rdb")
    argv = [server, "--port", "7005", "--protected-mode", "no", "--save", "", "--bind", "0.0.0.0"]
    ends.serve(argv, 7005)
    value = os.urandom(2_500_000).hex()
    redis = ["redis-cli", "-h", BUNDLE, "-p", "7005"]
    assert ends.run([*redis, "-x", "set", "key"], input=value).stdout.strip() == "OK"
    assert ends.run([*redis, "get", "key"]).stdout.strip() == value
    client = ends.start(redis, stdin=-1, stdout=-1)
    client.stdin.write("strlen key\n")
    client.stdin.flush()
    assert "5000000" in client.stdout.readline()
    ends.await_both(7005)


@pytest.fixture
def web(ends):
    """nginx with a file of 2 MB, and that file."""
    directory = ends.directory
    file = payload(directory)
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{name}_temp_path {directory}/{name}; " for name in names)
    config = directory / "nginx.conf"
    config.write_text(
        f"daemon off; master_process off; user root; pid {directory}/pid; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off; {paths}\n"
        f"  server {{ listen 7006; root {directory}; }}\n}}\n",
        encoding="utf-8",
    )
    program = unpacked("nginx", "usr/sbin/nginx")
    ends.serve([program, "-e", "stderr", "-p", directory, "-c", config], 7006)
    return file


@pytest.mark.parametrize(
    "client",
    [
        ["curl", "--silent", "--fail", "--output"],
        ["wget", "--quiet", "--output-document"],
    ],
    ids=lambda words: words[0],
)
def test_http(ends, web, client):
    """The client waits for somebody to read its output, so it cannot end too early."""
    copy = ends.directory / "copy"
    os.mkfifo(copy)
    with open(os.open(copy, os.O_RDONLY | os.O_NONBLOCK), "rb") as output:
        process = ends.start([*client, copy, f"http://{SPELLED}:7006/payload"], profile="all")
        ends.await_both(7006, process)
        assert select.select([output], [], [], 60)[0], "no output"
        os.set_blocking(output.fileno(), True)
        assert output.read() == web.read_bytes()
    assert process.wait(timeout=60) == 0


@pytest.fixture
def user_of_sshd(tmp_path):
    """Root, and the user that sshd becomes; in the booted system alone."""
    passwd = tmp_path / "passwd"
    # Root's own shell may read start-up files before it runs a command.
    users = ["root:x:0:0::/run:/bin/sh", "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin", ""]
    passwd.write_text("\n".join(users), encoding="utf-8")
    pathlib.Path("/run/sshd").mkdir(exist_ok=True)
    with in_place_of("/etc/passwd", passwd):
        yield


@pytest.mark.usefixtures("user_of_sshd")
def test_ssh(ends):
    directory = ends.directory
    for name in ("host", "user"):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name]
        ends.lab.server.run(key)
    config = directory / "sshd_config"
    config.write_text(
        f"Port 7007\nHostKey {directory}/host\nAuthorizedKeysFile {directory}/user.pub\n"
        "StrictModes no\nPidFile none\nUsePAM no\nPermitRootLogin yes\n",
        encoding="utf-8",
    )
    ends.serve([unpacked("openssh-server", "usr/sbin/sshd"), "-D", "-e", "-f", config], 7007)
    ssh = ["ssh", "-F", "none", "-p", "7007", "-i", directory / "user"]
    options = ["UserKnownHostsFile=/dev/null", "StrictHostKeyChecking=no", "LogLevel=ERROR"]
    words = [word for option in options for word in ("-o", option)]
    ssh = [*ssh, *words, f"root@{SPELLED}", "cat"]
    client = ends.start(ssh, profile="all", stdin=-1, stdout=-1)
    client.stdin.write("hello\n")
    client.stdin.flush()
    assert client.stdout.readline() == "hello\n"
    ends.await_both(7007)
    client.stdin.close()
    assert client.wait(timeout=30) == 0


def test_psql(ends):
    # Of another user than root, as postgres demands.
    directory = ends.lab.directory / "postgres"
    directory.mkdir()
    os.chown(directory, 65534, 65534)
    programs = unpacked("postgresql-15", "usr/lib/postgresql/15/bin/postgres").parent
    tree = visible_to_all(programs.parents[3], "postgresql")
    programs = tree / "lib/postgresql/15/bin"
    share = tree / "share/postgresql/15"
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    initdb = [programs / "initdb", "-A", "trust", "-U", "px", "--no-sync", "-L", share, "-N"]
    ends.lab.server.run([*user, *initdb, "-D", directory / "data"], timeout=120)
    with (directory / "data/pg_hba.conf").open("a", encoding="utf-8") as access:
        access.write("host all all 10.0.0.0/8 trust\n")
    settings = ["listen_addresses=*", "port=7008", f"unix_socket_directories={directory}"]
    words = [word for setting in settings for word in ("-c", setting)]
    ends.serve([*user, programs / "postgres", "-D", directory / "data", *words], 7008)
    client = ends.start(
        ["psql", "-h", SPELLED, "-p", "7008", "-U", "px", "-At", "postgres"], stdin=-1, stdout=-1
    )
    client.stdin.write("select length(repeat('x', 5000000));\n")
    client.stdin.flush()
    assert client.stdout.readline() == "5000000\n"
    ends.await_both(7008)
