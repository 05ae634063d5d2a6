// SPDX-License-Identifier: MIT
// fd_thread_count ADDR PORT: connects and closes, then prints the open descriptors and the number
// of threads.
#include <dirent.h>

#include "program.h"

static int number_of_threads(void) {
  DIR* directory = opendir("/proc/self/task");
  int count = 0;
  for (const struct dirent* entry; (entry = readdir(directory)) != NULL;) {
    count += entry->d_name[0] != '.';
  }
  closedir(directory);
  return count;
}

int main(int argc, char** argv) {
  const struct destination destination = parse_destination(argc, argv, 1);
  const int fd = make_socket(&destination, SOCK_STREAM);
  connect_and_print("connect", fd, &destination);
  close(fd);
  printf("open:");
  for (int number = 0; number < 1024; ++number) {
    char path[32];
    char target[16];
    snprintf(path, sizeof path, "/proc/self/fd/%d", number);
    if (readlink(path, target, sizeof target) >= 0) printf(" %d", number);
  }
  printf("\nthreads: %d\n", number_of_threads());
  return 0;
}
