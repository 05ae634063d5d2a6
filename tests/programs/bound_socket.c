// SPDX-License-Identifier: MIT
// bound_socket HOW WHAT ADDR PORT: binds as the program chooses, then connects. HOW and WHAT:
// source ADDRESS, port PORT (to no address), device INTERFACE, index NUMBER, mark NUMBER.
#include "program.h"

static int bind_address(int fd, int family, const char* text, const char* port) {
  char* arguments[] = {(char*)"bound_socket", (char*)text, (char*)port, NULL};
  if (text == NULL) arguments[1] = (char*)(family == AF_INET ? "0.0.0.0" : "::");
  const struct destination source = parse_destination(3, arguments, 1);
  return bind(fd, as_sockaddr(&source), source.length);
}

static int choose(int fd, int family, const char* how, const char* what) {
  const int number = atoi(what);
  if (strcmp(how, "source") == 0) return bind_address(fd, family, what, "0");
  if (strcmp(how, "port") == 0) return bind_address(fd, family, NULL, what);
  if (strcmp(how, "device") == 0) {
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, what, (socklen_t)strlen(what));
  }
  if (strcmp(how, "index") == 0) {
    return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &number, sizeof number);
  }
  if (strcmp(how, "mark") == 0) {
    return setsockopt(fd, SOL_SOCKET, SO_MARK, &number, sizeof number);
  }
  fprintf(stderr, "bound_socket: source, port, device, index or mark expected\n");
  exit(2);
}

int main(int argc, char** argv) {
  const struct destination destination = parse_destination(argc, argv, 3);
  const int fd = make_socket(&destination, SOCK_STREAM);
  print_result(argv[1], choose(fd, destination.storage.ss_family, argv[1], argv[2]));
  connect_and_print("connect", fd, &destination);
  return 0;
}
