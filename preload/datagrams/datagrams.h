// SPDX-License-Identifier: MIT
// The egress of a datagram that names its destination (PX-4, PX-5, PX-6): decided for each, and
// put into its control data; the socket itself is never bound for it. An answer from a wildcard
// server leaves from the address that was called. Holds nothing but references. Callable from any
// thread and from signal handlers.
#pragma once

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "preload/datagrams/local_address_cache.h"
#include "preload/datagrams/packet_info.h"
#include "preload/datagrams/redirecting.h"
#include "preload/datagrams/route_probe.h"
#include "preload/process/system_calls.h"
#include "preload/session/broker_session.h"
#include "preload/session/counters_page.h"
#include "preload/session/current_plan.h"
#include "preload/session/decider.h"
#include "preload/session/marker.h"
#include "preload/sockets/call_address.h"
#include "preload/sockets/fd_table.h"

namespace px::shim {

class Datagrams {
 public:
  using ProbeRoute = std::optional<Route> (*)(const bundle::Address& destination,
                                              const bundle::Address& source,
                                              std::uint32_t interface);

  constexpr Datagrams(const SystemCalls& system, const FdTable& fds, const CurrentPlan& plan,
                      BrokerSession& session, Decider& decider, Marker& marker,
                      const CountersPage& counters, const LocalAddressCache& local_addresses,
                      Redirecting& redirecting, ProbeRoute probe)
      : system_(system),
        fds_(fds),
        plan_(plan),
        session_(session),
        decider_(decider),
        marker_(marker),
        counters_(counters),
        local_addresses_(local_addresses),
        redirecting_(redirecting),
        probe_(probe) {}

  // Whether anything may be chosen for what this socket sends.
  [[nodiscard]] bool concern(int fd) const;

  // Whether deciding about one message may change how another leaves.
  [[nodiscard]] bool may_be_marked() const { return mark_mask() != 0; }

  struct Egress {
    int error = 0;                   // not 0: not to be sent; EACCES or ENETUNREACH
    std::optional<PacketInfo> info;  // to be sent with it; nothing: the message as it is
    // To be sent to there, not to the destination that the message names.
    struct Server {
      sockaddr_storage address;
      socklen_t length;
    };
    std::optional<Server> server = {};
  };
  // `destination` is the one that the message names. Counts the message as sent. Changes no errno.
  [[nodiscard]] Egress egress_of(int fd, const msghdr& message);

  // How a socket that is about to be connected to a peer answers it, where the peer has called this
  // process under a `listen`. Changes no errno.
  struct Answer {
    PacketInfo by;           // from that address, by that interface; 0: not at all
    std::uint32_t mark = 0;  // and with this mark
  };
  [[nodiscard]] bool may_answer(int fd) const;
  [[nodiscard]] std::optional<Answer> answer_to(int fd, const CallAddress& peer) const;

 private:
  struct Sender {
    int fd;
    FdState state;
    FdNotes notes;
  };
  [[nodiscard]] std::uint32_t mark_mask() const;
  [[nodiscard]] plan::ListenMode listen_mode() const;

  // What this peer called lately; by another of the process's sockets under a `listen` alone.
  [[nodiscard]] std::optional<PacketInfo> called_by(const FdNotes& notes,
                                                    const bundle::Endpoint& peer) const;
  // By which interface, under a `listen`, a call to there is answered; nothing where there is none.
  [[nodiscard]] std::optional<PacketInfo> answer_by(const plan::Call& call,
                                                    const PacketInfo& called) const;
  [[nodiscard]] bool may_add_to(const msghdr& message, const PacketInfo& called) const;
  [[nodiscard]] Egress as_program_says(const Sender& sender);
  // A question that is to go to this server instead of to the one that was asked.
  [[nodiscard]] Egress redirected(const Sender& sender, plan::Call call,
                                  const std::optional<bundle::Endpoint>& server,
                                  const bundle::Endpoint& asked, const msghdr& message);
  // To a peer that called the host at this address.
  [[nodiscard]] Egress answer(const Sender& sender, const plan::Call& call,
                              const PacketInfo& called);
  [[nodiscard]] Egress decide(const Sender& sender, const plan::Call& call);
  // Through the entry, from its own source or from the one that was called.
  [[nodiscard]] Egress via(const Sender& sender, const plan::Call& call, const plan::Entry& entry,
                           const bundle::Address* called);
  [[nodiscard]] Egress unsteered(const Sender& sender);
  [[nodiscard]] Egress unavailable();
  // Whether the socket has the mark of this next hop now; 0 for none.
  [[nodiscard]] bool choose_next_hop(const Sender& sender, std::uint32_t mark);
  [[nodiscard]] std::optional<PacketInfo> info_for(const Sender& sender,
                                                   const bundle::Address& destination,
                                                   const PacketInfo& wanted);
  [[nodiscard]] bool connected(const Sender& sender) const;
  [[nodiscard]] bool kernel_chooses(const bundle::Address& destination, const PacketInfo& wanted);

  const SystemCalls& system_;
  const FdTable& fds_;
  const CurrentPlan& plan_;
  BrokerSession& session_;
  Decider& decider_;
  Marker& marker_;
  const CountersPage& counters_;
  const LocalAddressCache& local_addresses_;
  Redirecting& redirecting_;
  const ProbeRoute probe_;
  // Digests of the choices for which kernel_chooses() was true.
  std::array<std::atomic<std::uint64_t>, 256> choices_{};
};

}  // namespace px::shim
