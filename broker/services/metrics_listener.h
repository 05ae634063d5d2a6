// SPDX-License-Identifier: MIT
// Serves a text over HTTP/1.1 at /metrics, at a loopback address. Anyone on the host may connect:
// so few at a time, each for so long; of what they send only the first line is looked at; and the
// text is made once a second at most. Owned by the daemon; single-threaded.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "libbundle/core/address.h"
#include "util/error.h"
#include "util/timer.h"

namespace px::broker {

class MetricsListener {
 public:
  static constexpr std::size_t kMostClients = 16;
  static constexpr std::size_t kMostRequest = 4096;  // bytes, with all its headers
  static constexpr std::chrono::seconds kPatience{5};

  MetricsListener(asio::io_context& context, std::string content_type,
                  std::function<std::string()> text);
  ~MetricsListener();
  MetricsListener(const MetricsListener&) = delete;
  MetricsListener& operator=(const MetricsListener&) = delete;

  // Serves there from now on, and nowhere else. Where it cannot, it tries again for as long as that
  // is wanted; the error is for people.
  Expected<void> serve(const std::optional<bundle::Endpoint>& address);

 private:
  struct Listening;
  struct Client;
  [[nodiscard]] Expected<void> listen(const asio::ip::tcp::endpoint& at);
  void try_again(const asio::ip::tcp::endpoint& at);
  void accept(const std::shared_ptr<Listening>& listening);
  void accepted(const std::shared_ptr<Listening>& listening, asio::ip::tcp::socket socket);
  void read_on(const std::shared_ptr<Client>& client);
  void answer(const std::shared_ptr<Client>& client);
  void ended(const std::shared_ptr<Client>& client);
  [[nodiscard]] const std::string& text();

  asio::io_context& context_;
  std::string content_type_;
  std::function<std::string()> make_text_;
  std::string text_;
  std::chrono::steady_clock::time_point made_{};
  std::optional<asio::ip::tcp::endpoint> wanted_;
  std::shared_ptr<Listening> listening_;
  Timer timer_;
  std::size_t clients_ = 0;
};

}  // namespace px::broker
