// SPDX-License-Identifier: MIT
// connect_cost tcp|udp ADDRESS PORT COUNT [OTHER]: socket, connect, close, COUNT times; prints the
// median of one round's nanoseconds. With OTHER, to the bundle of both addresses.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libbundle/bundle.h"
#include "tests/bench/rounds.h"

static struct sockaddr_bundle bundle_of(const struct sockaddr_in* first, const char* other) {
  struct sockaddr_bundle bundle = {.sb_family = AF_BUNDLE, .sb_port = first->sin_port};
  struct sockaddr_in members[] = {*first, *first};
  if (inet_pton(AF_INET, other, &members[1].sin_addr) != 1) exit(2);
  memcpy(bundle.sb_addresses, members, sizeof members);
  bundle.sb_count = 2;
  bundle.sb_len = BUNDLE_HEADER_SIZE + sizeof members;
  return bundle;
}

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6) return 2;
  const int type = strcmp(argv[1], "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM;
  struct sockaddr_in address = {.sin_family = AF_INET};
  if (inet_pton(AF_INET, argv[2], &address.sin_addr) != 1) return 2;
  address.sin_port = htons((unsigned short)atoi(argv[3]));
  const int count = atoi(argv[4]);
  const struct sockaddr* to = (struct sockaddr*)&address;
  socklen_t length = sizeof address;
  struct sockaddr_bundle bundle;
  if (argc == 6) {
    bundle = bundle_of(&address, argv[5]);
    to = (struct sockaddr*)&bundle;
    length = bundle.sb_len;
  }
  long long* rounds = calloc((size_t)count, sizeof *rounds);
  for (int i = 0; i < count; ++i) {
    const long long start = now();
    const int fd = socket(AF_INET, type, 0);
    if (connect(fd, to, length) != 0) {
      perror("connect");
      return 1;
    }
    close(fd);
    rounds[i] = now() - start;
  }
  printf("%lld\n", median(rounds, count));
  free(rounds);
  return 0;
}
