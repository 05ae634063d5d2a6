// SPDX-License-Identifier: MIT
// herd PROCESSES THREADS ADDR PORT: forks, and all threads of all processes make their first
// connect at the same moment. Prints how many got which local address or error, and how long the
// slowest connect took.
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "program.h"

enum { kMostThreads = 256 };

// How one connect ended: the local address, or its errno.
struct outcome {
  char text[INET6_ADDRSTRLEN];
  long milliseconds;
};

static struct destination destination;
static struct outcome* outcomes;  // shared by all
static pthread_barrier_t* start;  // likewise

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void* shared(size_t size) {
  void* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) exit(2);
  return memory;
}

static void* run(void* argument) {
  struct outcome* outcome = argument;
  const int fd = make_socket(&destination, SOCK_STREAM);
  pthread_barrier_wait(start);
  const long before = now_ms();
  const int result = connect(fd, as_sockaddr(&destination), destination.length);
  const int error = errno;
  outcome->milliseconds = now_ms() - before;
  if (result != 0) {
    snprintf(outcome->text, sizeof outcome->text, "%s", strerrorname_np(error));
  } else {
    local_address(fd, outcome->text, sizeof outcome->text);
  }
  close(fd);
  return NULL;
}

static void run_process(int threads, struct outcome* first) {
  pthread_t ids[kMostThreads];
  for (int i = 0; i < threads; ++i) {
    if (pthread_create(&ids[i], NULL, run, first + i) != 0) exit(2);
  }
  for (int i = 0; i < threads; ++i) pthread_join(ids[i], NULL);
}

static int compare(const void* a, const void* b) {
  return strcmp(((const struct outcome*)a)->text, ((const struct outcome*)b)->text);
}

int main(int argc, char** argv) {
  destination = parse_destination(argc, argv, 3);
  const int processes = atoi(argv[1]);
  const int threads = atoi(argv[2]);
  if (processes < 1 || threads < 1 || threads > kMostThreads) return 2;
  const int count = processes * threads;
  outcomes = shared((size_t)count * sizeof *outcomes);
  start = shared(sizeof *start);
  pthread_barrierattr_t attributes;
  pthread_barrierattr_init(&attributes);
  pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_barrier_init(start, &attributes, (unsigned)count);
  for (int i = 0; i < processes; ++i) {
    const pid_t child = fork();
    if (child < 0) return 2;
    if (child > 0) continue;
    run_process(threads, outcomes + i * threads);
    _exit(0);
  }
  while (wait(NULL) > 0) continue;
  qsort(outcomes, (size_t)count, sizeof *outcomes, compare);
  long slowest = 0;
  for (int i = 0, same = 1; i < count; ++i, ++same) {
    if (outcomes[i].milliseconds > slowest) slowest = outcomes[i].milliseconds;
    if (i + 1 < count && compare(&outcomes[i], &outcomes[i + 1]) == 0) continue;
    printf("%s: %d\n", outcomes[i].text, same);
    same = 0;
  }
  printf("slowest: %ld ms\n", slowest);
  return 0;
}
