// SPDX-License-Identifier: MIT
#include "libbundle/connect/sctp_connect.h"

#include <fcntl.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "libbundle/connect/held_signals.h"
#include "libbundle/connect/kernel_addresses.h"
#include "libbundle/connect/packed_addresses.h"
#include "libbundle/connect/sctp_scope.h"
#include "libbundle/connect/sctp_wait.h"
#include "libbundle/connect/tcp_beside.h"
#include "libbundle/core/sctp.h"
#include "libbundle/core/socket_option.h"

namespace px::bundle {
namespace {

constexpr std::int64_t kAnswerMs = 500;
constexpr std::int64_t kForever = 1'000'000'000;
constexpr std::int64_t kNonBlockingLimitMs = 1'500;
constexpr std::int64_t kRetryWithinMs = 1'000;  // of a host that does not answer
// Each member of a host is called within this time, be there ever so many.
constexpr std::uint32_t kAllCalledMs = 700;
constexpr std::uint32_t kShortestInitialMs = 20;

int weight(Errno error) {
  if (error == ECONNREFUSED) return 3;
  if (error == ENETUNREACH || error == EACCES) return 0;
  return error == ETIMEDOUT ? 1 : 2;
}

// The members of one host that are still to be tried, in order.
class Host {
 public:
  // The narrowest scope goes first, so that the kernel offers all local addresses.
  void add(const Endpoint& member) {
    const SctpScope scope = sctp_scope(member.address);
    std::size_t at = count_++;
    for (; at > 0 && sctp_scope(members_[at - 1].address) > scope; --at) {
      members_[at] = members_[at - 1];
    }
    members_[at] = member;
  }
  void drop(std::size_t at) {
    std::copy(members_.begin() + at + 1, members_.begin() + count_, members_.begin() + at);
    --count_;
  }
  void rotate() { std::rotate(members_.begin(), members_.begin() + 1, members_.begin() + count_); }
  [[nodiscard]] std::span<const Endpoint> members() const { return {members_.data(), count_}; }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  std::array<Endpoint, kMostMembers> members_;
  std::size_t count_ = 0;
};

class Association {
 public:
  Association(const SystemCalls& system, Egress& egress, int fd, const SctpTimes& times)
      : system_(system), egress_(egress), fd_(fd), times_(times), begin_(now()) {
    const int flags = system_.fcntl(fd, F_GETFL, 0);
    blocks_ = flags >= 0 && (flags & O_NONBLOCK) == 0;
    family_ = int_option(system_, fd, SOL_SOCKET, SO_DOMAIN).value_or(AF_UNSPEC);
    sockaddr_storage peer;
    socklen_t length = sizeof peer;
    connected_ = system_.getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) == 0;
  }

  [[nodiscard]] bool can_reach(const Endpoint& member) const {
    return family_ == AF_INET6 || member.address.is_ipv4();
  }
  // The call's result; nothing where the host cannot be reached, and error() then has the reason.
  // `patiently`: there is no other host to go on to.
  [[nodiscard]] std::optional<Errno> reach(Host& host, bool patiently);
  // Whether the last host was silent.
  [[nodiscard]] bool was_silent() const { return silent_; }
  [[nodiscard]] Errno error() const { return error_ != 0 ? error_ : EAFNOSUPPORT; }

 private:
  [[nodiscard]] std::int64_t now() const { return monotonic_ms(system_); }
  void keep_permitted(Host& host);
  // Whether the socket has the egress of each member that is left.
  [[nodiscard]] bool prepare_each(Host& host);
  // The same for all addresses that the peer has announced.
  void prepare_peer();
  void keep_same_egress(Host& host);
  [[nodiscard]] bool same_egress(const Endpoint& a, const Endpoint& b) const;
  [[nodiscard]] Errno try_prepare(const Endpoint& member) const;
  [[nodiscard]] Errno attempt(std::span<const Endpoint> members, std::uint32_t initial_ms);
  [[nodiscard]] Errno call(std::span<const Endpoint> members, std::int64_t wait_ms);
  [[nodiscard]] Errno await(std::span<const Endpoint> members, std::int64_t begin,
                            std::uint32_t initial_ms, HeldSignals& held);
  // Whether the program does better to go on to TCP at once.
  [[nodiscard]] bool is_hopeless(const Host& host) const;
  void failed(Errno error) {
    if (error_ == 0 || weight(error) > weight(error_)) error_ = error;
  }

  const SystemCalls& system_;
  Egress& egress_;
  const int fd_;
  const SctpTimes times_;
  const std::int64_t begin_;
  int family_ = AF_UNSPEC;
  bool blocks_ = true;
  bool connected_ = false;  // before this call
  bool answered_ = false;   // to the last attempt
  bool silent_ = false;
  bool tcp_answered_ = false;
  std::optional<Endpoint> prepared_for_;  // the member whose egress the socket has
  bool each_prepared_ = false;            // the socket has the egress of several members
  Errno error_ = 0;
};

void Association::keep_permitted(Host& host) {
  if (!prepared_for_ && prepare_each(host)) return;
  if (each_prepared_) {
    // The socket drops what it sends to any other member.
    if (host.count() > 0) failed(ENETUNREACH);
    while (host.count() > 0) host.drop(0);
    return;
  }
  keep_same_egress(host);
}

bool Association::prepare_each(Host& host) {
  const auto several = [&] {
    const auto members = host.members();
    return std::any_of(members.begin(), members.end(), [&](const Endpoint& member) {
      return !same_egress(members.front(), member);
    });
  };
  if (!each_prepared_ && !several()) return false;
  if (connected_) {  // the kernel's to answer
    each_prepared_ = true;
    return true;
  }
  for (std::size_t i = host.count(); i-- > 0;) {
    const Errno error = try_prepare(host.members()[i]);
    if (error == 0) continue;
    failed(error);
    host.drop(i);
  }
  if (host.count() == 0 || (!each_prepared_ && !several())) return false;
  if (!egress_.prepare_each(fd_, host.members())) return false;
  each_prepared_ = true;
  return true;
}

void Association::prepare_peer() {
  const Bundle peer = kernel_addresses(system_, fd_, Side::kPeer);
  if (peer.count > 0) (void)egress_.prepare_each(fd_, peer.members());
}

// All of an association's packets leave by the socket's one device and source, which it keeps:
// members with another egress, or none, are left out.
void Association::keep_same_egress(Host& host) {
  while (!prepared_for_ && host.count() > 0) {
    const Errno error = egress_.prepare(fd_, host.members().front());
    if (error == 0) {
      prepared_for_ = host.members().front();
    } else {
      failed(error);
      host.drop(0);
    }
  }
  for (std::size_t i = host.count(); i-- > 0;) {
    const Endpoint& member = host.members()[i];
    if (member.address == prepared_for_->address && member.scope == prepared_for_->scope) continue;
    const Errno error = same_egress(*prepared_for_, member) ? try_prepare(member) : ENETUNREACH;
    if (error == 0) continue;
    failed(error);
    host.drop(i);
  }
}

bool Association::same_egress(const Endpoint& a, const Endpoint& b) const {
  return egress_.can_move(fd_, a, b) && egress_.can_move(fd_, b, a);
}

Errno Association::try_prepare(const Endpoint& member) const {
  const int probe = system_.socket(family_, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);
  if (probe < 0) return errno;
  const Errno error = egress_.prepare(probe, member);
  (void)system_.close(probe);
  return error;
}

// connect(2) to the members; a blocking socket waits for `wait_ms` (at least 1) only.
Errno Association::call(std::span<const Endpoint> members, std::int64_t wait_ms) {
  timeval own{};
  socklen_t length = sizeof own;
  const std::int64_t own_ms = blocks_ ? send_timeout_ms(system_, fd_) : 0;
  if (own_ms != 0) wait_ms = std::min(wait_ms, own_ms);
  const timeval wait{.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
  const bool limited = blocks_ &&
                       system_.getsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &own, &length) == 0 &&
                       system_.setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0;
  const PackedAddresses packed(members);
  const int result =
      system_.setsockopt(fd_, kSolSctp, kSctpConnectx, packed.bytes.data(), packed.size);
  const Errno error = result >= 0 ? 0 : errno;
  if (limited) (void)system_.setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &own, sizeof own);
  return error;
}

Errno Association::attempt(std::span<const Endpoint> members, std::uint32_t initial_ms) {
  const SctpRtoInfo times{.association = 0, .initial = initial_ms, .most = 0, .least = 0};
  (void)system_.setsockopt(fd_, kSolSctp, kSctpRtoInfo, &times, sizeof times);
  const SctpInitMessage tries{.streams_out = 0,
                              .streams_in = 0,
                              .attempts = static_cast<std::uint16_t>(members.size() + 1),
                              .most_ms = 0};
  (void)system_.setsockopt(fd_, kSolSctp, kSctpInitMessage, &tries, sizeof tries);
  // While the kernel waits for a time, a handler would end the call, be it to restart or not.
  std::optional<HeldSignals> held(std::in_place, system_);
  const std::int64_t since = now();
  Errno error = call(members, std::min<std::int64_t>(initial_ms, kSignalsWaitMs));
  // No handler can have run: the program was stopped for a while. The association is being made.
  if (error == EINTR && blocks_) error = EINPROGRESS;
  const bool certain =
      !blocks_ && !each_prepared_ && egress_.health(members.front()) == Health::kAlive;
  if (error == EINPROGRESS && !certain) {
    error = await(members, since, initial_ms, *held);
    answered_ = error == 0;
    return error == 0 && !blocks_ ? EINPROGRESS : error;
  }
  held.reset();
  if (error == EALREADY && blocks_) return go_on_connecting(system_, fd_);
  // The association was made while the kernel was about to call again.
  if (error == EISCONN && blocks_ && !connected_) error = 0;
  answered_ = error == 0;
  // Clears a failure from the socket; the errors of a connect before this one are the program's.
  const bool failed =
      error != 0 && error != EINPROGRESS && error != EINTR && error != EALREADY && error != EISCONN;
  if (failed) (void)await_association(system_, fd_, 0);
  return error;
}

// A blocking socket waits until the kernel gives up.
Errno Association::await(std::span<const Endpoint> members, std::int64_t begin,
                         std::uint32_t initial_ms, HeldSignals& held) {
  const auto most = static_cast<std::int64_t>(members.size()) * initial_ms + kAnswerMs;
  const std::int64_t limit = blocks_ ? kForever : std::min(most, kNonBlockingLimitMs);
  TcpBeside beside(system_, egress_, static_cast<sa_family_t>(family_), members, begin,
                   times_.stagger_ms);
  const std::int64_t own = blocks_ ? send_timeout_ms(system_, fd_) : 0;
  const AttemptWait wait{.end = begin + limit,
                         .program_end = own == 0 ? 0 : begin_ + own,
                         .blocks = blocks_,
                         .beside = times_.tcp_beside ? &beside : nullptr};
  const Errno error = await_attempt(system_, fd_, wait, held);
  tcp_answered_ = beside.sctp_ends() != TcpBeside::kNever;
  return error;
}

// Each member was silent over SCTP a short time ago, while it answered over TCP.
bool Association::is_hopeless(const Host& host) const {
  const auto members = host.members();
  return times_.tcp_beside && !connected_ && !members.empty() &&
         std::all_of(members.begin(), members.end(), [this](const Endpoint& member) {
           return egress_.health(member) == Health::kDead;
         });
}

std::optional<Errno> Association::reach(Host& host, bool patiently) {
  silent_ = false;
  if (is_hopeless(host)) {
    failed(ETIMEDOUT);
    return std::nullopt;
  }
  keep_permitted(host);
  const std::int64_t begin = now();
  const auto count = static_cast<std::uint32_t>(std::max<std::size_t>(host.count(), 1));
  std::uint32_t initial =
      std::min(times_.stagger_ms, std::max(kAllCalledMs / count, kShortestInitialMs));
  std::size_t turns = 2 * host.count();
  while (host.count() > 0 && turns-- > 0) {
    const Endpoint first = host.members().front();
    const std::int64_t since = now();
    const Errno error = attempt(host.members(), initial);
    const bool of_first = now() - since < initial;
    if (error == 0 || error == EINPROGRESS) {
      if (of_first && answered_) egress_.report(first, true);
      if (each_prepared_ && answered_) prepare_peer();
      return error;
    }
    if (error == EINTR || error == EALREADY || error == EISCONN) return error;
    failed(error == EPROTO || error == ENOPROTOOPT ? ECONNREFUSED : error);
    if (error == ETIMEDOUT) {
      silent_ = true;
      if (tcp_answered_) {
        for (const Endpoint& member : host.members()) egress_.report(member, false);
      }
      if (tcp_answered_ || !patiently || now() - begin >= kRetryWithinMs) break;
      initial = std::max<std::uint32_t>(initial, 2 * kSctpLeastMs);
      host.rotate();
    } else if (of_first) {
      // No other member has been called yet.
      host.drop(0);
    } else {
      host.rotate();
    }
  }
  return std::nullopt;
}

}  // namespace

void tune_sctp(const SystemCalls& system, int fd) {
  const SctpRtoInfo times{
      .association = 0, .initial = kSctpInitialMs, .most = kSctpMostMs, .least = kSctpLeastMs};
  (void)system.setsockopt(fd, kSolSctp, kSctpRtoInfo, &times, sizeof times);
}

Errno sctp_connect(const SystemCalls& system, Egress& egress, int fd, const Bundle& bundle,
                   const SctpTimes& times) {
  Association association(system, egress, fd, times);
  const auto members = bundle.members();
  const bool alternatives = bundle.alternatives != 0;
  std::uint32_t again = 0;  // bit i: the host that begins with member i was silent at first
  // All hosts get a short time, and those that were silent a longer one after that.
  for (const bool patiently : {false, true}) {
    if (!patiently && !alternatives) continue;
    for (std::size_t i = 0; i < members.size();) {
      const std::size_t begin = i;
      Host host;
      do {
        if (association.can_reach(members[i])) host.add(members[i]);
        ++i;
      } while (i < members.size() && (bundle.alternatives >> i & 1) == 0);
      if (alternatives && patiently && (again >> begin & 1) == 0) continue;
      if (const auto answer = association.reach(host, patiently)) return *answer;
      if (association.was_silent()) again |= std::uint32_t{1} << begin;
    }
  }
  return association.error();
}

}  // namespace px::bundle
