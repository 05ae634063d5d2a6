// SPDX-License-Identifier: MIT
#include "preload/session/lookup_request.h"

#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "plan/wire.h"
#include "preload/process/clock.h"
#include "preload/process/signals.h"
#include "preload/process/system_calls.h"

namespace px::shim {
namespace {

constexpr std::int64_t kLongestPauseMs = 256;

// Until the descriptor can be read or the deadline is there. libc's poll, since that is where a
// thread can be cancelled.
bool wait_readable(int fd, std::int64_t deadline) {
  for (;;) {
    const std::int64_t left = deadline - monotonic_ms();
    if (left <= 0) return false;
    pollfd polled{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&polled, 1, static_cast<int>(left));
    if (ready > 0) return (polled.revents & POLLNVAL) == 0;
    if (ready < 0 && errno != EINTR) return false;
  }
}

void close_cancelled(void* connection) {
  static_cast<BrokerConnection*>(connection)->close();
}

// A function of its own: what is in a frame that a thread is cancelled in must not have changed.
bool wait_for_answer(BrokerConnection* connection, std::int64_t deadline) {
  bool readable = false;
  pthread_cleanup_push(close_cancelled, connection);
  readable = wait_readable(connection->descriptor(), deadline);
  pthread_cleanup_pop(0);
  return readable;
}

// The same without a descriptor.
void wait_a_while(std::int64_t length) {
  pollfd none{.fd = -1, .events = 0, .revents = 0};
  (void)::poll(&none, 1, static_cast<int>(length));
}

enum class Asked : std::uint8_t { kAnswered, kRefused, kBusy, kNobody };

bool send_request(BrokerConnection* connection, const Settings& settings,
                  const SecondSocket& second, const plan::Lookup& lookup) {
  const BlockSignals block;
  return connection->connect(settings, second) == 0 &&
         connection->send(std::as_bytes(std::span(&lookup, 1)));
}

Asked receive_answer(BrokerConnection* connection, LookupReply* reply) {
  const BlockSignals block;
  // One byte more than any answer is long.
  alignas(plan::LookupAnswer) std::byte packet[sizeof(plan::LookupAnswer) + 1];
  do {
    iovec buffer{.iov_base = packet, .iov_len = sizeof packet};
    msghdr message{};
    message.msg_iov = &buffer;
    message.msg_iovlen = 1;
    const std::span<const std::byte> received(packet, connection->receive(&message));
    if (received.empty()) return Asked::kNobody;
    if (const auto refusal = plan::parse<plan::Refusal>(received)) {
      return refusal->code == plan::RefusalCode::kBusy ? Asked::kBusy : Asked::kRefused;
    }
    // Looked at in place: another copy would be dear on a small stack.
    const auto* answer = plan::view<plan::LookupAnswer>(received);
    if (answer == nullptr || !reply->add(*answer)) return Asked::kRefused;
  } while (!reply->is_whole());
  return Asked::kAnswered;
}

Asked ask_once(const Settings& settings, const SecondSocket& second, const plan::Lookup& lookup,
               std::int64_t deadline, LookupReply* reply) {
  BrokerConnection connection(deadline);
  if (!send_request(&connection, settings, second, lookup)) return Asked::kNobody;
  if (!wait_for_answer(&connection, deadline)) return Asked::kNobody;
  return receive_answer(&connection, reply);
}

}  // namespace

std::span<const std::byte> LookupReply::packet(std::size_t question) const {
  const std::size_t before = question == 0 ? 0 : lengths_[0];
  return {data() + before, lengths_[question]};
}

std::span<std::byte> LookupReply::refill(
    plan::LookupOutcome outcome, std::span<const std::uint32_t, plan::kLookupQuestions> lengths) {
  clear();
  outcome_ = outcome;
  std::ranges::copy(lengths, lengths_);
  received_ = size();
  began_ = true;
  return {own_, size()};
}

std::span<std::byte> LookupReply::packet_to_change(std::size_t question) {
  const auto packet = this->packet(question);
  return {own_ + (packet.data() - data()), packet.size()};
}

bool LookupReply::add(const plan::LookupAnswer& part) {
  if (!began_) {
    outcome_ = part.outcome;
    lifetime_s_ = part.lifetime_s;
    std::copy(std::begin(part.lengths), std::end(part.lengths), lengths_);
    began_ = true;
    if (size() > sizeof own_) {
      void* room =
          ::mmap(nullptr, size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (room == MAP_FAILED) return false;
      mapped_ = static_cast<std::byte*>(room);
    }
  }
  const bool same = std::equal(std::begin(part.lengths), std::end(part.lengths), lengths_);
  if (!same || part.offset != received_) return false;
  const std::size_t count = std::min(size() - received_, plan::LookupAnswer::kPart);
  std::byte* place = mapped_ != nullptr ? mapped_ : own_;
  std::memcpy(place + received_, part.bytes, count);
  received_ += count;
  return count != 0 || size() == 0;
}

void LookupReply::clear() {
  if (mapped_ != nullptr) ::munmap(mapped_, size());
  mapped_ = nullptr;
  lengths_[0] = lengths_[1] = 0;
  lifetime_s_ = 0;
  received_ = 0;
  began_ = false;
  outcome_ = plan::LookupOutcome::kTryAgain;
}

int begin_lookup(const Settings& settings, const SecondSocket& second, const plan::Lookup& lookup,
                 std::int64_t deadline) {
  if (is_filtered(settings)) return -1;
  const KeepErrno keep;
  BrokerConnection connection(deadline);
  return send_request(&connection, settings, second, lookup) ? connection.keep() : -1;
}

bool finish_lookup(int descriptor, std::int64_t deadline, LookupReply* reply) {
  const KeepErrno keep;
  BrokerConnection connection(deadline, BrokerConnection::Kept{descriptor});
  if (!wait_for_answer(&connection, deadline)) return false;
  if (receive_answer(&connection, reply) == Asked::kAnswered) return true;
  reply->clear();
  return false;
}

bool request_lookup(const Settings& settings, const SecondSocket& second,
                    const plan::Lookup& lookup, std::int64_t deadline, LookupReply* reply) {
  if (is_filtered(settings)) return false;
  const KeepErrno keep;
  std::int64_t length = 8;
  for (;;) {
    const Asked asked = ask_once(settings, second, lookup, deadline, reply);
    if (asked == Asked::kAnswered) return true;
    reply->clear();
    const std::int64_t left = deadline - monotonic_ms();
    if (asked == Asked::kRefused || left <= 0) return false;
    wait_a_while(std::min(length, left));
    length = std::min(length * 2, kLongestPauseMs);
  }
}

}  // namespace px::shim
