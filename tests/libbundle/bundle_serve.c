/* SPDX-License-Identifier: MIT
 * bundle_serve NOTATION PORT PROTOCOL: tells each client its address. Ends with the lab, or with 1
 * and the reason. */
#include <arpa/inet.h>
#include <bundle.h>
#include <err.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 4) errx(2, "usage: bundle_serve NOTATION PORT PROTOCOL");
  struct sockaddr_bundle bundle;
  const int error = bundle_parse(argv[1], htons((uint16_t)atoi(argv[2])), &bundle);
  if (error != BUNDLE_OK) errx(1, "%s: %s", argv[1], bundle_strerror(error));
  const int fd = bundle_socket(SOCK_STREAM, atoi(argv[3]));
  if (fd < 0) err(1, "bundle_socket");
  if (bundle_bind(fd, (struct sockaddr*)&bundle, bundle.sb_len) != 0) err(1, "bundle_bind");
  if (listen(fd, 8) != 0) err(1, "listen");
  for (;;) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    char host[NI_MAXHOST];
    const int client = bundle_accept(fd, &bundle, (struct sockaddr*)&peer, &length, SOCK_CLOEXEC);
    if (client < 0) err(1, "bundle_accept");
    if (getnameinfo((struct sockaddr*)&peer, length, host, sizeof host, NULL, 0, NI_NUMERICHOST)) {
      errx(1, "getnameinfo");
    }
    /* Closed with a byte unread, a connection would be reset. */
    char request[1024];
    if (read(client, request, sizeof request) < 0) warn("read");
    dprintf(client, "%s\n", host);
    close(client);
  }
}
