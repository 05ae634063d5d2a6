// SPDX-License-Identifier: MIT
// write_cost CALL: what one write or send of no bytes on a connected TCP socket costs by libc, and
// by what the program finds under that name, both in turns in one process: prints the median
// nanoseconds of each. CALL: write, writev, send, sendto or sendmsg.
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/bench/rounds.h"

enum { kRounds = 2001, kCalls = 500 };

static int by_value(const void* a, const void* b) {
  const double left = *(const double*)a;
  const double right = *(const double*)b;
  return (left > right) - (left < right);
}

static int connected(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(server, (struct sockaddr*)&address, length) != 0 || listen(server, 1) != 0 ||
      getsockname(server, (struct sockaddr*)&address, &length) != 0 ||
      connect(client, (struct sockaddr*)&address, length) != 0) {
    perror("connect");
    exit(1);
  }
  return client;
}

static double ns_per_call(const char* name, void* call, int fd) {
  struct iovec nothing = {.iov_base = "", .iov_len = 0};
  const struct msghdr message = {.msg_iov = &nothing, .msg_iovlen = 1};
#define PX_TIMED(parameters, arguments)                         \
  do {                                                          \
    ssize_t(*function) parameters;                              \
    *(void**)&function = call;                                  \
    for (int i = 0; i < kCalls; ++i) sum += function arguments; \
  } while (0)
  ssize_t sum = 0;
  const long long start = now();
  if (strcmp(name, "write") == 0) {
    PX_TIMED((int, const void*, size_t), (fd, "", 0));
  } else if (strcmp(name, "writev") == 0) {
    PX_TIMED((int, const struct iovec*, int), (fd, &nothing, 1));
  } else if (strcmp(name, "send") == 0) {
    PX_TIMED((int, const void*, size_t, int), (fd, "", 0, 0));
  } else if (strcmp(name, "sendto") == 0) {
    PX_TIMED((int, const void*, size_t, int, const struct sockaddr*, socklen_t),
             (fd, "", 0, 0, NULL, 0));
  } else {
    PX_TIMED((int, const struct msghdr*, int), (fd, &message, 0));
  }
  const double taken = (double)(now() - start) / kCalls;
  if (sum == 0) return taken;
  perror(name);
  exit(1);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  void* libc = dlopen("libc.so.6", RTLD_NOW);
  void* const calls[] = {dlsym(libc, argv[1]), dlsym(RTLD_DEFAULT, argv[1])};
  static double taken[2][kRounds];
  const int fd = connected();
  for (int round = 0; round < kRounds; ++round) {
    for (int which = 0; which < 2; ++which) {
      taken[which][round] = ns_per_call(argv[1], calls[which], fd);
    }
  }
  for (int which = 0; which < 2; ++which) {
    qsort(taken[which], kRounds, sizeof taken[which][0], by_value);
  }
  printf("%.1f %.1f\n", taken[0][kRounds / 2], taken[1][kRounds / 2]);
  return 0;
}
