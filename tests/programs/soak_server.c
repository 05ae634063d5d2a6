// SPDX-License-Identifier: MIT
// soak_server PORT: answers what each TCP connection sends first with "PEER LOCAL\n" and closes it.
// For more connections a second than a script could serve.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "program.h"

enum { kEvents = 256, kBacklog = 4096 };

// An IPv4 address without the prefix that it has on an IPv6 socket.
static const char* plain(const char* text) {
  static const char kMapped[] = "::ffff:";
  return strncmp(text, kMapped, sizeof kMapped - 1) == 0 ? text + sizeof kMapped - 1 : text;
}

static int listening(uint16_t port) {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  if (bind(fd, (const struct sockaddr*)&any, sizeof any) != 0 || listen(fd, kBacklog) != 0) {
    perror("listen");
    exit(2);
  }
  return fd;
}

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void accept_all(int epoll, int listener) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) watch(epoll, fd);
}

static void answer(int fd) {
  char asked[64];
  if (read(fd, asked, sizeof asked) > 0) {
    struct sockaddr_in6 peer = {0};
    socklen_t length = sizeof peer;
    char seen[INET6_ADDRSTRLEN] = "?";
    char local[INET6_ADDRSTRLEN];
    if (getpeername(fd, (struct sockaddr*)&peer, &length) == 0) {
      inet_ntop(AF_INET6, &peer.sin6_addr, seen, sizeof seen);
    }
    local_address(fd, local, sizeof local);
    dprintf(fd, "%s %s\n", plain(seen), plain(local));
  }
  close(fd);
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const int listener = listening((uint16_t)atoi(argv[1]));
  const int epoll = epoll_create1(0);
  watch(epoll, listener);
  struct epoll_event events[kEvents];
  for (;;) {
    const int count = epoll_wait(epoll, events, kEvents, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == listener) {
        accept_all(epoll, listener);
      } else {
        answer(events[i].data.fd);
      }
    }
  }
}
