// SPDX-License-Identifier: MIT
// vfork_exec ADDR PORT: a vfork child puts a socket where another one was and becomes a program
// that connects; the parent connects before and after it.
#include <spawn.h>
#include <sys/wait.h>

#include "program.h"

extern char** environ;

static int wait_for(pid_t child) {
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void connect_once(const char* who, const struct destination* destination) {
  const int fd = make_socket(destination, SOCK_STREAM);
  connect_and_print(who, fd, destination);
  close(fd);
}

int main(int argc, char** argv) {
  const struct destination destination = parse_destination(argc, argv, 1);
  if (argc > 3) {
    connect_once(argv[3], &destination);
    return 7;
  }
  connect_once("before", &destination);
  const int fd = make_socket(&destination, SOCK_STREAM);
  const pid_t child = vfork();
  if (child == 0) {
    dup2(fd, fd + 1);
    execl("/proc/self/exe", argv[0], argv[1], argv[2], "after vfork", NULL);
    _exit(1);
  }
  printf("status: %d\n", wait_for(child));
  connect_and_print("parent", fd, &destination);
  pid_t spawned;
  char* arguments[] = {argv[0], argv[1], argv[2], (char*)"after posix_spawn", NULL};
  if (posix_spawn(&spawned, "/proc/self/exe", NULL, NULL, arguments, environ) != 0) return 1;
  printf("status: %d\n", wait_for(spawned));
  return 0;
}
