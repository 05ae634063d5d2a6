// SPDX-License-Identifier: MIT
// start_cost COUNT PROGRAM... -- PROGRAM...: runs both COUNT times in turns, and prints the median
// nanoseconds from the start to the end of each.
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/bench/rounds.h"

extern char** environ;

static long long run(char** words) {
  const long long start = now();
  pid_t child;
  int status;
  if (posix_spawnp(&child, words[0], NULL, NULL, words, environ) != 0 ||
      waitpid(child, &status, 0) != child || status != 0) {
    fprintf(stderr, "%s failed\n", words[0]);
    exit(1);
  }
  return now() - start;
}

int main(int argc, char** argv) {
  int split = 2;
  while (split < argc && strcmp(argv[split], "--") != 0) ++split;
  if (split + 1 >= argc) return 2;
  argv[split] = NULL;
  char** const programs[] = {argv + 2, argv + split + 1};
  const int count = atoi(argv[1]);
  long long* rounds[2];
  for (int i = 0; i < 2; ++i) rounds[i] = calloc((size_t)count, sizeof **rounds);
  for (int round = 0; round < count; ++round) {
    for (int i = 0; i < 2; ++i) rounds[i][round] = run(programs[i]);
  }
  for (int i = 0; i < 2; ++i) {
    printf("%lld\n", median(rounds[i], count));
    free(rounds[i]);
  }
  return 0;
}
