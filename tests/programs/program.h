/* SPDX-License-Identifier: MIT
 * What the programs of one behaviour each share: arguments, and one line per call. Their output is
 * the same from run to run, so that runs can be compared. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct destination {
  struct sockaddr_storage storage;
  socklen_t length;
};

static inline const struct sockaddr* as_sockaddr(const struct destination* destination) {
  return (const struct sockaddr*)&destination->storage;
}

/* ADDR PORT at argv[first]; ends the program when it is neither family's. */
static inline struct destination parse_destination(int argc, char** argv, int first) {
  struct destination made = {0};
  struct sockaddr_in* in = (struct sockaddr_in*)&made.storage;
  struct sockaddr_in6* in6 = (struct sockaddr_in6*)&made.storage;
  if (argc > first + 1 && inet_pton(AF_INET, argv[first], &in->sin_addr) == 1) {
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)atoi(argv[first + 1]));
    made.length = sizeof *in;
  } else if (argc > first + 1 && inet_pton(AF_INET6, argv[first], &in6->sin6_addr) == 1) {
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons((uint16_t)atoi(argv[first + 1]));
    made.length = sizeof *in6;
  } else {
    fprintf(stderr, "%s: ADDR PORT expected\n", program_invocation_short_name);
    exit(2);
  }
  return made;
}

static inline int make_socket(const struct destination* destination, int type) {
  const int fd = socket(destination->storage.ss_family, type, 0);
  if (fd < 0) {
    perror("socket");
    exit(2);
  }
  return fd;
}

/* "WHAT: ok" or "WHAT: EACCES". */
static inline void print_result(const char* what, long result) {
  printf("%s: %s\n", what, result >= 0 ? "ok" : strerrorname_np(errno));
  fflush(stdout);
}

/* The socket's address without the port, which is another one at each run; "?" for none. */
static inline void local_address(int fd, char* text, socklen_t size) {
  struct sockaddr_storage local = {0};
  socklen_t length = sizeof local;
  getsockname(fd, (struct sockaddr*)&local, &length);
  snprintf(text, size, "?");
  if (local.ss_family == AF_INET) {
    inet_ntop(AF_INET, &((struct sockaddr_in*)&local)->sin_addr, text, size);
  } else if (local.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &((struct sockaddr_in6*)&local)->sin6_addr, text, size);
  }
}

/* "WHAT: LOCAL ADDRESS". */
static inline void print_local_address(const char* what, int fd) {
  char text[INET6_ADDRSTRLEN];
  local_address(fd, text, sizeof text);
  printf("%s: %s\n", what, text);
  fflush(stdout);
}

/* Connects and prints the local address, or why not. Returns connect's result. */
static inline int connect_and_print(const char* what, int fd,
                                    const struct destination* destination) {
  const int result = connect(fd, as_sockaddr(destination), destination->length);
  if (result == 0) {
    print_local_address(what, fd);
  } else {
    print_result(what, result);
  }
  return result;
}
