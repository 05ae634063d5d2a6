# SPDX-License-Identifier: MIT
"""per_client_server.py HOW FAMILY PORT: a UDP server that answers each datagram in its own way.

HOW: same (another socket bound to the port, and connected), connect (the called socket is connected,
and another one takes its place), new (connected, of another port), newto (the same, not connected),
fresh (connected and never bound), child (a forked child answers), named (IP_PKTINFO with the address
that was called), named-interface (and with the interface), bound (a socket for each address).
FAMILY: 4, 6 or both.
"""

import os
import select
import socket
import struct
import sys

how, family, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
FAMILY = socket.AF_INET if family == "4" else socket.AF_INET6
IPV6_RECVPKTINFO, IPV6_PKTINFO, IP_PKTINFO = 49, 50, 8


def bound(address, number):
    made = socket.socket(FAMILY, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if FAMILY == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, family == "6")
    made.bind((address, number))
    return made


def own_addresses():
    """All that calls come to: the global ones of the host."""
    with os.popen("ip -o address show scope global") as lines:
        words = [line.split() for line in lines]
    kinds = {"4": ["inet"], "6": ["inet6"], "both": ["inet"]}[family]
    prefix = "::ffff:" if family == "both" else ""
    return [prefix + word[3].split("/")[0] for word in words if word[2] in kinds]


def named(sock, data, control, peer, with_interface):
    for level, kind, info in control:
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            index, called, _ = struct.unpack("=I4s4s", info[:12])
            info = struct.pack("=I4s4s", index if with_interface else 0, called, bytes(4))
        elif (level, kind) == (socket.IPPROTO_IPV6, IPV6_PKTINFO):
            info = info[:16] + (info[16:20] if with_interface else bytes(4))
        else:
            continue
        sock.sendmsg([data], [(level, kind, info)], 0, peer)
        return


def answer(sock, data, peer):
    """The socket for the next call."""
    if how == "connect":
        sock.connect(peer)
        other = bound("", port)
        sock.send(data)
        sock.close()
        return other
    if how == "child":
        child = os.fork()
        if child == 0:
            sock.sendto(data, peer)
            os._exit(0)
        os.waitpid(child, 0)
        return sock
    if how == "fresh":
        made = socket.socket(FAMILY, socket.SOCK_DGRAM)
    else:
        made = bound("", port if how == "same" else 0)
    with made:
        if how == "newto":
            made.sendto(data, peer)
        else:
            made.connect(peer)
            made.send(data)
    return sock


if how == "bound":
    sockets = [bound(address, port) for address in own_addresses()]
    print("ready", flush=True)
    while True:
        for readable in select.select(sockets, [], [])[0]:
            readable.sendto(*readable.recvfrom(100))
server = bound("", port)
if how.startswith("named"):
    if FAMILY == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
    if family != "6":
        server.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
print("ready", flush=True)
while True:
    if how.startswith("named"):
        data, control, _, peer = server.recvmsg(100, 200)
        named(server, data, control, peer, how == "named-interface")
    else:
        server = answer(server, *server.recvfrom(100))
