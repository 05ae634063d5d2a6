// SPDX-License-Identifier: MIT
// The MPTCP connections that are to have more subflows, and the state of each subflow: when it is
// due, what became of it, when to try again. Bookkeeping alone: the caller asks the kernel and
// reports its answers. Times are milliseconds of one clock that never goes back.
#pragma once

#include <sys/types.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libbundle/core/address.h"

namespace px::broker {

// The kernel's number for a connection in this network namespace.
using MptcpToken = std::uint32_t;

// The other end of a connection or of a subflow, as the kernel tells it.
struct MptcpPeer {
  bundle::Address address;
  std::uint32_t interface_index = 0;  // that it is bound to; 0: none, or not told
};

// What a program has asked for.
struct SubflowWish {
  uid_t user = 0;
  std::string profile;     // whose plan decides, at each attempt, how a member is reached
  std::uint32_t mark = 0;  // the socket's, which all its subflows have
  std::vector<bundle::Endpoint> members;
};

struct DueSubflow {
  MptcpToken token = 0;
  std::string profile;
  std::uint32_t mark = 0;
  bundle::Endpoint member;
};

class MptcpConnections {
 public:
  struct Limits {
    std::size_t per_user;
    std::size_t in_all;
  };
  explicit MptcpConnections(Limits limits) : limits_(limits) {}

  // The connection is to have a subflow to each of these members. `peer`: the one that it is
  // connected to; absent while it is on its way. What is known already stays as it is. Beyond the
  // limits, the oldest connection of that user, or of the user with the most, is let go: the kernel
  // reports no end of a connection that its peer resets.
  void want(MptcpToken token, SubflowWish wish, const std::optional<MptcpPeer>& peer,
            std::uint64_t now);

  // What the kernel tells, of whichever connection. A connection that is created may be ready for
  // subflows, one that is established is.
  void created(MptcpToken token, const MptcpPeer& peer, std::uint64_t now);
  void closed(MptcpToken token);
  void subflow_up(MptcpToken token, const MptcpPeer& peer);
  void subflow_down(MptcpToken token, const MptcpPeer& peer, std::uint64_t now);
  // It has told more than could be heard: what needs no subflow now is let go, since its end may
  // have been among that.
  void missed_events(std::uint64_t now);
  // Plans have changed: what failed, or had no egress, is to be tried again.
  void plans_changed(std::uint64_t now);

  // What is to be tried now, so many at most; what came of each is to be told next: 0 or the
  // kernel's errno, or that the plan has no egress for it.
  [[nodiscard]] std::vector<DueSubflow> due(std::uint64_t now, std::size_t most);
  void answered(const DueSubflow& subflow, int error, std::uint64_t now);
  void has_no_egress(const DueSubflow& subflow);
  // The kernel takes one number for one source of a connection, whatever the interface. The source
  // may be 0.0.0.0 or ::, for what the kernel chooses.
  [[nodiscard]] std::uint8_t local_id(MptcpToken token, const bundle::Address& source);
  // When something is due; nothing where nothing ever is.
  [[nodiscard]] std::optional<std::uint64_t> next_due();

  [[nodiscard]] std::size_t size() const { return connections_.size(); }

 private:
  enum class State { kWaiting, kDue, kTrying, kUp, kGivenUp };
  struct Subflow {
    bundle::Endpoint member;
    State state = State::kWaiting;  // for the connection
    unsigned failures = 0;          // since it was last up
    std::uint64_t due = 0;
  };
  struct Connection {
    SubflowWish wish;
    std::uint64_t age = 0;                 // higher: came later
    std::optional<std::uint64_t> expires;  // one that nobody has answered yet
    std::vector<Subflow> subflows;
    std::vector<bundle::Address> sources;
  };

  // Which subflow is due when. An entry counts while its subflow is due at that time.
  struct Due {
    std::uint64_t at = 0;
    MptcpToken token = 0;
    std::size_t index = 0;
    friend auto operator<=>(const Due&, const Due&) = default;
  };
  struct Found {
    MptcpToken token;
    std::size_t index;
    Subflow* subflow;  // null: there is none
  };

  [[nodiscard]] Found find(MptcpToken token, const MptcpPeer& peer);
  [[nodiscard]] Found find(const DueSubflow& subflow);
  // The earliest that counts; null where nothing is due.
  [[nodiscard]] Subflow* earliest();
  void set_due(const Found& found, std::uint64_t at);
  void make_room(uid_t user);
  void let_oldest_go(uid_t user);
  void fail(const Found& found, std::uint64_t now);

  Limits limits_;
  std::uint64_t next_age_ = 0;
  std::map<MptcpToken, Connection> connections_;
  std::set<Due> queue_;
};

}  // namespace px::broker
