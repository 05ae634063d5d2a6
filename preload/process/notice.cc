// SPDX-License-Identifier: MIT
#include "preload/process/notice.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

#include "preload/process/file_state.h"
#include "preload/process/signals.h"

namespace px::shim {
namespace {

class Line {
 public:
  void append(std::string_view text) {
    for (const char c : text) {
      if (size_ + 1 < text_.size()) text_[size_++] = c >= ' ' && c <= '~' ? c : '?';
    }
  }
  std::string_view finish() {
    text_[size_++] = '\n';
    return {text_.data(), size_};
  }

 private:
  std::array<char, 512> text_;
  std::size_t size_ = 0;
};

constexpr SignalMask kBrokenPipe = SignalMask{1} << (SIGPIPE - 1);

bool broken_pipe_is_pending() {
  SignalMask pending = 0;
  ::syscall(SYS_rt_sigpending, &pending, sizeof pending);
  return (pending & kBrokenPipe) != 0;
}

// Writes without ever waiting for a reader, and without a SIGPIPE that the program did not cause.
void write_stderr(std::string_view line) {
  const BlockSignals block;
  pollfd writable{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  const timespec at_once{};
  if (::syscall(SYS_ppoll, &writable, 1, &at_once, nullptr, 0) <= 0) return;
  if ((writable.revents & POLLOUT) == 0) return;
  const bool was_pending = broken_pipe_is_pending();
  ::syscall(SYS_write, STDERR_FILENO, line.data(), line.size());
  if (!was_pending && broken_pipe_is_pending()) {
    ::syscall(SYS_rt_sigtimedwait, &kBrokenPipe, nullptr, &at_once, sizeof kBrokenPipe);
  }
}

}  // namespace

void write_notice(const Settings& settings, std::span<const std::string_view> parts) {
  if (!settings.stderr_file || is_filtered(settings)) return;
  if (file_identity(STDERR_FILENO) != settings.stderr_file) return;
  Line line;
  line.append("px: ");
  if (settings.profile[0] != '\0') {
    line.append(settings.profile.data());
    line.append(": ");
  }
  for (const std::string_view part : parts) line.append(part);
  write_stderr(line.finish());
}

}  // namespace px::shim
