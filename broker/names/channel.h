// SPDX-License-Identifier: MIT
// Questions to one name server by one egress, by c-ares: datagrams, and TCP where an answer is too
// large for one. Each socket is bound to the egress's device, source and mark before it is
// connected; where that fails, nothing leaves.
//
// Of all of broker/names: owned by the daemon; single-threaded, everything on its event loop, which
// nothing here ever blocks.
#pragma once

#include <asio/io_context.hpp>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "libbundle/core/address.h"
#include "util/error.h"

namespace px::broker {

// Of an answer; without fragments everywhere (dnsflagday.net/2020). Larger ones come by TCP.
inline constexpr std::uint16_t kDatagramSize = 1232;

// A server, and how it is asked.
struct ChannelKey {
  bundle::Address server;
  std::uint16_t port = 0;
  std::string interface;
  bundle::Address source;
  std::uint32_t mark = 0;  // SO_MARK; 0: none
  bool stream = false;     // by TCP from the beginning
  bool extended = false;   // every question ends with an OPT record
  std::string tls_name{};  // not empty: by TLS alone, to a server that proves to have this name

  friend auto operator<=>(const ChannelKey&, const ChannelKey&) = default;
};

// For one lookup at a time. So no two lookups share a source port, which a spoofer would have to
// guess, nor what c-ares learns of a server in between.
class Channel {
 public:
  using Reply = std::vector<std::byte>;
  // Without a reply where nobody was reached, or nobody answers in the manner of DNS.
  using Done = std::function<void(Reply)>;

  [[nodiscard]] static Expected<std::unique_ptr<Channel>> open(asio::io_context& context,
                                                               ChannelKey key);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // `done` is called later, once, unless cancel() comes before. A server that says nothing is
  // waited for until then.
  void ask(std::span<const std::byte> query, Done done);
  // Ends all questions; none of them calls back any more.
  void cancel();

  [[nodiscard]] const ChannelKey& key() const;
  // Whether it asks as it did when it was opened.
  [[nodiscard]] bool is_as_new() const;
  // Whether the server could not prove its name.
  [[nodiscard]] bool was_refused() const;

 private:
  struct Impl;
  explicit Channel(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

// Channels that nobody uses at the moment, for those who ask the same server again: to make one
// takes longer than to ask. One that asks by TLS keeps its connection.
class Channels {
 public:
  explicit Channels(asio::io_context& context, std::size_t most_idle = 32)
      : context_(context), most_idle_(most_idle) {}

  [[nodiscard]] Expected<std::unique_ptr<Channel>> take(const ChannelKey& key);
  void give_back(std::unique_ptr<Channel> channel);
  // Ends connections that are kept for further questions: their egress may have gone.
  void drop_connections();

 private:
  asio::io_context& context_;
  std::size_t most_idle_;
  std::vector<std::unique_ptr<Channel>> idle_;  // the one that has rested longest first
};

}  // namespace px::broker
