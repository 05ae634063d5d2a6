# SPDX-License-Identifier: MIT
"""The members of a bundle are looked up at once, at the servers of the program's profile."""

import pytest

from support.lab.three_uplinks import CORPORATE, PUBLIC, UPLINKS

VPN = UPLINKS[2]
PORT = 5354
POLICY = f"""version: 1
paths:
  vpn: {{ interface: vpn0 }}
profiles:
  vpn:
    dns:
      via: vpn
      servers: ["{VPN.gateway}:{PORT}"]
      options: {{ timeout: 5s, attempts: 1 }}
"""
# It answers nobody before it has been asked for both names, with nothing to be remembered.
SERVER = f"""
import socket, struct, sys
ADDRESSES = {{b'one': '{CORPORATE}', b'two': '{PUBLIC}'}}
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], {PORT}))
held = {{}}
while True:
    question, peer = server.recvfrom(512)
    name, kind = question[13:16], question[22:24]
    held.setdefault(name, []).append((question, peer))
    print(name.decode(), flush=True)
    if len(held) < len(ADDRESSES): continue
    for name, asked in held.items():
        for question, peer in asked:
            found = question[22:24] == b'\\0\\1'
            record = b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\0\\0\\4' + socket.inet_aton(ADDRESSES[name])
            head = question[:2] + struct.pack('!HHHHH', 0x8180, 1, int(found), 0, 0)
            server.sendto(head + question[12:26] + (record if found else b''), peer)
        asked.clear()
"""
LOOK_UP = """
import socket, sys
for name in sys.argv[1:]:
    found = socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)
    print(*sorted(entry[4][0] for entry in found if entry[0] == socket.AF_INET))
"""


@pytest.fixture(name="server")
def _server(lab):
    router = lab.routers["vpn"]
    server = router.popen(["/usr/bin/python3", "-c", SERVER, VPN.gateway], stdout=-1)
    router.listens(PORT, datagrams=True)
    return server


def test_all_are_asked_before_one_has_answered(lab, server):
    with lab.serving(POLICY) as broker:
        names = ["<one.test,two.test>", "one.test.and.two.test.bundle"]
        done = lab.px(broker, ["/usr/bin/python3", "-c", LOOK_UP, *names], "vpn")
        both = f"{CORPORATE} {PUBLIC}"
        assert done.stdout.splitlines() == [both, both]
        done = lab.px(broker, ["getent", "hosts", names[0]], "vpn")
        assert {CORPORATE, PUBLIC} <= set(done.stdout.split())


def test_what_the_hosts_file_knows_is_not_asked_for(lab, server):
    with lab.serving(POLICY) as broker:
        look_up = ["/usr/bin/python3", "-c", LOOK_UP, "<localhost,localhost>", "<one.test,two.test>"]
        found = lab.px(broker, look_up, "vpn").stdout.splitlines()
        assert "127.0.0.1" in found[0]
        assert found[1] == f"{CORPORATE} {PUBLIC}"
    server.terminate()
    assert set(server.communicate(timeout=20)[0].split()) == {"one", "two"}
