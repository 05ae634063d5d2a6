// SPDX-License-Identifier: MIT
// udp_connected ADDR PORT [ADDR PORT]...: one datagram socket connected to each in turn; one
// datagram is sent to each that it could be connected to.
#include "program.h"

int main(int argc, char** argv) {
  struct destination destination = parse_destination(argc, argv, 1);
  const int fd = make_socket(&destination, SOCK_DGRAM);
  for (int i = 1; i + 1 < argc; i += 2) {
    destination = parse_destination(argc, argv, i);
    if (connect_and_print(argv[i], fd, &destination) != 0) continue;
    // A send may report what became of the one before, and then sends nothing.
    if (send(fd, "x", 1, 0) < 0 && send(fd, "x", 1, 0) < 0) perror("send");
  }
  return 0;
}
