# SPDX-License-Identifier: MIT
"""DNS over TLS: stunnel before an uplink's dnsmasq, with a certificate of an authority that is made for
the test."""

import contextlib
import subprocess

from support.processes import run
from support.programs import unpacked

NAME = "dns.test"


def make_certificates(directory):
    """The authority's certificate, and the server's with its key."""
    authority, key = directory / "authority.pem", directory / "authority.key"
    request, server = directory / "server.csr", directory / "server.pem"
    server_key, names = directory / "server.key", directory / "names"
    names.write_text(f"subjectAltName=DNS:{NAME}\n", encoding="utf-8")
    new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes"]
    run([*new, "-x509", "-days", "2", "-subj", "/CN=lab", "-keyout", key, "-out", authority])
    run([*new, "-subj", f"/CN={NAME}", "-keyout", server_key, "-out", request])
    sign = ["openssl", "x509", "-req", "-days", "2", "-CAcreateserial", "-extfile", names]
    run([*sign, "-in", request, "-CA", authority, "-CAkey", key, "-out", server])
    with server.open("a", encoding="utf-8") as file:
        file.write(server_key.read_text(encoding="utf-8"))
    return authority, server


class TlsNameServer:
    def __init__(self, lab, uplink):
        self.directory = lab.directory / "tls"
        self.directory.mkdir()
        self.authority, server = make_certificates(self.directory)
        self.log = self.directory / "log"
        config = self.directory / "stunnel.conf"
        config.write_text(
            f"foreground = yes\npid =\ndebug = info\noutput = {self.log}\n"
            f"[dns]\naccept = {uplink.gateway}:853\nconnect = {uplink.gateway}:53\n"
            f"cert = {server}\n",
            encoding="utf-8",
        )
        router = lab.routers[uplink.name]
        self.process = router.popen(
            [unpacked("stunnel4", "usr/bin/stunnel4"), config],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        router.listens(853)

    def connections(self):
        return self.log.read_text(encoding="utf-8").count("accepted connection from")


@contextlib.contextmanager
def tls_name_server(lab, uplink):
    server = TlsNameServer(lab, uplink)
    yield server
    server.process.terminate()
    server.process.wait(timeout=10)
