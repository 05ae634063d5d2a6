/* SPDX-License-Identifier: MIT
 * name_calls NAME...: what each of libc's calls that look names up says of each name, and of the
 * addresses that it has. One line a call. */
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>

#include "program.h"

static void print_address(int family, const void* address) {
  char text[INET6_ADDRSTRLEN] = "?";
  inet_ntop(family, address, text, sizeof text);
  printf(" %s", text);
}

static void print_host(const char* call, const struct hostent* host, int error) {
  printf("  %s:", call);
  if (host == NULL) {
    printf(" error %d\n", error);
    return;
  }
  printf(" %s", host->h_name);
  for (char** alias = host->h_aliases; *alias != NULL; ++alias) printf(" (%s)", *alias);
  for (char** at = host->h_addr_list; *at != NULL; ++at) print_address(host->h_addrtype, *at);
  printf("\n");
}

static void print_list(const char* call, int error, const struct addrinfo* list) {
  printf("  %s: %d", call, error);
  for (const struct addrinfo* at = error == 0 ? list : NULL; at != NULL; at = at->ai_next) {
    const struct sockaddr_in* in = (const void*)at->ai_addr;
    const struct sockaddr_in6* in6 = (const void*)at->ai_addr;
    const int is_ipv4 = at->ai_family == AF_INET;
    print_address(at->ai_family,
                  is_ipv4 ? (const void*)&in->sin_addr : (const void*)&in6->sin6_addr);
    if (at->ai_canonname != NULL) printf(" is %s", at->ai_canonname);
  }
  printf("\n");
}

static void list_addresses(const char* name) {
  static const int kFamilies[] = {AF_UNSPEC, AF_INET, AF_INET6};
  static const char* const kCalls[] = {"any family", "IPv4", "IPv6"};
  for (int i = 0; i < 3; ++i) {
    struct addrinfo hints = {0};
    struct addrinfo* list = NULL;
    hints.ai_family = kFamilies[i];
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_CANONNAME;
    const int error = getaddrinfo(name, "80", &hints, &list);
    print_list(kCalls[i], error, list);
    if (error == 0) freeaddrinfo(list);
  }
}

static void list_asynchronously(const char* name) {
  struct addrinfo hints = {0};
  hints.ai_socktype = SOCK_STREAM;
  struct gaicb request = {0};
  request.ar_name = name;
  request.ar_request = &hints;
  struct gaicb* requests[] = {&request};
  const int error = getaddrinfo_a(GAI_WAIT, requests, 1, NULL);
  print_list("asynchronously", error != 0 ? error : gai_error(&request), request.ar_result);
  if (request.ar_result != NULL) freeaddrinfo(request.ar_result);
}

static void find_hosts(const char* name) {
  struct hostent host;
  struct hostent* found = NULL;
  char room[4096];
  int error = 0;
  found = gethostbyname(name);
  print_host("gethostbyname", found, h_errno);
  found = gethostbyname2(name, AF_INET6);
  print_host("gethostbyname2", found, h_errno);
  (void)gethostbyname_r(name, &host, room, sizeof room, &found, &error);
  print_host("gethostbyname_r", found, error);
  if (found == NULL) return;
  unsigned char address[4];
  memcpy(address, found->h_addr_list[0], sizeof address);
  found = gethostbyaddr(address, sizeof address, AF_INET);
  print_host("gethostbyaddr", found, h_errno);
  struct sockaddr_in in = {0};
  in.sin_family = AF_INET;
  memcpy(&in.sin_addr, address, sizeof address);
  char text[NI_MAXHOST] = "";
  error = getnameinfo((const void*)&in, sizeof in, text, sizeof text, NULL, 0, 0);
  printf("  getnameinfo: %d %s\n", error, text);
}

static void print_reply(const char* call, const unsigned char* reply, int size, int error) {
  if (size < 0) {
    printf("  %s: error %d\n", call, error);
    return;
  }
  printf("  %s: %d bytes, code %d, %d answers\n", call, size, reply[3] & 15,
         reply[6] << 8 | reply[7]);
}

static void query(const char* name, int type) {
  unsigned char reply[4096];
  unsigned char question[512];
  struct __res_state state;
  memset(&state, 0, sizeof state);
  int size = res_query(name, ns_c_in, type, reply, sizeof reply);
  print_reply("res_query", reply, size, h_errno);
  size = res_search(name, ns_c_in, type, reply, sizeof reply);
  print_reply("res_search", reply, size, h_errno);
  size = res_querydomain(name, "test", ns_c_in, type, reply, sizeof reply);
  print_reply("res_querydomain", reply, size, h_errno);
  size = res_mkquery(ns_o_query, name, ns_c_in, type, NULL, 0, NULL, question, sizeof question);
  if (size > 0) size = res_send(question, size, reply, sizeof reply);
  print_reply("res_send", reply, size, 0);
  if (res_ninit(&state) != 0) return;
  size = res_nquery(&state, name, ns_c_in, type, reply, sizeof reply);
  print_reply("res_nquery", reply, size, state.res_h_errno);
  size = res_nsearch(&state, name, ns_c_in, type, reply, sizeof reply);
  print_reply("res_nsearch", reply, size, state.res_h_errno);
  res_nclose(&state);
}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    printf("%s\n", argv[i]);
    list_addresses(argv[i]);
    list_asynchronously(argv[i]);
    find_hosts(argv[i]);
    query(argv[i], ns_t_a);
    query(argv[i], ns_t_txt);
  }
  return 0;
}
