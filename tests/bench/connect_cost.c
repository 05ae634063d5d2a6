// SPDX-License-Identifier: MIT
// connect_cost tcp|udp ADDRESS PORT COUNT: socket, connect, close, COUNT times; prints the median
// of one round's nanoseconds.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int by_value(const void* a, const void* b) {
  const long long left = *(const long long*)a;
  const long long right = *(const long long*)b;
  return (left > right) - (left < right);
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const int type = strcmp(argv[1], "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM;
  struct sockaddr_in address = {.sin_family = AF_INET};
  if (inet_pton(AF_INET, argv[2], &address.sin_addr) != 1) return 2;
  address.sin_port = htons((unsigned short)atoi(argv[3]));
  const int count = atoi(argv[4]);
  long long* rounds = calloc((size_t)count, sizeof *rounds);
  for (int i = 0; i < count; ++i) {
    const long long start = now();
    const int fd = socket(AF_INET, type, 0);
    if (connect(fd, (struct sockaddr*)&address, sizeof address) != 0) {
      perror("connect");
      return 1;
    }
    close(fd);
    rounds[i] = now() - start;
  }
  qsort(rounds, (size_t)count, sizeof *rounds, by_value);
  printf("%lld\n", rounds[count / 2]);
  free(rounds);
  return 0;
}
