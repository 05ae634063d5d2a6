// SPDX-License-Identifier: MIT
// bundle_server HOW PROTOCOL PORT ADDR...: a socket of AF_BUNDLE bound to the addresses, which says
// "hello" to whoever calls. HOW: loop, fork, threads (accepting side by side), epoll
// (non-blocking).
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>

#include "libbundle/bundle.h"
#include "program.h"

static int listener;

static socklen_t make_bundle(struct sockaddr_bundle* made, char** texts, int count, int port) {
  unsigned char* end = made->sb_addresses;
  memset(made, 0, sizeof *made);
  made->sb_family = AF_BUNDLE;
  made->sb_port = htons((uint16_t)port);
  made->sb_count = (uint8_t)count;
  for (int i = 0; i < count; ++i) {
    char* const arguments[] = {NULL, texts[i], (char*)"0"};
    const struct destination member = parse_destination(3, (char**)arguments, 1);
    memcpy(end, &member.storage, member.length);
    end += member.length;
  }
  made->sb_len = (uint16_t)(end - (unsigned char*)made);
  return made->sb_len;
}

static void print_bundle(const char* what, const struct sockaddr_bundle* bundle, socklen_t length) {
  char text[NI_MAXHOST] = "?";
  const int host = NI_NUMERICHOST;
  getnameinfo((const struct sockaddr*)bundle, length, text, sizeof text, NULL, 0, host);
  printf("%s: %s port %d\n", what, text, ntohs(bundle->sb_port));
}

static const char* text_of(const struct sockaddr_storage* address, socklen_t length) {
  static _Thread_local char text[INET6_ADDRSTRLEN];
  if (getnameinfo((const struct sockaddr*)address, length, text, sizeof text, NULL, 0,
                  NI_NUMERICHOST) != 0) {
    return "?";
  }
  return text;
}

static void serve(int fd, const struct sockaddr_storage* caller, socklen_t caller_length) {
  struct sockaddr_storage name = {0};
  struct sockaddr_storage peer = {0};
  socklen_t name_length = sizeof name;
  socklen_t peer_length = sizeof peer;
  const int same = getpeername(fd, (struct sockaddr*)&peer, &peer_length) == 0 &&
                   peer_length == caller_length && memcmp(&peer, caller, peer_length) == 0;
  getsockname(fd, (struct sockaddr*)&name, &name_length);
  flockfile(stdout);
  printf("called: %s", text_of(&name, name_length));
  printf(" by %s%s\n", text_of(caller, caller_length), same ? "" : ", which is not its peer");
  fflush(stdout);
  funlockfile(stdout);
  (void)!write(fd, "hello", 5);
  close(fd);
}

static void* accept_for_ever(void* how) {
  for (;;) {
    struct sockaddr_storage caller = {0};
    socklen_t length = sizeof caller;
    const int fd = accept(listener, (struct sockaddr*)&caller, &length);
    if (fd < 0) {
      if (errno == EAGAIN && how != NULL) return NULL;
      perror("accept");
      exit(1);
    }
    serve(fd, &caller, length);
  }
}

static void wait_and_accept(void) {
  struct epoll_event event = {.events = EPOLLIN};
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK);
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    if (epoll_wait(epoll, &event, 1, -1) == 1) accept_for_ever(&event);
  }
}

static void run(const char* how) {
  if (strcmp(how, "epoll") == 0) wait_and_accept();
  if (strcmp(how, "fork") == 0) {
    // What a forked child knows of the socket is what its parent knew; this one has another number.
    const int copy = dup(listener);
    close(listener);
    listener = copy;
    if (fork() != 0) {
      pause();
      return;
    }
  }
  if (strcmp(how, "threads") == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, accept_for_ever, NULL);
  }
  accept_for_ever(NULL);
}

static int call(const struct sockaddr_bundle* bundle, socklen_t length) {
  struct sockaddr_bundle name = {0};
  socklen_t name_length = sizeof name;
  char said[6] = "";
  const int connected = connect(listener, (const struct sockaddr*)bundle, length);
  print_result("connect", connected);
  if (connected != 0) return 1;
  print_result("getpeername", getpeername(listener, (struct sockaddr*)&name, &name_length));
  print_bundle("peer", &name, name_length);
  name_length = sizeof name;
  getsockname(listener, (struct sockaddr*)&name, &name_length);
  printf("own: family %d, %d address\n", name.sb_family, name.sb_count);
  (void)!read(listener, said, sizeof said - 1);
  printf("said: %s\n", said);
  return 0;
}

int main(int argc, char** argv) {
  struct sockaddr_bundle bundle;
  struct sockaddr_bundle name = {0};
  socklen_t length = sizeof name;
  const int on = 1;
  if (argc < 5) return 2;
  signal(SIGPIPE, SIG_IGN);
  listener = socket(AF_BUNDLE, SOCK_STREAM | SOCK_CLOEXEC, atoi(argv[2]));
  print_result("socket", listener);
  if (listener < 0) return 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const socklen_t wanted = make_bundle(&bundle, argv + 4, argc - 4, atoi(argv[3]));
  if (strcmp(argv[1], "call") == 0) return call(&bundle, wanted);
  const int bound = bind(listener, (const struct sockaddr*)&bundle, wanted);
  print_result("bind", bound);
  if (bound != 0 || listen(listener, 16) != 0) return 1;
  getsockname(listener, (struct sockaddr*)&name, &length);
  print_bundle("name", &name, length);
  fflush(stdout);
  run(argv[1]);
  return 0;
}
