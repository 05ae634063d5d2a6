# SPDX-License-Identifier: MIT
"""Real servers in the lab's server namespace, each at one of its addresses; some at all of them
where the address is None. A function returns once its server listens; the server ends with the lab.
"""

import shutil
import subprocess

from support.programs import ROOT

DNS_NAME, DNS_ADDRESS = "host.px.test", "192.0.2.7"
DNS_RECORD = f"{DNS_NAME},{DNS_ADDRESS}"
FILE_TEXT = "what is served\n" * 1000


def unpacked(package, path):
    """A program of tools/unpack, else the installed one."""
    file = ROOT / "build/unpacked" / package / path
    found = file if file.exists() else shutil.which(file.name)
    assert found, f"{package} is not there: run tools/unpack"
    return found


def directory_of(lab, name):
    directory = lab.directory / name
    directory.mkdir()
    return directory


def start(lab, argv, port, datagrams=False):
    lab.server.popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lab.server.listens(port, datagrams=datagrams)


def bracketed(address):
    return f"[{address}]" if ":" in address else address


def iperf3(lab, address):
    start(lab, ["iperf3", "--server", *(["--bind", address] if address else [])], 5201)


def dnsmasq(lab, address):
    own = ["--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts"]
    what = ["--bind-interfaces", f"--listen-address={address}", f"--host-record={DNS_RECORD}"]
    start(lab, ["dnsmasq", "--no-daemon", *own, *what], 53, datagrams=True)
    lab.server.listens(53)


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
    # What Debian's redis-server package holds is this link, and a service.
    server = directory_of(lab, "redis") / "redis-server"
    server.symlink_to("/usr/bin/redis-check-rdb")
    addresses = [address] if address else ["*", "-::*"]
    start(lab, [server, "--bind", *addresses, "--protected-mode", "no", "--save", ""], 6379)


class NameServer:
    """A dnsmasq that knows the lines of a hosts file, that all of the client's programs ask, and
    that writes down what it is asked. A context manager: it stands in for /etc/resolv.conf."""

    def __init__(self, lab, address, hosts):
        self.lab, self.address, self.hosts = lab, address, hosts
        self.directory = directory_of(lab, "names")
        self.log = self.directory / "log"

    def __enter__(self):
        hosts = self.directory / "hosts"
        hosts.write_text(self.hosts, encoding="utf-8")
        resolver = self.directory / "resolv.conf"
        resolver.write_text(f"nameserver {self.address}\n", encoding="utf-8")
        own = ["--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts", "--user=root"]
        what = ["--bind-interfaces", f"--listen-address={self.address}", "--local=/#/"]
        what += ["--no-round-robin", f"--addn-hosts={hosts}"]
        log = ["--log-queries", f"--log-facility={self.log}"]
        argv = ["dnsmasq", "--keep-in-foreground", *own, *what, *log]
        start(self.lab, argv, 53, datagrams=True)
        subprocess.run(["mount", "--bind", resolver, "/etc/resolv.conf"], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "/etc/resolv.conf"], check=True)

    def asked(self):
        """The names that were asked for, in order."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [line.split("query[")[1].split()[1] for line in lines if "query[" in line]
