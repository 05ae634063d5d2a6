// SPDX-License-Identifier: MIT
// signal_connect ADDR PORT: connects in a signal handler that interrupts malloc and free, then
// outside of it.
#include <signal.h>
#include <sys/time.h>

#include "program.h"

enum { kConnects = 20 };

static struct destination destination;
static volatile sig_atomic_t connected;
static volatile sig_atomic_t failed;
static volatile sig_atomic_t errno_kept = 1;

static void handle(int signal_number) {
  (void)signal_number;
  const int before = errno;
  const int fd = socket(destination.storage.ss_family, SOCK_STREAM, 0);
  errno = 7777;
  if (connect(fd, as_sockaddr(&destination), destination.length) == 0) {
    if (errno != 7777) errno_kept = 0;
    connected = connected + 1;
  } else {
    failed = failed + 1;
  }
  close(fd);
  errno = before;
}

int main(int argc, char** argv) {
  destination = parse_destination(argc, argv, 1);
  struct sigaction action = {.sa_handler = handle};
  sigaction(SIGALRM, &action, NULL);
  const struct itimerval often = {{0, 2000}, {0, 2000}};
  const struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &often, NULL);
  while (connected + failed < kConnects) free(malloc(1000));
  setitimer(ITIMER_REAL, &never, NULL);
  printf("in handlers: %s\n", failed == 0 ? "all connected" : connected == 0 ? "none" : "some");
  printf("errno: %s\n", errno_kept ? "kept" : "changed");
  connect_and_print("outside", make_socket(&destination, SOCK_STREAM), &destination);
  return 0;
}
