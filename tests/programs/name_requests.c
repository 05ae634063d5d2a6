/* SPDX-License-Identifier: MIT
 * name_requests NAME SERVICE: the addresses that getaddrinfo_a gives for NAME, on a line for
 * GAI_WAIT and one for GAI_NOWAIT. It is asked for 127.0.0.1 at the same time, with an empty place
 * between the two. */
#include <netdb.h>
#include <signal.h>

#include "program.h"

static void print_list(struct addrinfo* list) {
  const char* space = "";
  for (const struct addrinfo* entry = list; entry != NULL; entry = entry->ai_next) {
    char text[NI_MAXHOST] = "";
    getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
    printf("%s%s", space, text);
    space = " ";
  }
  printf("\n");
  freeaddrinfo(list);
}

static void await(const struct gaicb* request) {
  while (gai_error((struct gaicb*)request) == EAI_INPROGRESS) gai_suspend(&request, 1, NULL);
}

static void ask(int mode, const char* name, const char* service) {
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  struct gaicb named = {.ar_name = name, .ar_service = service, .ar_request = &hints};
  struct gaicb numeric = {.ar_name = "127.0.0.1", .ar_service = service, .ar_request = &hints};
  struct gaicb* requests[] = {&named, NULL, &numeric};
  struct sigevent silent = {.sigev_notify = SIGEV_NONE};
  const int error = getaddrinfo_a(mode, requests, 3, &silent);
  if (error != 0) {
    printf("%s\n", gai_strerror(error));
    return;
  }
  await(&named);
  await(&numeric);
  if (gai_error(&numeric) != 0) printf("no numbers: ");
  freeaddrinfo(numeric.ar_result);
  if (gai_error(&named) == 0) {
    print_list(named.ar_result);
  } else {
    printf("%s\n", gai_strerror(gai_error(&named)));
  }
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s NAME SERVICE\n", argv[0]);
    return 2;
  }
  ask(GAI_WAIT, argv[1], argv[2]);
  ask(GAI_NOWAIT, argv[1], argv[2]);
  return 0;
}
