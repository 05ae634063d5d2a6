// SPDX-License-Identifier: MIT
// datagram_server HOW FAMILY PORT COUNT [ask|no-room|little-room]: answers COUNT datagrams that
// come to any address, and prints for each the control data that came with it. HOW: recvfrom,
// recvmsg, recvmmsg; FAMILY: 4, 6 (that alone) or both. With `ask` the program itself wants to be
// told the address that was called; with `no-room` or `little-room` it has none, or too little, for
// control data.
#include "program.h"

enum { kBatch = 3, kRoom = 128 };

static int control_room = kRoom;

static int make_server(const char* family, int port, int ask) {
  const int on = 1;
  const int only = strcmp(family, "6") == 0;
  const int ipv4 = strcmp(family, "4") == 0;
  struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
  struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  const int fd = socket(ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
  if (!ipv4) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  print_result("bind", ipv4 ? bind(fd, (struct sockaddr*)&any4, sizeof any4)
                            : bind(fd, (struct sockaddr*)&any6, sizeof any6));
  if (ask && ipv4) setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  if (ask && !ipv4) setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  // Something that the program wants to be told.
  if (ipv4) setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
  if (!ipv4) setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
  return fd;
}

static void print_control(struct msghdr* message) {
  printf("flags %#x length %zu:", (unsigned)message->msg_flags, message->msg_controllen);
  struct cmsghdr* header = message->msg_control == NULL ? NULL : CMSG_FIRSTHDR(message);
  for (; header != NULL; header = CMSG_NXTHDR(message, header)) {
    printf(" %d/%d/%zu", header->cmsg_level, header->cmsg_type, header->cmsg_len);
  }
  printf("\n");
  fflush(stdout);
}

struct received {
  struct sockaddr_storage peer;
  char data[64];
  char control[kRoom] __attribute__((aligned(8)));
  struct iovec buffer;
};

static void prepare(struct received* received, struct msghdr* message) {
  received->buffer.iov_base = received->data;
  received->buffer.iov_len = sizeof received->data;
  memset(message, 0, sizeof *message);
  message->msg_name = &received->peer;
  message->msg_namelen = sizeof received->peer;
  message->msg_iov = &received->buffer;
  message->msg_iovlen = 1;
  message->msg_control = control_room > 0 ? received->control : NULL;
  message->msg_controllen = (size_t)control_room;
}

static void answer(int fd, struct msghdr* message, size_t size) {
  message->msg_control = NULL;
  message->msg_controllen = 0;
  message->msg_iov->iov_len = size;
  if (sendmsg(fd, message, 0) < 0) print_result("answer", -1);
}

static int serve_once(int fd, const char* how) {
  static struct received received[kBatch];
  struct mmsghdr messages[kBatch];
  for (int i = 0; i < kBatch; ++i) prepare(&received[i], &messages[i].msg_hdr);
  if (strcmp(how, "recvmmsg") == 0) {
    const int got = recvmmsg(fd, messages, kBatch, MSG_WAITFORONE, NULL);
    for (int i = 0; i < got; ++i) {
      print_control(&messages[i].msg_hdr);
      answer(fd, &messages[i].msg_hdr, messages[i].msg_len);
    }
    return got;
  }
  struct msghdr* message = &messages[0].msg_hdr;
  if (strcmp(how, "recvmsg") == 0) {
    const ssize_t size = recvmsg(fd, message, 0);
    if (size < 0) return -1;
    print_control(message);
    answer(fd, message, (size_t)size);
    return 1;
  }
  struct received* one = &received[0];
  const ssize_t size = recvfrom(fd, one->data, sizeof one->data, 0, (struct sockaddr*)&one->peer,
                                &message->msg_namelen);
  if (size < 0) return -1;
  printf("peer of %u\n", message->msg_namelen);
  fflush(stdout);
  if (sendto(fd, one->data, (size_t)size, 0, (struct sockaddr*)&one->peer, message->msg_namelen) <
      0) {
    print_result("answer", -1);
  }
  return 1;
}

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const char* last = argc > 5 ? argv[5] : "";
  if (strcmp(last, "no-room") == 0) control_room = 0;
  if (strcmp(last, "little-room") == 0) control_room = 18;
  const int fd = make_server(argv[2], atoi(argv[3]), strcmp(last, "ask") == 0);
  print_result("ready", 0);
  for (int left = atoi(argv[4]); left > 0;) {
    const int got = serve_once(fd, argv[1]);
    if (got < 0) {
      print_result("receive", got);
      return 1;
    }
    left -= got;
  }
  return 0;
}
