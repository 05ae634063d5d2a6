/* SPDX-License-Identifier: MIT
 * name_list NAME SERVICE [FAMILY [FLAGS [TYPE]]]: what getaddrinfo gives, an entry a line: family,
 * type, protocol, bytes, and what getnameinfo makes of it, numbers and names. Numbers for FAMILY,
 * FLAGS and TYPE; "-" for no NAME or SERVICE. Then asks 200 times more, and says how many bytes of
 * the heap that took. */
#include <malloc.h>
#include <netdb.h>

#include "program.h"

static const char* or_null(const char* text) {
  return strcmp(text, "-") == 0 ? NULL : text;
}

static void print_entry(const struct addrinfo* entry) {
  char numbers[NI_MAXHOST] = "";
  char names[NI_MAXHOST] = "";
  char port[NI_MAXSERV] = "";
  getnameinfo(entry->ai_addr, entry->ai_addrlen, numbers, sizeof numbers, port, sizeof port,
              NI_NUMERICHOST | NI_NUMERICSERV);
  if (entry->ai_family == 230) {
    getnameinfo(entry->ai_addr, entry->ai_addrlen, names, sizeof names, NULL, 0, 0);
  }
  printf("%d/%d/%d %u %s %s %s\n", entry->ai_family, entry->ai_socktype, entry->ai_protocol,
         entry->ai_addrlen, numbers, port, names);
}

int main(int argc, char** argv) {
  struct addrinfo hints = {0};
  struct addrinfo* list = NULL;
  if (argc < 3) {
    fprintf(stderr, "usage: %s NAME SERVICE [FAMILY [FLAGS [TYPE]]]\n", argv[0]);
    return 2;
  }
  if (argc > 3) hints.ai_family = atoi(argv[3]);
  if (argc > 4) hints.ai_flags = atoi(argv[4]);
  hints.ai_socktype = argc > 5 ? atoi(argv[5]) : SOCK_STREAM;
  const char* name = or_null(argv[1]);
  const char* service = or_null(argv[2]);
  const int error = getaddrinfo(name, service, &hints, &list);
  if (error != 0) {
    printf("%s\n", gai_strerror(error));
    return 1;
  }
  if (list->ai_canonname != NULL) printf("canonical name %s\n", list->ai_canonname);
  for (const struct addrinfo* entry = list; entry != NULL; entry = entry->ai_next) {
    print_entry(entry);
  }
  freeaddrinfo(list);
  const size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 200; ++i) {
    if (getaddrinfo(name, service, &hints, &list) != 0) return 1;
    freeaddrinfo(list);
  }
  printf("kept %zd bytes\n", (ssize_t)(mallinfo2().uordblks - before));
  return 0;
}
