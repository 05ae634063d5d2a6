/* SPDX-License-Identifier: MIT
 * bundle_get NOTATION PORT PROTOCOL PATH: connects to a bundle and asks for the path by HTTP/1.0;
 * prints who answered, and below that what. With a failure, why; then the status is 1. */
#include <bundle.h>
#include <err.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 5) errx(2, "usage: bundle_get NOTATION PORT PROTOCOL PATH");
  struct sockaddr_bundle bundle;
  const int error = bundle_parse(argv[1], htons((uint16_t)atoi(argv[2])), &bundle);
  if (error != BUNDLE_OK) errx(1, "%s: %s", argv[1], bundle_strerror(error));

  const int fd = bundle_socket(SOCK_STREAM, atoi(argv[3]));
  if (fd < 0) err(1, "bundle_socket");
  if (bundle_connect(fd, (struct sockaddr*)&bundle, bundle.sb_len) != 0) err(1, "bundle_connect");

  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  char host[NI_MAXHOST];
  if (getpeername(fd, (struct sockaddr*)&peer, &length) != 0) err(1, "getpeername");
  if (getnameinfo((struct sockaddr*)&peer, length, host, sizeof host, NULL, 0, NI_NUMERICHOST)) {
    errx(1, "getnameinfo");
  }
  printf("%s\n", host);
  char request[1024];
  const int size = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n\r\n", argv[4]);
  if (send(fd, request, (size_t)size, MSG_NOSIGNAL) < 0) err(1, "send");
  char reply[4096];
  for (;;) {
    const ssize_t got = read(fd, reply, sizeof reply);
    if (got < 0) err(1, "read");
    if (got == 0) break;
    fwrite(reply, 1, (size_t)got, stdout);
  }
  return 0;
}
