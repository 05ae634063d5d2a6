// SPDX-License-Identifier: MIT
// TCP beside an SCTP association that is being made: where TCP gets through and SCTP does not,
// something in between drops SCTP, and the program is to go on to TCP (PB-12). Probes (probe.h), a
// stagger apart. For one attempt, on its stack; times are milliseconds of CLOCK_MONOTONIC. Wants
// signals held. May change errno.
#pragma once

#include <poll.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>

#include "libbundle/connect/egress.h"
#include "libbundle/core/system_calls.h"

namespace px::bundle {

class TcpBeside {
 public:
  static constexpr std::size_t kMost = 4;
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  // The first probe is due a stagger after `begin`. The span must outlive this.
  TcpBeside(const SystemCalls& system, Egress& egress, sa_family_t family,
            std::span<const Endpoint> members, std::int64_t begin, std::int64_t stagger_ms)
      : system_(system),
        egress_(egress),
        family_(family),
        members_(members.first(std::min(members.size(), kMost))),
        stagger_(stagger_ms),
        due_(begin + stagger_ms) {}
  TcpBeside(const TcpBeside&) = delete;
  TcpBeside& operator=(const TcpBeside&) = delete;
  ~TcpBeside() { close_all(); }

  // Opens the probe that is due, if one is.
  void advance(std::int64_t now);
  // When the next one is due.
  [[nodiscard]] std::int64_t due() const { return next_ < members_.size() ? due_ : kNever; }
  // What to wait for: the number of probes, written from `polls` on, which has room for kMost.
  [[nodiscard]] unsigned watch(pollfd* polls) const;
  // What poll(2) has said of them.
  void settle(const pollfd* polls, unsigned count, std::int64_t now);
  // Until when SCTP may still answer.
  [[nodiscard]] std::int64_t sctp_ends() const { return sctp_ends_; }
  void close_all();

 private:
  struct Probe {
    int fd = -1;
    std::int64_t since = 0;
  };

  const SystemCalls& system_;
  Egress& egress_;
  const sa_family_t family_;
  const std::span<const Endpoint> members_;
  const std::int64_t stagger_;
  std::array<Probe, kMost> probes_;
  std::size_t next_ = 0;
  std::int64_t due_;
  std::int64_t sctp_ends_ = kNever;
};

}  // namespace px::bundle
