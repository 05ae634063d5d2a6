// SPDX-License-Identifier: MIT
// edge_cases ADDR PORT: calls that a program should not make, and what each gives.
#include <fcntl.h>
#include <sys/un.h>

#include "program.h"

int main(int argc, char** argv) {
  const struct destination destination = parse_destination(argc, argv, 1);
  const struct sockaddr* address = as_sockaddr(&destination);
  const int fd = make_socket(&destination, SOCK_STREAM);
  const int null = open("/dev/null", O_RDWR);
  const int local = socket(AF_UNIX, SOCK_STREAM, 0);
  const struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
  struct destination other_family = destination;
  other_family.storage.ss_family = AF_APPLETALK;

  print_result("null address", connect(fd, NULL, destination.length));
  print_result("no length", connect(fd, address, 0));
  print_result("short length", connect(fd, address, 7));
  print_result("huge length", connect(fd, address, 4096));
  print_result("other family", connect(fd, as_sockaddr(&other_family), destination.length));
  print_result("no descriptor", connect(-1, address, destination.length));
  print_result("closed descriptor", connect(1000, address, destination.length));
  print_result("beyond the table", connect(1 << 20, address, destination.length));
  print_result("not a socket", connect(null, address, destination.length));
  print_result("unix socket", connect(local, address, destination.length));
  print_result("AF_UNSPEC, unconnected", connect(fd, &unspecified, sizeof unspecified));
  connect_and_print("connect", fd, &destination);
  print_result("connected", connect(fd, address, destination.length));
  print_result("AF_UNSPEC, connected", connect(fd, &unspecified, sizeof unspecified));
  connect_and_print("reconnect", fd, &destination);
  print_result("dup of nothing", dup(1000));
  print_result("dup2 onto itself", dup2(fd, fd));
  print_result("dup3 onto itself", dup3(fd, fd, 0));
  print_result("bad protocol", socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
  print_result("bad option", setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, NULL, 4));
  errno = 0;
  (void)!dup(fd);
  printf("errno after success: %d\n", errno);
  return 0;
}
