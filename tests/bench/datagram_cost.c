// SPDX-License-Identifier: MIT
// datagram_cost HOW ADDRESS PORT COUNT [INTERFACE SOURCE]: COUNT datagrams of one socket; prints
// the median nanoseconds of one. HOW: named (sendto with the address), own (sendmsg with the
// address and with control data that names INTERFACE and SOURCE), connected (sendto without an
// address).
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/bench/rounds.h"

static char data[100];

static ssize_t send_own(int fd, struct sockaddr_in* address, const struct in_pktinfo* info) {
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof *info)];
  } control = {0};
  struct iovec buffer = {data, sizeof data};
  struct msghdr message = {
      .msg_name = address, .msg_namelen = sizeof *address, .msg_iov = &buffer, .msg_iovlen = 1};
  message.msg_control = control.room;
  message.msg_controllen = sizeof control.room;
  control.header.cmsg_level = IPPROTO_IP;
  control.header.cmsg_type = IP_PKTINFO;
  control.header.cmsg_len = CMSG_LEN(sizeof *info);
  memcpy(CMSG_DATA(&control.header), info, sizeof *info);
  return sendmsg(fd, &message, 0);
}

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const char how = argv[1][0];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))};
  if (inet_pton(AF_INET, argv[2], &address.sin_addr) != 1) return 2;
  const int count = atoi(argv[4]);
  struct in_pktinfo info = {0};
  if (how == 'o' && argc > 6) {
    info.ipi_ifindex = (int)if_nametoindex(argv[5]);
    inet_pton(AF_INET, argv[6], &info.ipi_spec_dst);
  }
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (how == 'c' && connect(fd, (struct sockaddr*)&address, sizeof address) != 0) return 1;
  long long* rounds = calloc((size_t)count, sizeof *rounds);
  for (int i = 0; i < count; ++i) {
    const long long start = now();
    ssize_t sent;
    if (how == 'o') {
      sent = send_own(fd, &address, &info);
    } else if (how == 'c') {
      sent = sendto(fd, data, sizeof data, 0, NULL, 0);
    } else {
      sent = sendto(fd, data, sizeof data, 0, (struct sockaddr*)&address, sizeof address);
    }
    rounds[i] = now() - start;
    if (sent != sizeof data) {
      perror("send");
      return 1;
    }
  }
  printf("%lld\n", median(rounds, count));
  free(rounds);
  return 0;
}
