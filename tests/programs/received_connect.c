// SPDX-License-Identifier: MIT
// received_connect ADDR PORT: connects a socket that arrived in a message, under the number of one
// that the program had bound itself.
#include "program.h"

static void send_fd(int channel, int fd) {
  char byte = 'x';
  struct iovec buffer = {&byte, 1};
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct msghdr message = {.msg_iov = &buffer, .msg_iovlen = 1};
  message.msg_control = control.room;
  message.msg_controllen = sizeof control.room;
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  sendmsg(channel, &message, 0);
}

static int receive_fd(int channel) {
  char byte;
  struct iovec buffer = {&byte, 1};
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct msghdr message = {.msg_iov = &buffer, .msg_iovlen = 1};
  message.msg_control = control.room;
  message.msg_controllen = sizeof control.room;
  int fd = -1;
  if (recvmsg(channel, &message, 0) == 1) memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
  return fd;
}

int main(int argc, char** argv) {
  const struct destination destination = parse_destination(argc, argv, 1);
  char* loopback[] = {argv[0], (char*)"127.0.0.1", (char*)"0", NULL};
  if (destination.storage.ss_family == AF_INET6) loopback[1] = (char*)"::1";
  const struct destination own = parse_destination(3, loopback, 1);
  int channel[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, channel);
  const int bound = make_socket(&destination, SOCK_STREAM);
  const int sent = make_socket(&destination, SOCK_STREAM);
  print_result("bind", bind(bound, as_sockaddr(&own), own.length));
  send_fd(channel[0], sent);
  close(sent);
  close(bound);
  const int first = receive_fd(channel[1]);
  printf("number reused: %s\n", first == bound ? "yes" : "no");
  connect_and_print("connect", first, &destination);
  return 0;
}
