# SPDX-License-Identifier: MIT
"""Real servers in the lab's server namespace, each at one of its addresses; some at all of them
where the address is None. A function returns once its server listens; the server ends with the lab.
"""

import subprocess
import sys

from support.processes import run
from support.programs import unpacked
from support.urls import bracketed

DNS_NAME, DNS_ADDRESS = "host.px.test", "192.0.2.7"
DNS_RECORD = f"{DNS_NAME},{DNS_ADDRESS}"
FILE_TEXT = "what is served\n" * 1000
PORT_FTP, PORT_GIT, PORT_SSH, PORT_TLS = 2121, 8081, 2222, 4433
COMMIT = "0123456789abcdef" * 2 + "01234567"


def directory_of(lab, name):
    directory = lab.directory / name
    directory.mkdir()
    return directory


def start(lab, argv, port, datagrams=False):
    lab.server.popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lab.server.listens(port, datagrams=datagrams)


def iperf3(lab, address):
    start(lab, ["iperf3", "--server", *(["--bind", address] if address else [])], 5201)


def dnsmasq(lab, address):
    own = ["--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts"]
    what = ["--bind-interfaces", f"--listen-address={address}", f"--host-record={DNS_RECORD}"]
    start(lab, ["dnsmasq", "--no-daemon", *own, *what], 53, datagrams=True)
    lab.server.listens(53)


def ftp(lab, address):
    """Anybody may read the file; returns the port."""
    directory = directory_of(lab, "ftp")
    (directory / "file").write_text(FILE_TEXT, encoding="utf-8")
    argv = [sys.executable, "-m", "pyftpdlib", "-i", address, "-p", PORT_FTP, "-d", directory]
    start(lab, argv, PORT_FTP)
    return PORT_FTP


def chronyd(lab, address):
    lines = ["local stratum 5", "allow", f"bindaddress {address}"]
    start(lab, chronyd_command(lab, "server", *lines), 123, datagrams=True)


def chronyd_command(lab, name, *lines):
    """It never sets the clock (-x), and keeps its files to itself."""
    directory = directory_of(lab, f"chronyd-{name}")
    config = directory / "chrony.conf"
    own = ["cmdport 0", "bindcmdaddress /", f"pidfile {directory}/pid", "user root"]
    config.write_text("\n".join([*own, *lines, ""]), encoding="utf-8")
    return [unpacked("chrony", "usr/sbin/chronyd"), "-d", "-x", "-f", config]


def rsyncd(lab, address):
    directory = directory_of(lab, "rsyncd")
    (directory / "file").write_text(FILE_TEXT, encoding="utf-8")
    config = directory / "rsyncd.conf"
    lines = [f"path = {directory}", "read only = yes", "uid = 0", "gid = 0", "use chroot = no"]
    config.write_text("\n".join(["[files]", *lines, ""]), encoding="utf-8")
    own = [f"--config={config}", *([f"--address={address}"] if address else [])]
    start(lab, ["rsync", "--daemon", "--no-detach", *own], 873)


def nginx(lab, address):
    directory = directory_of(lab, "nginx")
    (directory / "file").write_text(FILE_TEXT, encoding="utf-8")
    paths = "".join(
        f"  {name}_temp_path {directory}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = directory / "nginx.conf"
    config.write_text(
        f"daemon off;\nmaster_process off;\nuser root;\npid {directory}/pid;\n"
        "error_log stderr;\nevents {}\n"
        f"http {{\n  access_log off;\n{paths}  server {{\n    listen {bracketed(address)}:8081;\n"
        f"    root {directory};\n  }}\n}}\n",
        encoding="utf-8",
    )
    argv = [unpacked("nginx", "usr/sbin/nginx"), "-e", "stderr", "-p", directory, "-c", config]
    start(lab, argv, 8081)


def redis(lab, address):
    # Debian's redis-server package is this link, and a service.
    server = directory_of(lab, "redis") / "redis-server"
    server.symlink_to("/usr/bin/redis-check-rdb")
    addresses = [address] if address else ["*", "-::*"]
    start(lab, [server, "--bind", *addresses, "--protected-mode", "no", "--save", ""], 6379)


def git(lab):
    """A repository as files, for the protocol without a server program."""
    directory = directory_of(lab, "git")
    (directory / "px.git/info").mkdir(parents=True)
    (directory / "px.git/info/refs").write_text(f"{COMMIT}\trefs/heads/main\n")
    (directory / "px.git/HEAD").write_text("ref: refs/heads/main\n")
    argv = [sys.executable, "-m", "http.server", PORT_GIT, "--bind", "::"]
    start(lab, [*argv, "--directory", directory], PORT_GIT)


def ssh(lab):
    """It accepts no key."""
    key = directory_of(lab, "dropbear") / "key"
    run(["dropbearkey", "-t", "ed25519", "-f", key])
    start(lab, ["dropbear", "-F", "-s", "-r", key, "-p", PORT_SSH, "-P", ""], PORT_SSH)


def tls(lab):
    directory = directory_of(lab, "tls")
    key, certificate = directory / "key", directory / "certificate"
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]
    run(["openssl", "req", "-x509", *new_key, "-subj", "/CN=px.test", "-out", certificate])
    argv = ["openssl", "s_server", "-www", "-key", key, "-cert", certificate]
    for family in ("-4", "-6"):
        start(lab, [*argv, family, "-accept", f"{PORT_TLS}"], PORT_TLS)
