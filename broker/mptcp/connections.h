// SPDX-License-Identifier: MIT
// The MPTCP connections that are to have further subflows, and how far they are: which is to be
// made when, what became of it, when to try again. Bookkeeping alone: who calls asks the kernel and
// tells what it said. Times are milliseconds of one clock that never goes back.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "broker/routing/member_way.h"

namespace px::broker {

// The kernel's number for a connection in this network namespace.
using MptcpToken = std::uint32_t;

struct SubflowAttempt {
  MptcpToken token = 0;
  MemberWay way;
  std::uint8_t local_id = 0;  // the same for all of the connection's ways with the same source
};

class MptcpConnections {
 public:
  struct Limits {
    std::size_t per_user;
    std::size_t in_all;
  };
  explicit MptcpConnections(Limits limits) : limits_(limits) {}

  // The connection is to have a subflow by each of these ways, which have different members.
  // `peer`: the member that it is connected to; absent while it is on its way. False: beyond the
  // limits.
  [[nodiscard]] bool want(MptcpToken token, uid_t user, const std::vector<MemberWay>& ways,
                          const std::optional<bundle::Address>& peer, std::uint64_t now);

  // What the kernel tells, of whichever connection. A connection that is created may be ready for
  // subflows, one that is established is.
  void created(MptcpToken token, const bundle::Address& peer, std::uint64_t now);
  void closed(MptcpToken token);
  void subflow_up(MptcpToken token, const bundle::Address& peer);
  void subflow_down(MptcpToken token, const bundle::Address& peer, std::uint64_t now);
  // It has told more than could be heard: what needs no subflow now is let go, since its end may
  // have been among that.
  void missed_events(std::uint64_t now);

  // What is to be tried now; the kernel's answer to each, an errno or 0, is to be told next.
  [[nodiscard]] std::vector<SubflowAttempt> due(std::uint64_t now);
  void answered(const SubflowAttempt& attempt, int error, std::uint64_t now);
  // When something is due; nothing where nothing ever is.
  [[nodiscard]] std::optional<std::uint64_t> next_due() const;

  [[nodiscard]] std::size_t size() const { return connections_.size(); }

 private:
  enum class State { kWaiting, kDue, kTrying, kUp, kGivenUp };
  struct Subflow {
    MemberWay way;
    State state = State::kWaiting;  // for the connection
    unsigned failures = 0;          // since it was last up
    std::uint64_t due = 0;
  };
  struct Connection {
    uid_t user = 0;
    std::optional<std::uint64_t> expires;  // one that nobody has answered yet
    std::vector<Subflow> subflows;
  };

  [[nodiscard]] Subflow* find(MptcpToken token, const bundle::Address& peer);
  [[nodiscard]] std::size_t count_of(uid_t user) const;
  static void fail(Subflow& subflow, std::uint64_t now);
  void expire(std::uint64_t now);

  Limits limits_;
  std::map<MptcpToken, Connection> connections_;
};

}  // namespace px::broker
