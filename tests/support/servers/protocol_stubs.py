# SPDX-License-Identifier: MIT
"""protocol_stubs.py: servers of protocols whose real servers are too large for a test.

Each reads the client's first message, and answers enough for the client to print which address it
reached. PostgreSQL and LDAP refuse the client after its first message, MySQL by its greeting; MQTT
accepts it. The client closes first.
"""

import asyncio
import struct

POSTGRESQL, MYSQL, LDAP, MQTT = 5432, 3306, 3890, 1883
NO_STARTUP = (80877103, 80877104)  # the client asks for TLS or for GSSAPI


async def postgresql(reader, local):
    while True:
        length, code = struct.unpack("!II", await reader.readexactly(8))
        if code not in NO_STARTUP:
            break
        yield b"N"
    startup = await reader.readexactly(length - 8)
    assert b"user\0" in startup
    fields = b"SFATAL\0C28000\0Mreached " + local + b"\0\0"
    yield b"E" + struct.pack("!I", 4 + len(fields)) + fields
    await reader.read()


async def mysql(reader, local):
    """The server speaks first."""
    error = b"\xff" + struct.pack("<H", 1129) + b"reached " + local
    yield struct.pack("<I", len(error))[:3] + b"\0" + error
    await reader.read()


async def ldap(reader, local):
    """A simple bind, BER: SEQUENCE { INTEGER id, [APPLICATION 0] ... }."""
    head = await reader.readexactly(6)
    assert head[0] == 0x30 and head[2:4] == b"\x02\x01" and head[5] == 0x60
    text = b"reached " + local
    refusal = b"\x0a\x01\x35" + b"\x04\x00" + b"\x04" + bytes([len(text)]) + text
    answer = b"\x02\x01" + head[4:5] + b"\x61" + bytes([len(refusal)]) + refusal
    yield b"\x30" + bytes([len(answer)]) + answer
    await reader.read()


async def mqtt(reader, _):
    head = await reader.readexactly(8)
    assert head[0] == 0x10 and head[4:] == b"MQTT"
    yield b"\x20\x02\0\0"
    await reader.read()


def serving(protocol):
    async def serve(reader, writer):
        local = writer.get_extra_info("sockname")[0].removeprefix("::ffff:")
        try:
            async for answer in protocol(reader, local.encode()):
                writer.write(answer)
                await writer.drain()
        except (OSError, EOFError):
            pass
        writer.close()

    return serve


async def main():
    servers = [
        await asyncio.start_server(serving(protocol), port=port)
        for port, protocol in (
            (POSTGRESQL, postgresql),
            (MYSQL, mysql),
            (LDAP, ldap),
            (MQTT, mqtt),
        )
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main())
