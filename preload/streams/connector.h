// SPDX-License-Identifier: MIT
// What comes before a connect: the verdict, and the calls that make the program's own socket follow
// it (PX-1, PX-4, PX-6). Holds nothing but references. Callable from any thread and from signal
// handlers; errno changes only with a failure.
#pragma once

#include <cstdint>
#include <optional>

#include "preload/process/system_calls.h"
#include "preload/session/counters_page.h"
#include "preload/session/current_plan.h"
#include "preload/session/decider.h"
#include "preload/session/marker.h"
#include "preload/sockets/call_address.h"
#include "preload/sockets/fd_table.h"
#include "preload/sockets/given_sources.h"

namespace px::shim {

// How the program connects.
enum class By : std::uint8_t {
  kConnect,   // connect(2)
  kFastOpen,  // a send with MSG_FASTOPEN: connects TCP sockets, and no others
};

class Connector {
 public:
  constexpr Connector(const SystemCalls& system, FdTable& fds, const CurrentPlan& plan,
                      Decider& decider, Marker& marker, const CountersPage& counters,
                      GivenSources& given)
      : system_(system),
        fds_(fds),
        plan_(plan),
        decider_(decider),
        marker_(marker),
        counters_(counters),
        given_(given) {}

  // Whether prepare() is known, without asking, to do nothing, whatever is connected to.
  [[nodiscard]] bool leaves_alone(int fd) const {
    const FdKind kind = fds_.get(fd).kind;
    return kind != FdKind::kDecided && kind != FdKind::kReleased && decider_.is_passthrough();
  }

  // Whether the program's call is to be made now; if not, it fails with errno: EACCES (a rule says
  // block) or ENETUNREACH (nothing is available). A call that px has no say in is made as it is.
  [[nodiscard]] bool prepare(int fd, const CallAddress& destination, By by);

  // The same for a datagram socket that answers a peer which has called: from that source, by that
  // interface and with that mark, whatever the rules say. Another socket follows the rules.
  struct Answer {
    const plan::Address& source;
    std::uint32_t interface;
    std::uint32_t mark;
  };
  [[nodiscard]] bool prepare_answer(int fd, const CallAddress& peer, const Answer& answer);

  // The program has taken its socket's peer away, and with it the kernel has taken px's choices: a
  // datagram socket is put back as it was before px decided.
  void dissolved(int fd);

  // Connects a datagram socket whose device is gone to its peer again, by what the policy says now.
  // If that is not possible yet, it keeps its peer.
  [[nodiscard]] bool reconnect(int fd, const CallAddress& peer);

 private:
  [[nodiscard]] plan::Verdict decide(int fd, const FdState& state, const CallAddress& destination);
  // Whether another socket like this one could be connected.
  [[nodiscard]] bool can_reach(int socket, const FdState& state, const CallAddress& peer);
  // Takes off the socket what px put on it; whether it can leave unsteered now, as the host routes
  // it.
  [[nodiscard]] bool release(int fd, FdState state);
  // One attempt; nothing where the socket is another than was remembered, and has been forgotten.
  using Errno = int;  // 0: make the call
  [[nodiscard]] std::optional<Errno> attempt(int fd, const CallAddress& destination, By by);
  [[nodiscard]] std::optional<Errno> send_via(int fd, const FdState& state,
                                              const plan::Entry& entry);
  [[nodiscard]] std::optional<Errno> choose_source(int fd, const FdState& state,
                                                   const plan::Entry& entry);
  [[nodiscard]] bool bind_source(int fd, const FdState& state, const plan::Entry& entry);
  [[nodiscard]] bool take_device(int fd, const plan::Entry& entry);
  // Whether the socket takes the entry without a device.
  [[nodiscard]] bool goes_by_mark(int fd, const FdState& state, const plan::Entry& entry) const;
  [[nodiscard]] bool choose_device(int fd, const FdState& state, const plan::Entry& entry);
  // The mark of the entry's next hop, on a socket that may have another; 0 takes px's mark away.
  [[nodiscard]] bool choose_next_hop(int fd, const FdState& state, std::uint32_t mark);
  [[nodiscard]] std::optional<Errno> decide_again(int fd, FdState state, const plan::Entry& entry);
  [[nodiscard]] bool take_source(int fd, const FdState& state, const CallAddress& peer,
                                 const Answer& answer);
  [[nodiscard]] bool undo(int fd, FdState* state);

  const SystemCalls& system_;
  FdTable& fds_;
  const CurrentPlan& plan_;
  Decider& decider_;
  Marker& marker_;
  const CountersPage& counters_;
  GivenSources& given_;
};

}  // namespace px::shim
