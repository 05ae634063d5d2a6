# SPDX-License-Identifier: MIT
# Says what a server answers: tclsh fetch.tcl HOST PORT LOCALPORT; 0 is a port of the kernel's choice.
lassign $argv host port local_port
set server [socket -myport $local_port $host $port]
fconfigure $server -translation binary
puts -nonewline $server "GET / HTTP/1.0\r\n\r\n"
flush $server
puts -nonewline [lindex [split [string map {\r\n\r\n \0} [read $server]] \0] 1]
