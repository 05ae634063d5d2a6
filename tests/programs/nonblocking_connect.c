// SPDX-License-Identifier: MIT
// nonblocking_connect ADDR PORT: EINPROGRESS, a second call, poll, SO_ERROR, and EISCONN after it.
#include <fcntl.h>
#include <poll.h>

#include "program.h"

static int error_of(int fd) {
  int error = -1;
  socklen_t length = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

/* How the attempt ends: 0, or an errno. What the second call gives before that depends on the
 * peer's speed. */
static int outcome_of(int fd, const struct destination* destination) {
  const int result = connect(fd, as_sockaddr(destination), destination->length);
  if (result != 0 && errno != EALREADY && errno != EISCONN) return errno;
  struct pollfd writable = {.fd = fd, .events = POLLOUT};
  if (poll(&writable, 1, 10000) != 1) return ETIMEDOUT;
  return error_of(fd);
}

int main(int argc, char** argv) {
  const struct destination destination = parse_destination(argc, argv, 1);
  const int fd = make_socket(&destination, SOCK_STREAM | SOCK_NONBLOCK);
  const int result = connect(fd, as_sockaddr(&destination), destination.length);
  const int started = result == 0 || errno == EINPROGRESS;
  printf("first: %s\n", started ? "started" : strerrorname_np(errno));
  if (!started) return 0;
  const int error = outcome_of(fd, &destination);
  printf("outcome: %s\n", error == 0 ? "connected" : strerrorname_np(error));
  if (error != 0) return 0;
  /* The first call after completion may still be the one that reports it. */
  (void)connect(fd, as_sockaddr(&destination), destination.length);
  print_result("again", connect(fd, as_sockaddr(&destination), destination.length));
  print_local_address("local", fd);
  printf("O_NONBLOCK: %s\n", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 ? "kept" : "lost");
  return 0;
}
