# SPDX-License-Identifier: MIT
"""Erlang, which is unpacked: its package would start a daemon."""

from support.programs import unpacked

FETCH = """
[Host, Port, LocalPort] = init:get_plain_arguments(),
{ok, Address} = inet:parse_address(Host),
Family = case tuple_size(Address) of 4 -> inet; 8 -> inet6 end,
{ok, Socket} = gen_tcp:connect(Address, list_to_integer(Port), [
    Family, binary, {active, false}, {packet, line}, {port, list_to_integer(LocalPort)}]),
ok = gen_tcp:send(Socket, "GET / HTTP/1.0\\r\\n\\r\\n"),
Last = fun Next(Line) ->
    case gen_tcp:recv(Socket, 0) of {ok, More} -> Next(More); {error, closed} -> Line end
end,
io:put_chars(Last(<<>>)),
halt().
"""


def fetch_erlang(host, port, local_port):
    """The words that print the last line of what a server answers."""
    root = unpacked("erlang-base", "usr/lib/erlang/bin/erl").resolve().parents[1]
    (programs,) = root.glob("erts-*/bin")
    # What bin/erl sets, for a place that is fixed when it is packed.
    places = [f"ROOTDIR={root}", f"BINDIR={programs}", "EMU=beam", "PROGNAME=erl"]
    erl = [programs / "erlexec", "-noshell", "-noinput", "-eval", FETCH]
    return ["env", *places, *erl, "-extra", host, port, local_port]
