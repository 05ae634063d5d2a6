// SPDX-License-Identifier: MIT
// fork_connect ADDR PORT: parent, child and grandchild connect, one after the other.
#include <sys/wait.h>

#include "program.h"

static void connect_once(const char* who, const struct destination* destination) {
  const int fd = make_socket(destination, SOCK_STREAM);
  connect_and_print(who, fd, destination);
  close(fd);
}

int main(int argc, char** argv) {
  const struct destination destination = parse_destination(argc, argv, 1);
  const char* names[] = {"parent", "child", "grandchild"};
  for (int i = 0; i < 3; ++i) {
    connect_once(names[i], &destination);
    const pid_t child = i < 2 ? fork() : -1;
    if (child == 0) continue;
    int status = 0;
    if (child > 0) waitpid(child, &status, 0);
    return status != 0;
  }
}
