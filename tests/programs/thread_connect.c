// SPDX-License-Identifier: MIT
// thread_connect THREADS ADDR PORT: all connect at once, as the program's first call; prints the
// local addresses, sorted.
#include <pthread.h>

#include "program.h"

enum { kMost = 256 };

static pthread_barrier_t start;
static struct destination destination;
static char lines[kMost][INET6_ADDRSTRLEN];

static void* run(void* line) {
  const int fd = make_socket(&destination, SOCK_STREAM);
  pthread_barrier_wait(&start);
  if (connect(fd, as_sockaddr(&destination), destination.length) != 0) {
    snprintf(line, INET6_ADDRSTRLEN, "%s", strerrorname_np(errno));
    return NULL;
  }
  struct sockaddr_storage local;
  socklen_t length = sizeof local;
  getsockname(fd, (struct sockaddr*)&local, &length);
  const void* address = local.ss_family == AF_INET
                            ? (const void*)&((struct sockaddr_in*)&local)->sin_addr
                            : (const void*)&((struct sockaddr_in6*)&local)->sin6_addr;
  inet_ntop(local.ss_family, address, line, INET6_ADDRSTRLEN);
  return NULL;
}

static int compare(const void* a, const void* b) {
  return strcmp(a, b);
}

int main(int argc, char** argv) {
  destination = parse_destination(argc, argv, 2);
  const int count = atoi(argv[1]);
  if (count < 1 || count > kMost) return 2;
  pthread_t threads[kMost];
  pthread_barrier_init(&start, NULL, (unsigned)count);
  for (int i = 0; i < count; ++i) pthread_create(&threads[i], NULL, run, lines[i]);
  for (int i = 0; i < count; ++i) pthread_join(threads[i], NULL);
  qsort(lines, (size_t)count, sizeof lines[0], compare);
  for (int i = 0; i < count; ++i) puts(lines[i]);
  return 0;
}
