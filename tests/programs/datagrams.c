// SPDX-License-Identifier: MIT
// datagrams HOW ROUNDS PORT ADDR...: one unconnected socket, ROUNDS datagrams to each address in
// turn. HOW: sendto, sendmsg, sendmmsg, mapped (sendto from an AF_INET6 socket), inherited (the
// sender is a program started anew, with the socket), received (the socket comes in a message), or
// own SOURCE (sendmsg, with control data of its own that names the source).
#include <netinet/ip.h>

#include "program.h"

enum { kMostAddresses = 1024 };
static struct destination destinations[kMostAddresses];

static struct destination parse(const char* text, const char* port, int mapped) {
  char* arguments[] = {(char*)"datagrams", (char*)text, (char*)port, NULL};
  struct destination made = parse_destination(3, arguments, 1);
  if (!mapped || made.storage.ss_family == AF_INET6) return made;
  char longer[INET6_ADDRSTRLEN];
  snprintf(longer, sizeof longer, "::ffff:%s", text);
  arguments[1] = longer;
  return parse_destination(3, arguments, 1);
}

static struct msghdr message_to(struct destination* destination, struct iovec* data) {
  struct msghdr message = {.msg_name = &destination->storage,
                           .msg_namelen = destination->length,
                           .msg_iov = data,
                           .msg_iovlen = 1};
  return message;
}

static ssize_t send_from(int fd, struct msghdr* message, const char* source) {
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct in_pktinfo info = {0};
  const int hops = 77;
  inet_pton(AF_INET, source, &info.ipi_spec_dst);
  message->msg_control = control.room;
  message->msg_controllen = sizeof control.room;
  struct cmsghdr* header = CMSG_FIRSTHDR(message);
  header->cmsg_level = IPPROTO_IP;
  header->cmsg_type = IP_TTL;
  header->cmsg_len = CMSG_LEN(sizeof hops);
  memcpy(CMSG_DATA(header), &hops, sizeof hops);
  if (strcmp(source, "none") == 0) {
    message->msg_controllen = CMSG_SPACE(sizeof hops);
    return sendmsg(fd, message, 0);
  }
  header = CMSG_NXTHDR(message, header);
  header->cmsg_level = IPPROTO_IP;
  header->cmsg_type = IP_PKTINFO;
  header->cmsg_len = CMSG_LEN(sizeof info);
  memcpy(CMSG_DATA(header), &info, sizeof info);
  return sendmsg(fd, message, 0);
}

static int passed_over(int fd) {
  int channel[2];
  char byte = 'x';
  struct iovec data = {&byte, 1};
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof fd)];
  } control = {0};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  message.msg_control = control.room;
  message.msg_controllen = sizeof control.room;
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, channel) != 0 || sendmsg(channel[0], &message, 0) != 1 ||
      recvmsg(channel[1], &message, 0) != 1) {
    exit(2);
  }
  memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
  return fd;
}

int main(int argc, char** argv) {
  const char* how = argc > 1 ? argv[1] : "";
  const int own = strcmp(how, "own") == 0;
  const char* source = own ? argv[2] : NULL;
  char** words = argv + own;
  if (argc - own < 5) return 2;
  const int rounds = atoi(words[2]);
  const int count = argc - own - 4;
  char data[] = "datagram";
  struct iovec buffer = {data, sizeof data};
  static struct mmsghdr messages[kMostAddresses];
  for (int i = 0; i < count; ++i) {
    destinations[i] = parse(words[4 + i], words[3], strcmp(how, "mapped") == 0);
    messages[i].msg_hdr = message_to(&destinations[i], &buffer);
  }
  int fd = 3;
  const int exec = strcmp(how, "inherited") == 0;
  if (strcmp(how, "as-3") != 0) fd = make_socket(&destinations[0], SOCK_DGRAM);
  if (exec) {
    dup2(fd, 3);
    argv[1] = (char*)"as-3";
    execv("/proc/self/exe", argv);
    return 2;
  }
  if (strcmp(how, "received") == 0) fd = passed_over(fd);
  long sent = 0;
  for (int round = 0; round < rounds; ++round) {
    if (strcmp(how, "sendmmsg") == 0) {
      for (int done = 0; done < count;) {
        const int some = sendmmsg(fd, messages + done, (unsigned)(count - done), 0);
        if (some < 0) print_result("sendmmsg", some);
        done += some < 0 ? 1 : some;
        sent += some < 0 ? 0 : some;
      }
      continue;
    }
    for (int i = 0; i < count; ++i) {
      struct destination* to = &destinations[i];
      ssize_t result;
      if (own) {
        struct msghdr message = messages[i].msg_hdr;
        result = send_from(fd, &message, source);
      } else if (strcmp(how, "sendmsg") == 0) {
        result = sendmsg(fd, &messages[i].msg_hdr, 0);
      } else {
        result = sendto(fd, data, sizeof data, 0, as_sockaddr(to), to->length);
      }
      if (result < 0) print_result(words[4 + i], result);
      sent += result == (ssize_t)sizeof data;
    }
  }
  printf("sent: %ld\n", sent);
  return 0;
}
