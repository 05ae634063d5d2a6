/* SPDX-License-Identifier: MIT
 * failing_names NAME...: how each of libc's calls that look names up fails for each name, or how
 * many addresses it has. One line a call. */
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>

#include "program.h"

static void by_family(const char* name, const char* family_name, int family) {
  struct addrinfo hints = {0};
  struct addrinfo* list = NULL;
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  const int error = getaddrinfo(name, NULL, &hints, &list);
  int count = 0;
  for (const struct addrinfo* at = list; error == 0 && at != NULL; at = at->ai_next) ++count;
  if (error == 0) freeaddrinfo(list);
  printf("%s %s: ", name, family_name);
  error == 0 ? (void)printf("%d addresses\n", count) : (void)printf("%s\n", gai_strerror(error));
}

static int count_of(const struct hostent* host) {
  int count = 0;
  while (host != NULL && host->h_addr_list[count] != NULL) ++count;
  return count;
}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const char* name = argv[i];
    by_family(name, "any family", AF_UNSPEC);
    by_family(name, "IPv4", AF_INET);
    by_family(name, "IPv6", AF_INET6);
    h_errno = 0;
    const struct hostent* host = gethostbyname(name);
    printf("%s gethostbyname: %d addresses, error %d\n", name, count_of(host), host ? 0 : h_errno);
    struct hostent entry;
    struct hostent* found = &entry;
    static char room[1 << 20];
    int error = 77;
    const int result = gethostbyname_r(name, &entry, room, sizeof room, &found, &error);
    printf("%s gethostbyname_r: %s, %d addresses, error %d\n", name,
           result == 0 ? "0" : strerrorname_np(result), count_of(found), found ? 0 : error);
    static unsigned char reply[65536];
    h_errno = 0;
    const int size = res_query(name, ns_c_in, ns_t_a, reply, sizeof reply);
    printf("%s res_query: %d, error %d\n", name, size, size < 0 ? h_errno : 0);
  }
  return 0;
}
