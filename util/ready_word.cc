// SPDX-License-Identifier: MIT
#include "util/ready_word.h"

#include <poll.h>
#include <unistd.h>

namespace px {
namespace {

constexpr char kReady = '.';
constexpr int kWithinMs = 1000;

}  // namespace

bool say_ready(int pipe) {
  return write(pipe, &kReady, sizeof kReady) == sizeof kReady;
}

bool hear_ready(int pipe) {
  pollfd poller{pipe, POLLIN, 0};
  char word = 0;
  return poll(&poller, 1, kWithinMs) == 1 && read(pipe, &word, sizeof word) == 1 && word == kReady;
}

}  // namespace px
