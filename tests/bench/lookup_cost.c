// SPDX-License-Identifier: MIT
// lookup_cost THREADS COUNT PREFIX [same]: getaddrinfo of COUNT names in each of so many threads:
// PREFIX, a number and ".test"; other ones each time, or with `same` one alone, after a first
// lookup that is not counted. Prints the least and the median nanoseconds of one lookup.
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/rounds.h"

static int count;
static int same;
static const char* prefix;

static void look_up(const char* name) {
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  struct addrinfo* found = NULL;
  const int error = getaddrinfo(name, NULL, &hints, &found);
  if (error != 0) {
    fprintf(stderr, "%s: %s\n", name, gai_strerror(error));
    exit(1);
  }
  freeaddrinfo(found);
}

struct work {
  pthread_t thread;
  int number;
  long long* rounds;
};

static void* run(void* argument) {
  struct work* work = argument;
  char name[256];
  snprintf(name, sizeof name, "%s.test", prefix);
  if (same) look_up(name);
  for (int i = 0; i < count; ++i) {
    if (!same) snprintf(name, sizeof name, "%s-%d-%d.test", prefix, work->number, i);
    const long long start = now();
    look_up(name);
    work->rounds[i] = now() - start;
  }
  return NULL;
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const int threads = atoi(argv[1]);
  count = atoi(argv[2]);
  prefix = argv[3];
  same = argc > 4 && strcmp(argv[4], "same") == 0;
  struct work* work = calloc((size_t)threads, sizeof *work);
  long long* rounds = calloc((size_t)threads * (size_t)count, sizeof *rounds);
  for (int i = 0; i < threads; ++i) {
    work[i].number = i;
    work[i].rounds = rounds + (size_t)i * (size_t)count;
    if (pthread_create(&work[i].thread, NULL, run, &work[i]) != 0) return 1;
  }
  for (int i = 0; i < threads; ++i) pthread_join(work[i].thread, NULL);
  const long long middle = median(rounds, threads * count);  // in order from here on
  printf("%lld %lld\n", rounds[0], middle);
  free(rounds);
  free(work);
  return 0;
}
