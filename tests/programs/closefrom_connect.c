// SPDX-License-Identifier: MIT
// closefrom_connect ADDR PORT: connects, closes every descriptor from 3 up, and connects again.
#include "program.h"

int main(int argc, char** argv) {
  const struct destination destination = parse_destination(argc, argv, 1);
  closefrom(3);
  connect_and_print("before", make_socket(&destination, SOCK_STREAM), &destination);
  closefrom(3);
  const int fd = make_socket(&destination, SOCK_STREAM);
  printf("descriptor: %d\n", fd);
  connect_and_print("after", fd, &destination);
  return 0;
}
