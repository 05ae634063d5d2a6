// SPDX-License-Identifier: MIT
// What the programs that measure in rounds share: the clock, and the median. Nanoseconds.
#pragma once

#include <stdlib.h>
#include <time.h>

static inline long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static inline int compare_rounds(const void* a, const void* b) {
  const long long left = *(const long long*)a;
  const long long right = *(const long long*)b;
  return (left > right) - (left < right);
}

// Sorts them.
static inline long long median(long long* rounds, int count) {
  qsort(rounds, (size_t)count, sizeof *rounds, compare_rounds);
  return rounds[count / 2];
}
