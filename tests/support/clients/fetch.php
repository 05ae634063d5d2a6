<?php
// SPDX-License-Identifier: MIT
// Says what a server answers on port 8080: fetch.php HOW HOST, with HOW http or tcp.
function by_tcp($host) {
  $socket = stream_socket_client("tcp://$host:8080", $error, $text, 300);
  fwrite($socket, "GET / HTTP/1.0\r\n\r\n");
  return stream_get_contents($socket);
}

[, $how, $host] = $argv;
print $how == 'http' ? file_get_contents("http://$host:8080/") : by_tcp($host);
