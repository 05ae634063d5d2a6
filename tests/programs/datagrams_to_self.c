// SPDX-License-Identifier: MIT
// datagrams_to_self ADDR PORT: a socket bound to PORT alone sends to itself at ADDR, receives by
// each call there is, and answers.
#include "program.h"

int main(int argc, char** argv) {
  const struct destination self = parse_destination(argc, argv, 1);
  struct destination any = self;
  if (any.storage.ss_family == AF_INET) {
    ((struct sockaddr_in*)&any.storage)->sin_addr.s_addr = INADDR_ANY;
  } else {
    ((struct sockaddr_in6*)&any.storage)->sin6_addr = in6addr_any;
  }
  const int fd = make_socket(&self, SOCK_DGRAM);
  print_result("bind", bind(fd, as_sockaddr(&any), any.length));
  char data[8] = "x";
  struct sockaddr_storage peer;
  struct iovec buffer = {data, sizeof data};
  char control[64] __attribute__((aligned(8)));
  struct mmsghdr message = {.msg_hdr = {.msg_iov = &buffer, .msg_iovlen = 1}};
  for (int i = 0; i < 3; ++i) {
    print_result("sendto", sendto(fd, "x", 1, 0, as_sockaddr(&self), self.length));
    message.msg_hdr.msg_name = &peer;
    message.msg_hdr.msg_namelen = sizeof peer;
    message.msg_hdr.msg_control = control;
    message.msg_hdr.msg_controllen = sizeof control;
    socklen_t length = sizeof peer;
    if (i == 0) {
      print_result("recvfrom",
                   recvfrom(fd, data, sizeof data, 0, (struct sockaddr*)&peer, &length));
    } else if (i == 1) {
      print_result("recvmsg", recvmsg(fd, &message.msg_hdr, 0));
    } else {
      print_result("recvmmsg", recvmmsg(fd, &message, 1, 0, NULL));
    }
    message.msg_hdr.msg_namelen = self.length;
    message.msg_hdr.msg_control = NULL;
    message.msg_hdr.msg_controllen = 0;
    print_result("sendmsg", sendmsg(fd, &message.msg_hdr, 0));
    print_result("sendmmsg", sendmmsg(fd, &message, 1, 0));
    print_result("recv", recv(fd, data, sizeof data, 0));
    print_result("read", read(fd, data, sizeof data));
  }
  return 0;
}
