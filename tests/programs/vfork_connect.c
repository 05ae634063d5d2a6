// SPDX-License-Identifier: MIT
// vfork_connect ADDR PORT: a vfork child connects a socket of its own and one of its parent's, and
// sends a datagram; the parent does the same after it. Twice: before and after the parent's first.
#include <sys/wait.h>

#include "program.h"

static void act(const char* who, const struct destination* destination, int inherited) {
  const int own = make_socket(destination, SOCK_STREAM);
  const int datagrams = make_socket(destination, SOCK_DGRAM);
  connect_and_print(who, own, destination);
  connect_and_print(who, inherited, destination);
  print_result(who, sendto(datagrams, "x", 1, 0, as_sockaddr(destination), destination->length));
  close(own);
  close(datagrams);
}

int main(int argc, char** argv) {
  const struct destination destination = parse_destination(argc, argv, 1);
  for (int i = 0; i < 2; ++i) {
    const int inherited = make_socket(&destination, SOCK_STREAM);
    const pid_t child = vfork();
    if (child == 0) {
      act("child", &destination, inherited);
      _exit(0);
    }
    waitpid(child, NULL, 0);
    print_result("the child's connection", write(inherited, "x", 1));
    close(inherited);
    const int another = make_socket(&destination, SOCK_STREAM);
    act("parent", &destination, another);
    close(another);
  }
  return 0;
}
