// SPDX-License-Identifier: MIT
// datagram_steps HOW ADDR PORT: a connected datagram socket sends once for each line on stdin, by
// send, sendto, sendmsg or sendmmsg, and prints what became of it.
#include "program.h"

static ssize_t send_by(int fd, const char* how) {
  char data[] = "x";
  struct iovec buffer = {data, 1};
  struct mmsghdr message = {.msg_hdr = {.msg_iov = &buffer, .msg_iovlen = 1}};
  if (strcmp(how, "sendto") == 0) return sendto(fd, data, 1, 0, NULL, 0);
  if (strcmp(how, "sendmsg") == 0) return sendmsg(fd, &message.msg_hdr, 0);
  if (strcmp(how, "sendmmsg") == 0) return sendmmsg(fd, &message, 1, 0);
  return send(fd, data, 1, 0);
}

int main(int argc, char** argv) {
  const struct destination destination = parse_destination(argc, argv, 2);
  const int fd = make_socket(&destination, SOCK_DGRAM);
  char line[16];
  connect_and_print("connect", fd, &destination);
  while (fgets(line, sizeof line, stdin) != NULL) print_result("send", send_by(fd, argv[1]));
  return 0;
}
