/* SPDX-License-Identifier: MIT
 * connect_by_name CALL NAME PORT: looks the name up by one of libc's calls, and connects to the
 * first IPv4 address that it has. */
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>

#include "program.h"

static void take_host(struct sockaddr_in* address, const struct hostent* host) {
  if (host != NULL) memcpy(&address->sin_addr, host->h_addr_list[0], sizeof address->sin_addr);
}

static void by_host(struct sockaddr_in* address, const char* name, int reentrant) {
  struct hostent host;
  struct hostent* found = NULL;
  char room[4096];
  int error = 0;
  if (reentrant) {
    (void)gethostbyname2_r(name, AF_INET, &host, room, sizeof room, &found, &error);
  } else {
    found = gethostbyname(name);
  }
  take_host(address, found);
}

static void asynchronously(struct sockaddr_in* address, const char* name, int mode) {
  struct addrinfo hints = {0};
  hints.ai_family = AF_INET;
  struct gaicb request = {0};
  request.ar_name = name;
  request.ar_request = &hints;
  struct gaicb* requests[] = {&request};
  const struct gaicb* const waited[] = {&request};
  if (getaddrinfo_a(mode, requests, 1, NULL) != 0) return;
  while (mode == GAI_NOWAIT && gai_suspend(waited, 1, NULL) == EAI_AGAIN) continue;
  if (gai_error(&request) != 0) return;
  *address = *(const struct sockaddr_in*)(const void*)request.ar_result->ai_addr;
  freeaddrinfo(request.ar_result);
}

// The reply ends with the data of its last record.
static void by_reply(struct sockaddr_in* address, const char* name) {
  unsigned char reply[4096];
  const int size = res_query(name, ns_c_in, ns_t_a, reply, sizeof reply);
  if (size > NS_HFIXEDSZ) memcpy(&address->sin_addr, reply + size - NS_INADDRSZ, NS_INADDRSZ);
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const char* call = argv[1];
  struct destination destination = {0};
  struct sockaddr_in* address = (struct sockaddr_in*)&destination.storage;
  address->sin_family = AF_INET;
  if (strcmp(call, "gethostbyname") == 0) by_host(address, argv[2], 0);
  if (strcmp(call, "gethostbyname_r") == 0) by_host(address, argv[2], 1);
  if (strcmp(call, "getaddrinfo_a") == 0) asynchronously(address, argv[2], GAI_WAIT);
  if (strcmp(call, "getaddrinfo_a_later") == 0) asynchronously(address, argv[2], GAI_NOWAIT);
  if (strcmp(call, "res_query") == 0) by_reply(address, argv[2]);
  address->sin_port = htons((uint16_t)atoi(argv[3]));
  destination.length = sizeof *address;
  connect_and_print("connect", make_socket(&destination, SOCK_STREAM), &destination);
  return 0;
}
