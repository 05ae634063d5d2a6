# SPDX-License-Identifier: MIT
"""Real client programs: how each is given a bundle, and what shows that it reached the server.

Data alone; client_runs.py runs them. In the words of a client, HOST is the server's name, WORK a
directory and LOCAL a port of its own. In what it shows, MEMBER is the address that it reached. A
client that does not print this shows what only the server can have told it.
"""

import dataclasses
import sys

from support.programs import CLIENTS, unpacked
from support.servers.protocol_stubs import LDAP, MQTT, MYSQL, POSTGRESQL
from support.servers.real_servers import COMMIT, PORT_GIT, PORT_SSH, PORT_TLS

# How a bundle is written: `<a,b>`, `{a,b}`, `a.and.b.bundle`, by a name of the policy, by a real
# name that the policy declares to be a bundle.
ANGLE, BRACES, SPELLED, POLICY, ALIAS = "angle", "braces", "spelled", "policy", "alias"


@dataclasses.dataclass(frozen=True)
class Client:
    name: str
    argv: list
    forms: tuple  # with two IPv4 addresses; with IPv6 and IPv4
    shows: str = "MEMBER"
    input: str = ""
    keeps_input: bool = False  # it ends at the end of its input
    status: int = 0
    ipv4_alone: bool = False  # it uses no IPv6, at least where there is IPv4
    forks: bool = False  # one process looks names up, another one connects: it has no capability
    files: dict = dataclasses.field(default_factory=dict)  # in WORK

    def form(self, families):
        return self.forms[1 if 6 in families else 0]


PAGE = "http://HOST:8080/"
REQUEST = "GET / HTTP/1.0\r\n\r\n"
PYTHON = [sys.executable, CLIENTS / "fetch.py"]
PERL = ["perl", CLIENTS / "fetch.pl"]
RUBY = ["ruby", CLIENTS / "fetch.rb"]
PHP = ["php", CLIENTS / "fetch.php"]
NODE = ["node", CLIENTS / "fetch.js"]
PROXY = [sys.executable, CLIENTS / "through_proxy.py"]
SSH_OPTIONS = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=WORK/known")
HAPROXY = """
defaults
  mode http
  timeout connect 300s
  timeout client 300s
  timeout server 300s
listen all
  bind 127.0.0.1:LOCAL
  server one HOST:8080
"""
NGINX = """
daemon off; master_process off; user root; pid WORK/pid; error_log stderr; events {}
http {
  access_log off; proxy_connect_timeout 300s;
  client_body_temp_path WORK/body; proxy_temp_path WORK/proxy; fastcgi_temp_path WORK/fastcgi;
  uwsgi_temp_path WORK/uwsgi; scgi_temp_path WORK/scgi;
  server { listen 127.0.0.1:LOCAL; location / { proxy_pass http://HOST:8080; } }
}
"""
STATIC_KEY = f"""-----BEGIN OpenVPN Static key V1-----
{'0123456789abcdef' * 32}
-----END OpenVPN Static key V1-----
"""


def pages():
    busybox = unpacked("busybox", "bin/busybox")
    # It asks for SRV records of every name, and the lab has no DNS server.
    options = ["APT::Sandbox::User=root", "Acquire::EnableSrvRecords=false"]
    apt = ["/usr/lib/apt/apt-helper", *(f"-o={option}" for option in options), "download-file"]
    aria2c = ["aria2c", "--async-dns=false", "--dir=WORK", "--out=page"]
    git = f"http://HOST:{PORT_GIT}/px.git"
    elinks = ["elinks", "-no-home", "-source", "1"]
    return [
        Client("curl", ["curl", "-sS", PAGE], (SPELLED, ALIAS)),
        Client("wget", ["wget", "-qO-", "--tries=1", PAGE], (BRACES, POLICY)),
        Client("busybox wget", [busybox, "wget", "-qO-", PAGE], (ANGLE, POLICY)),
        Client("aria2c", [*aria2c, PAGE], (BRACES, SPELLED), "download completed"),
        Client("lftp", ["lftp", "-c", f"cat {PAGE}"], (SPELLED, POLICY), forks=True),
        Client("links", ["links", "-source", PAGE], (SPELLED, POLICY), forks=True),
        Client("elinks", [*elinks, PAGE], (SPELLED, POLICY), forks=True),
        Client("lynx", ["lynx", "-source", PAGE], (ANGLE, ANGLE), forks=True),
        Client("w3m", ["w3m", "-dump_source", PAGE], (ANGLE, SPELLED)),
        Client("tnftp", ["tnftp", "-o", "-", PAGE], (ANGLE, SPELLED)),
        Client("apt", [*apt, PAGE, "WORK/page"], (ANGLE, ANGLE), "Fetched"),
        Client("ab", ["ab", "-n", "1", PAGE], (ANGLE, ANGLE), "Complete requests:      1\n"),
        Client("git", ["git", "ls-remote", git], (ALIAS, ALIAS), COMMIT),
    ]


def languages(java):
    """`java`: the words that run Fetch.java."""
    return [
        Client("python urllib", [*PYTHON, "url", "HOST"], (ANGLE, ANGLE)),
        Client("python socket", [*PYTHON, "socket", "HOST"], (ANGLE, ANGLE)),
        Client("python asyncio", [*PYTHON, "asyncio", "HOST"], (ANGLE, ANGLE)),
        Client("python asyncio, happy eyeballs", [*PYTHON, "happy", "HOST"], (BRACES, ALIAS)),
        Client("node http", [*NODE, "http", PAGE], (BRACES, POLICY)),
        Client("node net", [*NODE, "tcp", "HOST", "8080"], (ANGLE, ANGLE)),
        Client("java URL", [*java, "url", PAGE], (SPELLED, SPELLED)),
        Client("java HttpClient", [*java, PAGE], (SPELLED, ALIAS)),
        Client("java Socket", [*java, "HOST", "8080"], (ANGLE, ANGLE)),
        Client("perl IO::Socket::IP", [*PERL, "IO::Socket::IP", "HOST"], (ANGLE, ANGLE)),
        Client("perl IO::Socket::INET", [*PERL, "IO::Socket::INET", "HOST"], (BRACES, BRACES),
               ipv4_alone=True),
        Client("perl HTTP::Tiny", [*PERL, "http", "HOST"], (ANGLE, POLICY)),
        Client("ruby Net::HTTP", [*RUBY, "http", "HOST"], (POLICY, ALIAS)),
        Client("ruby TCPSocket", [*RUBY, "tcp", "HOST"], (ANGLE, ANGLE)),
        Client("php file_get_contents", [*PHP, "http", "HOST"], (POLICY, SPELLED)),
        Client("php stream_socket_client", [*PHP, "tcp", "HOST"], (ALIAS, ALIAS)),
    ]


def plain():
    """Some send their standard input, others speak a protocol of their own."""
    ssh = [word for option in SSH_OPTIONS for word in ("-o", option)]
    nobody = "Permission denied (publickey"
    openvpn = ["--dev", "null", "--ifconfig-noexec", "--secret", "WORK/key", "--remote", "HOST"]
    openvpn += ["8080", "tcp-client", "--remap-usr1", "SIGTERM", "--nobind", "--connect-timeout", 300]
    openvpn += ["--ping-exit", "1", "--cipher", "AES-256-CBC"]
    return [
        Client("nc.openbsd", ["nc.openbsd", "HOST", "8080"], (ANGLE, ANGLE), input=REQUEST),
        Client("nc.traditional", ["nc.traditional", "HOST", "8080"], (ANGLE, BRACES), input=REQUEST,
               ipv4_alone=True),
        Client("ncat", ["ncat", "HOST", "8080"], (BRACES, ANGLE), input=REQUEST),
        Client("socat", ["socat", "-t", "10", "-", "TCP:HOST:8080"], (SPELLED, POLICY),
               input=REQUEST, ipv4_alone=True),
        # It makes CR LF of each line's end by itself.
        Client("telnet", ["telnet", "HOST", "8080"], (ANGLE, ANGLE), keeps_input=True,
               input=REQUEST.replace("\r", "")),
        Client("ssh", ["ssh", "-F", "/dev/null", *ssh, "-p", PORT_SSH, "px@HOST"], (ALIAS, ALIAS),
               nobody, status=255),
        Client("rsync", ["rsync", "rsync://HOST/"], (ANGLE, SPELLED), "files"),
        Client("openssl s_client", ["openssl", "s_client", "-connect", f"HOST:{PORT_TLS}"],
               (ANGLE, ALIAS), "CN = px.test"),
        Client("plink", ["plink", "-batch", "-raw", "-P", "8080", "HOST"], (SPELLED, POLICY),
               input=REQUEST),
        Client("openvpn", [unpacked("openvpn", "usr/sbin/openvpn"), *openvpn], (ANGLE, ANGLE),
               "TCP connection established with [AF_INET", files={"key": STATIC_KEY}),
        Client("iperf3", ["iperf3", "-c", "HOST", "-n", "100K"], (ANGLE, ANGLE), "receiver"),
    ]


def databases():
    psql = [f"host=HOST port={POSTGRESQL} user=px dbname=px", "-c", "select 1"]
    mariadb = ["--no-defaults", "-h", "HOST", "-P", MYSQL, "-u", "px", "-e", "select 1"]
    mosquitto = ["-d", "-h", "HOST", "-p", MQTT, "-t", "topic", "-m", "message"]
    return [
        Client("psql", ["psql", *psql], (SPELLED, POLICY), status=2),
        Client("redis-cli", ["redis-cli", "-h", "HOST", "ping"], (ANGLE, ANGLE), "PONG",
               ipv4_alone=True),
        Client("mariadb", ["mariadb", *mariadb], (POLICY, SPELLED), status=1),
        Client("ldapsearch", ["ldapsearch", "-x", "-H", f"ldap://HOST:{LDAP}/"], (SPELLED, ALIAS),
               status=53),
        Client("mosquitto_pub", ["mosquitto_pub", *mosquitto], (ANGLE, ANGLE),
               "received CONNACK (0)"),
    ]


def proxies():
    """They connect to their upstream when they are asked for a page."""
    haproxy = [*PROXY, "LOCAL", unpacked("haproxy", "usr/sbin/haproxy"), "-f", "WORK/haproxy.cfg"]
    nginx = [*PROXY, "LOCAL", unpacked("nginx", "usr/sbin/nginx"), "-e", "stderr"]
    return [
        Client("haproxy", haproxy, (POLICY, ALIAS), files={"haproxy.cfg": HAPROXY}),
        Client("nginx", [*nginx, "-c", "WORK/nginx.conf"], (ANGLE, ALIAS),
               files={"nginx.conf": NGINX}),
    ]


def clients(java):
    return [*pages(), *languages(java), *plain(), *databases(), *proxies()]
