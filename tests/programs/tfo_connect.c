// SPDX-License-Identifier: MIT
// tfo_connect CALL ADDR PORT: connects by a send with MSG_FASTOPEN. CALL: sendto, sendmsg,
// sendmmsg; or option: a connect that waits for the first send (TCP_FASTOPEN_CONNECT).
#include <netinet/tcp.h>

#include "program.h"

static long send_by(const char* call, int fd, struct destination* destination) {
  char data[] = "x";
  struct iovec buffer = {.iov_base = data, .iov_len = 1};
  struct mmsghdr message = {0};
  message.msg_hdr.msg_name = &destination->storage;
  message.msg_hdr.msg_namelen = destination->length;
  message.msg_hdr.msg_iov = &buffer;
  message.msg_hdr.msg_iovlen = 1;
  if (strcmp(call, "option") == 0) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on);
    const int result = connect(fd, as_sockaddr(destination), destination->length);
    return result < 0 ? result : send(fd, data, 1, 0);
  }
  if (strcmp(call, "sendmsg") == 0) return sendmsg(fd, &message.msg_hdr, MSG_FASTOPEN);
  if (strcmp(call, "sendmmsg") == 0) return sendmmsg(fd, &message, 1, MSG_FASTOPEN);
  return sendto(fd, data, 1, MSG_FASTOPEN, as_sockaddr(destination), destination->length);
}

int main(int argc, char** argv) {
  struct destination destination = parse_destination(argc, argv, 2);
  const int fd = make_socket(&destination, SOCK_STREAM);
  const long result = send_by(argv[1], fd, &destination);
  print_result(argv[1], result);
  if (result >= 0) print_local_address("local", fd);
  return 0;
}
