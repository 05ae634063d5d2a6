// SPDX-License-Identifier: MIT
// A name server on this host's loopback, on the event loop of the test that owns it: it answers by
// datagram and by stream as the test says, and counts who asked. One thread.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/udp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/dns/packet_fixture.h"

namespace px::broker::test {

using Bytes = std::vector<std::byte>;

class TestNameServer {
 public:
  // The reply to a question, or nothing. Its number becomes the question's.
  using Answering = std::function<std::optional<Bytes>(const dns::Query&, bool stream)>;

  TestNameServer(asio::io_context& context, Answering answering)
      : answering_(std::move(answering)),
        datagrams_(context, {asio::ip::address_v4::loopback(), 0}),
        streams_(context, {asio::ip::address_v4::loopback(), datagrams_.local_endpoint().port()}) {
    receive();
    accept();
  }

  [[nodiscard]] std::uint16_t port() const { return datagrams_.local_endpoint().port(); }

  std::vector<std::string> asked;        // TYPE NAME, in order
  std::multiset<std::uint16_t> ports;    // that questions came from
  bool answers_with_own_number = false;  // a reply to another question

 private:
  std::optional<Bytes> answer(std::span<const std::byte> packet, bool stream) {
    const auto query = dns::parse_query(packet);
    if (!query) return std::nullopt;
    asked.push_back(std::to_string(query->question.type) + " " +
                    dns::test::text_of(query->question.name));
    auto reply = answering_(*query, stream);
    if (reply && reply->size() >= 2 && !answers_with_own_number) {
      std::copy_n(packet.begin(), 2, reply->begin());
    }
    return reply;
  }
  void receive() {
    datagrams_.async_receive_from(
        asio::buffer(packet_), from_, [this](const std::error_code& error, std::size_t size) {
          if (error) return;
          ports.insert(from_.port());
          if (const auto reply = answer(std::span(packet_).first(size), false)) {
            std::error_code ignored;
            datagrams_.send_to(asio::buffer(*reply), from_, 0, ignored);
          }
          receive();
        });
  }
  struct Stream {
    explicit Stream(asio::ip::tcp::socket connected) : socket(std::move(connected)) {}
    asio::ip::tcp::socket socket;
    std::array<unsigned char, 2> length{};
    Bytes packet;
  };
  void accept() {
    streams_.async_accept([this](const std::error_code& error, asio::ip::tcp::socket socket) {
      if (error) return;
      read(std::make_shared<Stream>(std::move(socket)));
      accept();
    });
  }
  void read(const std::shared_ptr<Stream>& stream) {
    asio::async_read(stream->socket, asio::buffer(stream->length),
                     [this, stream](const std::error_code& error, std::size_t) {
                       if (error) return;
                       stream->packet.resize(stream->length[0] << 8 | stream->length[1]);
                       asio::async_read(stream->socket, asio::buffer(stream->packet),
                                        [this, stream](const std::error_code& failed, std::size_t) {
                                          if (failed) return;
                                          if (const auto reply = answer(stream->packet, true)) {
                                            Bytes whole{
                                                static_cast<std::byte>(reply->size() >> 8),
                                                static_cast<std::byte>(reply->size() & 0xff)};
                                            whole.insert(whole.end(), reply->begin(), reply->end());
                                            asio::write(stream->socket, asio::buffer(whole));
                                          }
                                          read(stream);
                                        });
                     });
  }

  Answering answering_;
  asio::ip::udp::socket datagrams_;
  asio::ip::udp::endpoint from_;
  std::array<std::byte, 4096> packet_{};
  asio::ip::tcp::acceptor streams_;
};

}  // namespace px::broker::test
