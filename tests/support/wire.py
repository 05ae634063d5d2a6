# SPDX-License-Identifier: MIT
"""Packets of docs/protocol.md, well-formed and otherwise; for talking to the broker by hand."""

import array
import socket
import struct

MAGIC = 0x31575850
HELLO, WELCOME, REFUSAL, LAUNCH, LAUNCHED, REQUEST, REPLY, MARK, MARKED, OUTCOME = range(1, 11)
LARGEST = 64 * 1024


def header(kind, length, flags=0, magic=MAGIC):
    return struct.pack("=IHHI", magic, kind, flags, length)


def packet(kind, body, length=None):
    return header(kind, 12 + len(body) if length is None else length) + body


def hello(profile=b"vpn-split", layout=1, flags=0):
    return packet(HELLO, struct.pack("=IIIQ64s", layout, flags, 0, 0, profile))


def mark(value=0):
    return packet(MARK, struct.pack("=I", value))


def outcome(profile, address, port, alive, interface=0, namespace=0):
    """What came of connecting to an IPv4 address."""
    mapped = bytes(10) + b"\xff\xff" + socket.inet_aton(address)
    body = struct.pack("=IQ16sHHI", interface, namespace, mapped, port, alive, 0)
    return packet(OUTCOME, body + struct.pack("64s", profile.encode()))


def request(text=b'{"command":"status"}'):
    return packet(REQUEST, text)


def connect(path, timeout=10):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.settimeout(timeout)
    sock.connect(str(path))
    return sock


def send_with_descriptors(sock, data, descriptors):
    rights = array.array("i", descriptors).tobytes()
    sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])


def refusal(data):
    """Code and reason of a refusal packet; None for any other."""
    if struct.unpack_from("=IHHI", data)[1] != REFUSAL:
        return None
    code, reason = struct.unpack_from("=I244s", data, 12)
    return code, reason.split(b"\0")[0].decode()


def closed(sock):
    """Whether the other end closes without an answer, before the socket's timeout."""
    try:
        return sock.recv(LARGEST) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
