// SPDX-License-Identifier: MIT
// connect_twice ADDR PORT: two sockets, one connect each.
#include "program.h"

int main(int argc, char** argv) {
  const struct destination destination = parse_destination(argc, argv, 1);
  for (int i = 0; i < 2; ++i) {
    const int fd = make_socket(&destination, SOCK_STREAM);
    connect_and_print(i == 0 ? "first" : "second", fd, &destination);
    close(fd);
  }
  return 0;
}
