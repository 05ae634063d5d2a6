// SPDX-License-Identifier: MIT
// Descriptors for px where the program has used its last: the soft limit of RLIMIT_NOFILE is higher
// in the scope, as far as the hard one lets it. None is kept open meanwhile, since programs count
// their descriptors. For callers that block signals, so that no handler leaves the limit raised.
// Bare system calls; may change errno.
#pragma once

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace px::shim {

class SpareDescriptors {
 public:
  SpareDescriptors() = default;
  SpareDescriptors(const SpareDescriptors&) = delete;
  SpareDescriptors& operator=(const SpareDescriptors&) = delete;
  ~SpareDescriptors() { give_back(); }

  void give_back() {
    if (taken_) (void)move_limit(-kSpare);
    taken_ = false;
  }

  [[nodiscard]] bool is_taken() const { return taken_; }
  // After EMFILE: whether there are some more now than there were.
  [[nodiscard]] bool take() {
    if (taken_) return false;
    taken_ = move_limit(kSpare);
    return taken_;
  }

 private:
  static constexpr int kSpare = 8;

  // Relative, so that two threads at once leave the limit as they found it.
  static bool move_limit(int by) {
    rlimit limit{};
    if (::syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit) != 0) return false;
    if (by > 0 && (limit.rlim_cur >= limit.rlim_max ||
                   limit.rlim_max - limit.rlim_cur < static_cast<rlim_t>(by))) {
      return false;
    }
    limit.rlim_cur += static_cast<rlim_t>(by);
    return ::syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, nullptr) == 0;
  }

  bool taken_ = false;
};

}  // namespace px::shim
