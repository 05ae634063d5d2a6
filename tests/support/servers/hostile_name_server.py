# SPDX-License-Identifier: MIT
"""hostile_name_server.py ADDRESS [--no-tcp]: a name server whose answers are broken in the manner that
the first label of the name says (MANNERS), and are good for all other names, but that there are none
below NOWHERE, and that it answers each question about an alias (ONCE) but once. It prints each question
as TYPE NAME."""

import contextlib
import hashlib
import socket
import struct
import sys
import threading

POISON = "192.0.2.66"  # where a hostile server would like programs to go
VICTIM = "good.victim.test"  # whose address it would like to be that
NOWHERE = "nowhere.test"
ONCE = "alias-once"
MANY = 4000
PORT = 53
A, CNAME, OPT = 1, 5, 41
NAME_AT = 12  # where the question's name is
REPLY, TRUNCATED = 0x8180, 0x0200
FORMAT_ERROR, SERVER_FAILURE, NO_SUCH_NAME, NOT_IMPLEMENTED, REFUSED = 1, 2, 3, 4, 5
TTL = 600


def address_of(name):
    """The one right address of a name."""
    digest = hashlib.sha256(name.lower().rstrip(".").encode()).digest()
    return f"10.77.{digest[0]}.{digest[1]}"


def addresses_of(name):
    """All that are right, in the order of the answer: a gigantic one has nearly as many as there is
    room for."""
    gigantic = name.lower().startswith("gigantic.")
    others = [f"10.78.{i // 250}.{i % 250}" for i in range(1, MANY)] if gigantic else []
    return [address_of(name), *others]


def wire(name):
    labels = name.rstrip(".").split(".")
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def pointer(at):
    return struct.pack(">H", 0xC000 | at)


def record(owner, kind, data, length=None):
    said = len(data) if length is None else length
    return owner + struct.pack(">HHIH", kind, 1, TTL, said) + data


def address_record(owner, address):
    return record(owner, A, socket.inet_aton(address))


def poison(owner=wire(VICTIM)):
    return address_record(owner, POISON)


class Query:
    def __init__(self, packet):
        self.packet = packet
        self.id = struct.unpack(">H", packet[:2])[0]
        self.extended = struct.unpack(">H", packet[10:12])[0] != 0
        labels, at = [], NAME_AT
        while packet[at]:
            labels.append(packet[at + 1 : at + 1 + packet[at]].decode())
            at += 1 + packet[at]
        self.name = ".".join(labels)
        self.type = struct.unpack(">H", packet[at + 1 : at + 3])[0]
        self.question = packet[NAME_AT : at + 5]
        self.end = NAME_AT + len(self.question)  # where the first record is

    def own(self, owner=pointer(NAME_AT)):
        return address_record(owner, address_of(self.name))

    def reply(self, records=(), code=0, question=None, **changes):
        """`changes`: counts and numbers of the header that are not as they would have to be."""
        counts = {"questions": 1, "answers": len(records), "authority": 0, "additional": 0}
        flags = changes.pop("flags", REPLY) | code
        number = changes.pop("id", self.id)
        counts.update(changes)
        header = struct.pack(">6H", number, flags, *counts.values())
        return header + (self.question if question is None else question) + b"".join(records)

    def good(self):
        addresses = addresses_of(self.name) if self.type == A else []
        return self.reply([address_record(pointer(NAME_AT), a) for a in addresses])

    def other_question(self):
        return self.reply([poison()], question=wire(VICTIM) + self.question[-4:])


def with_alias(q, *targets):
    """A chain of aliases from the name, through these, which leads nowhere."""
    chain = [wire(q.name), *map(wire, targets)]
    return [q.reply([record(a, CNAME, b) for a, b in zip(chain, chain[1:])])]


# The datagrams that one gets.
MANNERS = {
    "empty": lambda q: [b""],
    "cut-header": lambda q: [q.good()[:7]],
    "cut-question": lambda q: [q.good()[: q.end - 3]],
    "cut-record": lambda q: [q.reply([q.own()])[:-3]],
    "points-at-itself": lambda q: [q.reply([q.own(pointer(q.end))])],
    "points-ahead": lambda q: [q.reply([q.own(pointer(q.end + 2)), q.own()])],
    "points-beyond": lambda q: [q.reply([q.own(pointer(0x3FFF))])],
    "alias-points-at-itself": lambda q: [
        q.reply([record(pointer(NAME_AT), CNAME, pointer(q.end + 12)), q.own()])
    ],
    "wrong-id": lambda q: [q.reply([poison(pointer(NAME_AT))], id=q.id ^ 1)],
    "wrong-ids-first": lambda q: [
        *(q.reply([poison(pointer(NAME_AT))], id=q.id ^ n) for n in range(1, 40)),
        q.other_question(),
        q.good(),
    ],
    "other-owner": lambda q: [q.reply([poison()])],
    "own-and-other": lambda q: [
        q.reply(
            [q.own(), poison(), poison(), poison()], answers=2, authority=1, additional=1
        )
    ],
    "other-question": lambda q: [q.other_question()],
    "no-question": lambda q: [q.reply([poison()], question=b"", questions=0)],
    "two-questions": lambda q: [
        q.reply([poison()], question=q.question + wire(VICTIM) + q.question[-4:], questions=2)
    ],
    "no-reply": lambda q: [q.packet],
    "more-answers": lambda q: [q.reply([q.own()], answers=65535)],
    "more-questions": lambda q: [q.reply([q.own()], questions=65535)],
    "long-data": lambda q: [q.reply([record(pointer(NAME_AT), A, b"\1\2\3\4", 65535)])],
    "short-address": lambda q: [q.reply([record(pointer(NAME_AT), A, b"\1\2\3")])],
    "alias-loop": lambda q: with_alias(q, "round.test", q.name),
    "alias-of-itself": lambda q: with_alias(q, q.name),
    "alias-of-nothing": lambda q: with_alias(q, "nowhere.victim.test"),
    "format-error": lambda q: [q.reply(code=FORMAT_ERROR)],
    "no-opt": lambda q: [q.reply(code=FORMAT_ERROR) if q.extended else q.good()],
    "server-failure": lambda q: [q.reply([poison()], code=SERVER_FAILURE)],
    "refused": lambda q: [q.reply(code=REFUSED)],
    "not-implemented": lambda q: [q.reply(code=NOT_IMPLEMENTED)],
    "no-such-name": lambda q: [q.reply([poison()], code=NO_SUCH_NAME)],
    "silent": lambda q: [],
}
FOR_EVER = "for ever"
# After a truncated datagram: the bytes of the stream, and whether it is then closed, or they come
# FOR_EVER.
STREAM_MANNERS = {
    "gigantic": lambda q: (framed(q.good()), False),
    "tcp-closed": lambda q: (b"", True),
    "tcp-half": lambda q: (framed(q.good())[:30], True),
    "tcp-silent": lambda q: (b"", False),
    "tcp-stops": lambda q: (framed(q.good())[:30], False),
    "tcp-empty": lambda q: (framed(b""), True),
    "tcp-long": lambda q: (b"\xff\xff" + q.good(), True),
    "tcp-truncated": lambda q: (framed(q.reply([q.own()], flags=REPLY | TRUNCATED)), True),
    "tcp-wrong-id": lambda q: (framed(q.reply([poison(pointer(NAME_AT))], id=q.id ^ 1)), True),
    "tcp-other-question": lambda q: (framed(q.other_question()), True),
    "tcp-garbage": lambda q: (b"HTTP/1.1 400 Bad Request\r\n\r\n" * 500, True),
    "tcp-endless": lambda q: (framed(q.reply([poison()], id=q.id ^ 1)) * 20, FOR_EVER),
    "tcp-other-first": lambda q: (framed(q.other_question()) + framed(q.good()), False),
}


def framed(packet):
    return struct.pack(">H", len(packet)) + packet


def manner(query):
    if query.name.endswith(f".{NOWHERE}"):
        return "no-such-name"
    return query.name.split(".")[0].lower()


def alias_once(query, answered):
    if query.question in answered:
        return []
    answered.add(query.question)
    target = wire("target.test")
    alias = record(pointer(NAME_AT), CNAME, target)
    return [query.reply([alias, *([query.own(target)] if query.type == A else [])])]


def answer_datagrams(sock):
    answered = set()
    while True:
        packet, client = sock.recvfrom(4096)
        query = Query(packet)
        print("A" if query.type == A else query.type, query.name, flush=True)
        if manner(query) in STREAM_MANNERS:
            replies = [query.reply(flags=REPLY | TRUNCATED)]
        elif manner(query) == ONCE:
            replies = alias_once(query, answered)
        else:
            replies = MANNERS.get(manner(query), lambda q: [q.good()])(query)
        for reply in replies:
            sock.sendto(reply, client)


def answer_stream(connection):
    gone = contextlib.suppress(ConnectionError)  # the client
    with gone, connection, connection.makefile("rb") as file:
        while length := file.read(2):
            query = Query(file.read(*struct.unpack(">H", length)))
            stream, ends = STREAM_MANNERS.get(manner(query), STREAM_MANNERS["gigantic"])(query)
            connection.sendall(stream)
            while ends == FOR_EVER:
                connection.sendall(stream)  # until the client closes
            if ends:
                return


def answer_streams(listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer_stream, args=(connection,), daemon=True).start()


def main():
    address = sys.argv[1]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if "--no-tcp" not in sys.argv:
        listener = socket.create_server((address, PORT), family=family, backlog=256)
        threading.Thread(target=answer_streams, args=(listener,), daemon=True).start()
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((address, PORT))
    answer_datagrams(sock)


if __name__ == "__main__":
    main()
