// SPDX-License-Identifier: MIT
// bundle_connect OPTIONS -p PORT ADDR...
// Connects a stream socket to a bundle of the addresses and prints, as "KEY VALUE", how that ended.
//   -4 an AF_INET socket, not AF_INET6   -n O_NONBLOCK        -m MPTCP
//   -1 to the first address, as ever     -q no request        -x no descriptor is left
//   -i a handler runs after 30 ms        -r SA_RESTART with -i or -l
//   -l that handler never returns        -t SO_SNDTIMEO       -s bound to SOURCE
//   -2 a second connect after the first  -j in so many threads
//   -w how long to wait for what is under way (5000 ms)
//   -f family and addresses alone are filled in, as in the paper
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include "libbundle/bundle.h"
#include "program.h"

struct options {
  int ipv4, nonblocking, mptcp, single, quiet, no_descriptors, interrupt, restart, leap, twice;
  int few_fields;
  int timeout_ms, threads, wait_ms;
  const char* source;
  struct sockaddr_bundle bundle;
  struct destination first;
};
static struct options options = {.wait_ms = 5000};
static sigjmp_buf leap;

static void fill_bundle(int argc, char** argv, int at, char* port) {
  struct sockaddr_bundle* bundle = &options.bundle;
  size_t used = 0;
  bundle->sb_family = AF_BUNDLE;
  bundle->sb_port = htons((uint16_t)atoi(port));
  for (int i = at; i < argc; ++i) {
    char* words[] = {argv[0], argv[i], port};
    struct destination member = parse_destination(3, words, 1);
    memcpy(bundle->sb_addr + used, &member.storage, member.length);
    used += member.length;
    ++bundle->sb_count;
    if (i == at) options.first = member;
  }
  bundle->sb_len = (uint16_t)(BUNDLE_HEADER_SIZE + used);
  if (options.few_fields) bundle->sb_port = bundle->sb_count = bundle->sb_len = 0;
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int count_descriptors(void) {
  int count = 0;
  DIR* directory = opendir("/proc/self/fd");
  while (directory != NULL && readdir(directory) != NULL) ++count;
  closedir(directory);
  return count;
}

static void on_alarm(int signal) {
  (void)signal;
  if (options.leap) siglongjmp(leap, 1);
}

static void start_alarm(void) {
  struct sigaction action = {.sa_handler = on_alarm};
  if (options.restart) action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, NULL);
  const struct itimerval soon = {.it_value = {.tv_usec = 30000}};
  setitimer(ITIMER_REAL, &soon, NULL);
}

static int make(void) {
  const int type = SOCK_STREAM | (options.nonblocking ? SOCK_NONBLOCK : 0);
  const int ipv4 = options.ipv4 || (options.single && options.first.storage.ss_family == AF_INET);
  const int fd = socket(ipv4 ? AF_INET : AF_INET6, type, options.mptcp ? 262 : 0);
  const struct timeval timeout = {options.timeout_ms / 1000, options.timeout_ms % 1000 * 1000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  if (options.source != NULL) {
    char text[] = "0";
    char source[INET6_ADDRSTRLEN];
    snprintf(source, sizeof source, "%s", options.source);
    char* words[] = {text, source, text};
    const struct destination bound = parse_destination(3, words, 1);
    if (bind(fd, as_sockaddr(&bound), bound.length) != 0) perror("bind");
  }
  return fd;
}

static int call_connect(int fd) {
  if (options.single) return connect(fd, as_sockaddr(&options.first), options.first.length);
  const struct sockaddr_bundle* bundle = &options.bundle;
  const socklen_t length = options.few_fields ? sizeof *bundle : bundle->sb_len;
  return connect(fd, (const struct sockaddr*)bundle, length);
}

static const char* error_of(int fd) {
  int error = -1;
  socklen_t length = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return error == 0 ? "ok" : strerrorname_np(error);
}

static void print_peer(int fd) {
  struct sockaddr_storage peer = {0};
  socklen_t length = sizeof peer;
  char text[INET6_ADDRSTRLEN] = "none";
  if (getpeername(fd, (struct sockaddr*)&peer, &length) == 0) {
    const void* from = peer.ss_family == AF_INET
                           ? (const void*)&((struct sockaddr_in*)&peer)->sin_addr
                           : (const void*)&((struct sockaddr_in6*)&peer)->sin6_addr;
    inet_ntop(peer.ss_family, from, text, sizeof text);
  }
  printf("peer %s\n", strncmp(text, "::ffff:", 7) == 0 ? text + 7 : text);
}

static void print_answer(int fd) {
  static const char request[] = "GET / HTTP/1.0\r\n\r\n";
  char answer[1024];
  size_t size = 0;
  fcntl(fd, F_SETFL, 0);
  if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0) return;
  ssize_t got;
  while ((got = recv(fd, answer + size, sizeof answer - 1 - size, 0)) > 0) size += (size_t)got;
  answer[size] = 0;
  const char* body = strstr(answer, "\r\n\r\n");
  printf("answer %s", body != NULL ? body + 4 : "none\n");
}

static void print_state(int fd) {
  struct timeval timeout;
  socklen_t length = sizeof timeout;
  getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &length);
  printf("error %s\n", error_of(fd));
  printf("timeout %ld\n", timeout.tv_sec * 1000 + timeout.tv_usec / 1000);
  printf("nonblocking %d\n", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  print_peer(fd);
}

/* poll(2) takes no more descriptors than there may be. */
static void take_descriptors(int last) {
  const struct rlimit few = {.rlim_cur = (rlim_t)last + 1, .rlim_max = (rlim_t)last + 1};
  setrlimit(RLIMIT_NOFILE, &few);
}

static void connect_once(void) {
  const int before = count_descriptors();
  const int fd = make();
  if (options.no_descriptors) take_descriptors(fd);
  if (options.interrupt || options.leap) start_alarm();
  const double start = now_ms();
  if (sigsetjmp(leap, 1) != 0) {
    printf("result leapt\nms %.0f\n", now_ms() - start);
    close(fd);
    printf("left %d\n", count_descriptors() - before);
    return;
  }
  int result = call_connect(fd);
  printf("result %s\n", result == 0 ? "ok" : strerrorname_np(errno));
  printf("ms %.0f\n", now_ms() - start);
  if (options.twice) {
    result = call_connect(fd);
    printf("second %s\n", result == 0 ? "ok" : strerrorname_np(errno));
  }
  if (result != 0 && errno == EINPROGRESS) {
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    const int ready = poll(&writable, 1, options.wait_ms);
    printf("poll_ms %.0f\n", now_ms() - start);
    if (ready == 1) printf("events %#x\n", (unsigned)writable.revents);
    result = ready == 1 ? 0 : -1;
  }
  print_state(fd);
  if (result == 0 && !options.quiet) print_answer(fd);
  close(fd);
  if (!options.no_descriptors) printf("left %d\n", count_descriptors() - before);
}

static void* connect_in_thread(void* count) {
  const int fd = make();
  if (call_connect(fd) == 0) __atomic_add_fetch((int*)count, 1, __ATOMIC_RELAXED);
  close(fd);
  return NULL;
}

static void connect_in_threads(void) {
  pthread_t threads[256];
  int connected = 0;
  const int before = count_descriptors();
  const double start = now_ms();
  for (int i = 0; i < options.threads; ++i) {
    pthread_create(&threads[i], NULL, connect_in_thread, &connected);
  }
  for (int i = 0; i < options.threads; ++i) pthread_join(threads[i], NULL);
  printf("connected %d\nms %.0f\nleft %d\n", connected, now_ms() - start,
         count_descriptors() - before);
}

int main(int argc, char** argv) {
  int letter;
  char none[] = "0";
  char* port = none;
  while ((letter = getopt(argc, argv, "4fnm1qxirl2t:s:j:p:w:")) != -1) {
    if (letter == '4') options.ipv4 = 1;
    if (letter == 'f') options.few_fields = 1;
    if (letter == 'n') options.nonblocking = 1;
    if (letter == 'm') options.mptcp = 1;
    if (letter == '1') options.single = 1;
    if (letter == 'q') options.quiet = 1;
    if (letter == 'x') options.no_descriptors = 1;
    if (letter == 'i') options.interrupt = 1;
    if (letter == 'r') options.restart = 1;
    if (letter == 'l') options.leap = 1;
    if (letter == '2') options.twice = 1;
    if (letter == 'w') options.wait_ms = atoi(optarg);
    if (letter == 't') options.timeout_ms = atoi(optarg);
    if (letter == 's') options.source = optarg;
    if (letter == 'p') port = optarg;
    if (letter == 'j') options.threads = atoi(optarg);
    if (letter == '?') return 2;
  }
  if (argc <= optind || argc > optind + BUNDLE_MEMBERS_MAX) return 2;
  fill_bundle(argc, argv, optind, port);
  if (options.threads > 0) {
    connect_in_threads();
  } else {
    connect_once();
  }
  return 0;
}
