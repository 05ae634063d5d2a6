// SPDX-License-Identifier: MIT
// One connection of pxctl or px-exec to the broker (docs/protocol.md): the places of its socket,
// and requests and launches with a deadline each. Owned by one thread; not for signal handlers.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "plan/wire.h"
#include "util/error.h"
#include "util/fd.h"

namespace px::cli {

// Where a broker may be, in the order of asking.
struct SocketSearch {
  std::vector<std::string> paths;
  bool named = false;      // by --socket or PX_SOCKET: no other place will do
  bool by_option = false;  // by --socket
};

// `option`: the value of --socket; empty: not given.
[[nodiscard]] SocketSearch socket_search(const std::string& option);

class Client {
 public:
  using Duration = std::chrono::milliseconds;
  static constexpr Duration kPatience{5000};

  [[nodiscard]] static Expected<Client> connect(const std::string& path);
  // The first that answers; the error names each place and why it did not.
  [[nodiscard]] static Expected<Client> connect_first(const SocketSearch& search);

  // The broker's reply, put together from its packets. A reply {"error": ...} is a reply. Without
  // `patience` it waits for ever.
  [[nodiscard]] Expected<nlohmann::json> ask(const nlohmann::json& request,
                                             std::optional<Duration> patience = kPatience);
  // The next reply to a request that has several.
  [[nodiscard]] Expected<nlohmann::json> next_reply(std::optional<Duration> patience);

  // Announces the program that this process is about to become, again while the broker is busy. A
  // refusal is returned, nothing is success.
  [[nodiscard]] Expected<std::optional<plan::Refusal>> launch(const std::string& profile,
                                                              const std::string& why_uncovered);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int descriptor() const { return socket_.get(); }
  // This process's, by its cookie; 0 where the kernel does not tell (before Linux 5.14).
  [[nodiscard]] std::uint64_t network_namespace() const;

 private:
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;

  Client(Fd socket, std::string path);
  [[nodiscard]] Expected<std::optional<plan::Refusal>> launch_once(const std::string& profile,
                                                                   const std::string& why_uncovered,
                                                                   const Deadline& deadline);
  [[nodiscard]] Expected<void> send_packet(const void* data, std::size_t size);
  // The packet's size in buffer_.
  [[nodiscard]] Expected<std::size_t> receive_packet(const Deadline& deadline);

  Fd socket_;
  std::string path_;
  std::unique_ptr<std::byte[]> buffer_;  // of the largest message; not filled in advance
};

}  // namespace px::cli
