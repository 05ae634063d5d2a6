// SPDX-License-Identifier: MIT
// One connection of a Unix socket: whole packets (SOCK_SEQPACKET) with descriptors, every wait
// bounded. Kept alive by the operation that waits; single-threaded.
//
// This folder (px::ipc) is what servers share that local programs talk to: it knows no messages.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "util/fd.h"

namespace px::ipc {

class PacketSocket : public std::enable_shared_from_this<PacketSocket> {
 public:
  using Packet = std::vector<std::byte>;
  struct Incoming {
    Packet packet;
    // Descriptors came along. Then the packet is still in the queue: whoever takes it off receives
    // them, or closes them.
    bool with_descriptors = false;
  };
  // Closes a socket that is done with. Who closes it last, drops what is still queued in it.
  using Close = std::function<void(Fd)>;
  using Received = std::function<void(std::optional<Incoming>)>;
  using Sent = std::function<void(bool)>;

  struct Outgoing {
    Packet packet;
    std::vector<int> descriptors;  // sent along; stay whose they are
    std::vector<Fd> owned;         // closed once sent
  };

  // `largest_packet`: bytes that the peer may send at a time.
  PacketSocket(
      asio::io_context& context, Fd socket, std::size_t largest_packet,
      Close close = [](const Fd&) {});
  PacketSocket(const PacketSocket&) = delete;
  PacketSocket& operator=(const PacketSocket&) = delete;
  ~PacketSocket() { close(); }

  // The next packet; nothing when the peer closed, the deadline passed, or the packet is longer
  // than may be. No descriptor is ever received or closed here. Calls back at once, from within,
  // where a packet is there, or the peer has closed.
  void receive(std::chrono::milliseconds deadline, Received done);

  // Sends packets one after another; false when the peer is gone, or did not read for as long as
  // the deadline. One send at a time.
  void send(std::deque<Outgoing> packets, std::chrono::milliseconds deadline, Sent done);

  // Calls back when the peer closes or sends something, or after close(). May wait beside a send.
  void wait_readable(std::function<void()> done);

  // Ends every wait.
  void close();

  // -1 once it is closed.
  [[nodiscard]] int native_handle() { return descriptor_.native_handle(); }

 private:
  using WaitType = asio::posix::stream_descriptor::wait_type;
  void wait(WaitType type, std::chrono::milliseconds deadline, std::function<void(bool)> done);
  void send_some(std::chrono::milliseconds deadline, Sent done);
  // False where there is nothing yet.
  [[nodiscard]] bool receive_some(const Received& done);

  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer timer_;
  std::size_t largest_packet_;
  Close close_;
  std::uint64_t waits_ = 0;  // so that a late timer does not end a later wait
  std::deque<Outgoing> outgoing_;
};

}  // namespace px::ipc
