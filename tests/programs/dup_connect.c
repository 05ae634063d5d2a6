// SPDX-License-Identifier: MIT
// dup_connect HOW ADDR PORT: connects through a copy of the socket. HOW: dup, dup2, dup3, fcntl, or
// bind ADDRESS (binds through the copy, connects the original).
#include <fcntl.h>

#include "program.h"

static int copy_of(int fd, const char* how) {
  const int free_number = 100;
  if (strcmp(how, "dup2") == 0) return dup2(fd, free_number);
  if (strcmp(how, "dup3") == 0) return dup3(fd, free_number, O_CLOEXEC);
  if (strcmp(how, "fcntl") == 0) return fcntl(fd, F_DUPFD_CLOEXEC, free_number);
  return dup(fd);
}

int main(int argc, char** argv) {
  const int binds = argc > 1 && strcmp(argv[1], "bind") == 0;
  const struct destination destination = parse_destination(argc, argv, binds ? 3 : 2);
  const int fd = make_socket(&destination, SOCK_STREAM);
  const int copy = copy_of(fd, argv[1]);
  if (binds) {
    char* arguments[] = {argv[0], argv[2], (char*)"0", NULL};
    const struct destination source = parse_destination(3, arguments, 1);
    print_result("bind", bind(copy, as_sockaddr(&source), source.length));
  }
  connect_and_print("connect", binds ? fd : copy, &destination);
  print_local_address("original", fd);
  return 0;
}
