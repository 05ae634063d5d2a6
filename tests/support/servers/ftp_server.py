# SPDX-License-Identifier: MIT
"""ftp_server.py ADDRESS PORT TEXT: serves one file to FTP clients in active mode (RFC 959, RFC 2428).

It calls the client back from the address that the client has called, and says TEXT.
"""

import socket
import sys
import threading

own, port, text = sys.argv[1], int(sys.argv[2]), sys.argv[3]
family = socket.AF_INET6 if ":" in own else socket.AF_INET
FIXED = {
    "USER": "331 any password will do",
    "PASS": "230 logged in",
    "SYST": "215 UNIX Type: L8",
    "PWD": '257 "/"',
    "CWD": "250 there",
    "TYPE": "200 of any type",
    "EPSV": "502 active mode alone",
    "PASV": "502 active mode alone",
    "QUIT": "221 bye",
}


def data_address(command, argument):
    """Where PORT or EPRT asks to be called."""
    if command == "EPRT":
        _, host, number = argument.strip(argument[0]).split(argument[0])
        return host, int(number)
    numbers = argument.split(",")
    return ".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])


def serve(control):
    called = None
    with control, control.makefile("rw", newline="\r\n") as lines:
        def say(line):
            lines.write(line + "\r\n")
            lines.flush()

        say("220 ready")
        for line in lines:
            command, _, argument = line.strip().partition(" ")
            command = command.upper()
            if command in ("PORT", "EPRT"):
                called = data_address(command, argument)
                say("200 will call")
            elif command == "SIZE":
                say(f"213 {len(text)}")
            elif command in ("RETR", "LIST", "NLST"):
                say("150 calling")
                with socket.create_connection(called, 10, (own, 0)) as data:
                    data.sendall(text.encode())
                say("226 sent")
            else:
                say(FIXED.get(command, "502 unknown"))
            if command == "QUIT":
                return


with socket.create_server((own, port), family=family) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
