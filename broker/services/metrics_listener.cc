// SPDX-License-Identifier: MIT
#include "broker/services/metrics_listener.h"

#include <array>
#include <asio/buffer.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <string_view>
#include <utility>

namespace px::broker {
namespace {

using asio::ip::tcp;

constexpr std::chrono::seconds kTextAge{1};
constexpr std::chrono::seconds kRest{1};  // after a failed accept
constexpr std::chrono::seconds kRetryInterval{1};

tcp::endpoint endpoint_of(const bundle::Endpoint& address) {
  const auto& bytes = address.address.bytes;
  if (address.address.is_ipv4()) {
    return {asio::ip::address_v4({bytes[12], bytes[13], bytes[14], bytes[15]}), address.port};
  }
  asio::ip::address_v6::bytes_type v6;
  std::copy(bytes.begin(), bytes.end(), v6.begin());
  return {asio::ip::address_v6(v6), address.port};
}

std::string whole_answer(std::string_view status, std::string_view type, std::string_view body) {
  std::string text = "HTTP/1.1 ";
  text.append(status).append("\r\nContent-Type: ").append(type);
  text.append("\r\nContent-Length: ").append(std::to_string(body.size()));
  return text.append("\r\nConnection: close\r\n\r\n").append(body);
}

std::string text_with(std::string_view status, std::string_view why) {
  return whole_answer(status, "text/plain; charset=utf-8", why);
}

}  // namespace

struct MetricsListener::Listening {
  explicit Listening(asio::io_context& context) : acceptor(context), rest(context) {}

  tcp::acceptor acceptor;
  asio::steady_timer rest;
  bool accepting = false;
};

struct MetricsListener::Client {
  explicit Client(tcp::socket connected)
      : socket(std::move(connected)), deadline(socket.get_executor()) {}

  tcp::socket socket;
  asio::steady_timer deadline;
  std::array<char, 1024> buffer{};
  std::string request;
  std::string answer;
};

MetricsListener::MetricsListener(asio::io_context& context, std::string content_type,
                                 std::function<std::string()> text)
    : context_(context),
      content_type_(std::move(content_type)),
      make_text_(std::move(text)),
      timer_(context) {}

MetricsListener::~MetricsListener() = default;

Expected<void> MetricsListener::serve(const std::optional<bundle::Endpoint>& address) {
  const auto wanted = address ? std::optional(endpoint_of(*address)) : std::nullopt;
  if (wanted == wanted_ && (listening_ || !wanted)) return {};
  wanted_ = wanted;
  if (const auto before = std::exchange(listening_, nullptr)) {
    std::error_code ignored;
    before->acceptor.close(ignored);
    before->rest.cancel();
  }
  if (!wanted_) return {};
  auto listens = listen(*wanted_);
  if (!listens) try_again(*wanted_);
  return listens;
}

Expected<void> MetricsListener::listen(const tcp::endpoint& at) {
  auto listening = std::make_shared<Listening>(context_);
  tcp::acceptor& acceptor = listening->acceptor;
  std::error_code error;
  acceptor.open(at.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(at, error);
  if (!error) acceptor.listen(kMostClients, error);
  if (error) {
    return fail("metrics are not served, " + at.address().to_string() + " port " +
                std::to_string(at.port()) + ": " + error.message() +
                "; the broker tries again; 'broker: { metrics: ... }' names another port");
  }
  listening_ = std::move(listening);
  accept(listening_);
  return {};
}

void MetricsListener::try_again(const tcp::endpoint& at) {
  timer_.after(kRetryInterval, [this, at] {
    if (wanted_ == at && !listening_ && !listen(at)) try_again(at);
  });
}

void MetricsListener::accept(const std::shared_ptr<Listening>& listening) {
  if (listening->accepting || listening != listening_ || clients_ >= kMostClients) return;
  listening->accepting = true;
  listening->acceptor.async_accept(
      [this, listening](const std::error_code& error, tcp::socket socket) {
        listening->accepting = false;
        if (listening != listening_) return;
        if (!error) return accepted(listening, std::move(socket));
        listening->rest.expires_after(kRest);
        listening->rest.async_wait([this, listening](const std::error_code& cancelled) {
          if (!cancelled) accept(listening);
        });
      });
}

void MetricsListener::accepted(const std::shared_ptr<Listening>& listening, tcp::socket socket) {
  const auto client = std::make_shared<Client>(std::move(socket));
  ++clients_;
  client->deadline.expires_after(kPatience);
  // What is under way for it ends then, with an error.
  client->deadline.async_wait([weak = std::weak_ptr(client)](const std::error_code& cancelled) {
    const auto late = weak.lock();
    std::error_code ignored;
    if (!cancelled && late) late->socket.close(ignored);
  });
  read_on(client);
  accept(listening);
}

void MetricsListener::ended(const std::shared_ptr<Client>& client) {
  client->deadline.cancel();
  --clients_;
  if (listening_) accept(listening_);
}

void MetricsListener::read_on(const std::shared_ptr<Client>& client) {
  client->socket.async_read_some(
      asio::buffer(client->buffer), [this, client](const std::error_code& error, std::size_t size) {
        if (error) return ended(client);
        client->request.append(client->buffer.data(), size);
        const bool whole = client->request.find("\r\n\r\n") != std::string::npos;
        if (whole || client->request.size() > kMostRequest) return answer(client);
        read_on(client);
      });
}

void MetricsListener::answer(const std::shared_ptr<Client>& client) {
  const std::string_view line(client->request);
  if (client->request.size() > kMostRequest) {
    client->answer = text_with("431 Request Header Fields Too Large", "The request is too long.\n");
  } else if (!line.starts_with("GET ")) {
    client->answer = text_with("405 Method Not Allowed", "Only GET is known here.\n");
  } else if (!line.starts_with("GET /metrics ") && !line.starts_with("GET /metrics?")) {
    client->answer = text_with("404 Not Found", "The metrics are at /metrics.\n");
  } else {
    client->answer = whole_answer("200 OK", content_type_, text());
  }
  asio::async_write(client->socket, asio::buffer(client->answer),
                    [this, client](const std::error_code&, std::size_t) { ended(client); });
}

const std::string& MetricsListener::text() {
  const auto now = std::chrono::steady_clock::now();
  if (text_.empty() || now - made_ >= kTextAge) {
    text_ = make_text_();
    made_ = now;
  }
  return text_;
}

}  // namespace px::broker
