// SPDX-License-Identifier: MIT
// connect_loop COUNT ADDR PORT [step]: COUNT connects, one line each with the local address; with
// `step` each waits for a line on stdin, and the end of stdin ends the program.
#include "program.h"

int main(int argc, char** argv) {
  const struct destination destination = parse_destination(argc, argv, 2);
  const int count = atoi(argv[1]);
  const int step = argc > 4 && strcmp(argv[4], "step") == 0;
  char line[16];
  for (int i = 0; i < count; ++i) {
    if (step && fgets(line, sizeof line, stdin) == NULL) return 0;
    const int fd = make_socket(&destination, SOCK_STREAM);
    connect_and_print("connect", fd, &destination);
    close(fd);
  }
  return 0;
}
