// SPDX-License-Identifier: MIT
// resolver_list NAME: the servers that res_init and res_ninit give to programs, each as
// "CALL: ADDR PORT"; and what the name is when the first of them is asked by a socket of the
// program's own.
#include <resolv.h>

#include "program.h"

static const struct sockaddr* server_of(const struct __res_state* state, int index) {
  const struct sockaddr_in* in = &state->nsaddr_list[index];
  if (in->sin_family == AF_INET) return (const struct sockaddr*)in;
  return (const struct sockaddr*)state->_u._ext.nsaddrs[index];
}

static void print_servers(const char* call, const struct __res_state* state) {
  for (int i = 0; i < state->nscount; ++i) {
    char text[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr* server = server_of(state, i);
    const struct sockaddr_in* in = (const struct sockaddr_in*)server;
    const struct sockaddr_in6* in6 = (const struct sockaddr_in6*)server;
    if (server->sa_family == AF_INET) inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    if (server->sa_family == AF_INET6) inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
    printf("%s: %s %u\n", call, text, ntohs(in->sin_port));
  }
  if (state->nscount == 0) printf("%s: none\n", call);
}

static void ask_first(const struct __res_state* state, const char* name) {
  unsigned char packet[512];
  const struct sockaddr* server = server_of(state, 0);
  const int size = res_mkquery(QUERY, name, C_IN, T_A, NULL, 0, NULL, packet, sizeof packet);
  const int fd = socket(server->sa_family, SOCK_DGRAM, 0);
  const socklen_t length =
      server->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
  const struct timeval wait = {.tv_sec = 5};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  if (sendto(fd, packet, (size_t)size, 0, server, length) < 0) {
    print_result("sendto", -1);
    exit(1);
  }
  const ssize_t got = recv(fd, packet, sizeof packet, 0);
  char text[INET_ADDRSTRLEN] = "nothing";
  if (got > size) inet_ntop(AF_INET, packet + got - 4, text, sizeof text);
  printf("%s: %s\n", name, text);
  close(fd);
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  // Twice, as a program does that notices a changed resolv.conf.
  if (res_init() != 0 || res_init() != 0) return 1;
  print_servers("res_init", &_res);
  struct __res_state state;
  memset(&state, 0, sizeof state);
  if (res_ninit(&state) != 0) return 1;
  print_servers("res_ninit", &state);
  if (state.nscount > 0) ask_first(&state, argv[1]);
  res_nclose(&state);
  return 0;
}
