// SPDX-License-Identifier: MIT
#include "preload/datagrams/redirecting.h"

#include "tests/unit/preload/datagrams/datagrams_fixture.h"

namespace px::shim {
namespace {

constexpr const char* kServer = "10.2.0.53";
constexpr const char* kHosts = "192.168.1.1";
constexpr const char* kStub = "127.0.0.53";

class RedirectingTest : public DatagramsTest {
 protected:
  RedirectingTest() {
    fresh();
    publish();
  }

  void publish(const plan::Entry& via = kVpn) {
    broker_.plan.publish_redirect(
        address(kServer), via,
        {{address(kStub), address(kStub)}, {address(kHosts), address(kHosts)}});
  }

  // Where a question with that number goes, and "!" before an error.
  std::string asks(const char* server, std::uint16_t number = 1, std::uint16_t port = 53) {
    std::array<std::uint8_t, 2> data{static_cast<std::uint8_t>(number >> 8),
                                     static_cast<std::uint8_t>(number)};
    iovec part{data.data(), data.size()};
    sockaddr_storage storage;
    msghdr message{};
    message.msg_namelen = bundle::sockaddr_from_endpoint({.address = address(server), .port = port},
                                                         AF_INET, &storage);
    message.msg_name = &storage;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const auto egress = egress_of(message);
    if (egress.error != 0) return std::string("!") + strerrorname_np(egress.error);
    if (!egress.server) return "as it is";
    return text(reinterpret_cast<const sockaddr*>(&egress.server->address), egress.server->length);
  }

  static std::string text(const sockaddr* named, socklen_t length) {
    const auto endpoint = bundle::endpoint_from_sockaddr(named, length);
    if (!endpoint) return "?";
    std::array<char, bundle::kAddressTextSize> buffer;
    return std::string(bundle::address_text(endpoint->address, buffer)) + " " +
           std::to_string(endpoint->port);
  }

  // What the program sees of a datagram from there.
  std::string comes(const char* from, QuestionNumber number = std::nullopt,
                    socklen_t room = sizeof(sockaddr_in)) {
    sockaddr_storage storage{};
    socklen_t length =
        bundle::sockaddr_from_endpoint({.address = address(from), .port = 53}, AF_INET, &storage);
    auto* named = reinterpret_cast<sockaddr*>(&storage);
    redirecting_.correct(kFd, named, room, &length, number);
    EXPECT_EQ(length, sizeof(sockaddr_in));
    return text(named, length);
  }

  std::string connects(const char* server, std::uint16_t port = 53) {
    sockaddr_storage storage;
    const socklen_t length = bundle::sockaddr_from_endpoint(
        {.address = address(server), .port = port}, AF_INET, &storage);
    const auto target = redirecting_.connect_to(
        kFd, known_call_address(reinterpret_cast<const sockaddr*>(&storage), length));
    if (!target) return "as it is";
    if (target->error != 0) return std::string("!") + strerrorname_np(target->error);
    return text(reinterpret_cast<const sockaddr*>(&target->address), target->length);
  }
};

TEST_F(RedirectingTest, QuestionsForTheHostsServersGoToTheProfiles) {
  EXPECT_FALSE(redirecting_.concerns(kFd));
  EXPECT_EQ(asks(kStub), "10.2.0.53 53");
  EXPECT_EQ(asks(kHosts), "10.2.0.53 53");
  EXPECT_EQ(connects(kStub), "10.2.0.53 53");
  EXPECT_EQ(asks("198.51.100.1"), "as it is");
  EXPECT_EQ(connects("198.51.100.1"), "as it is");
  EXPECT_EQ(asks(kHosts, 1, 853), "as it is");
  EXPECT_EQ(connects(kHosts, 853), "as it is");
  EXPECT_TRUE(redirecting_.concerns(kFd));
}

TEST_F(RedirectingTest, EachAnswerComesFromWhereItsQuestionWasSent) {
  EXPECT_EQ(asks(kStub, 0x0102), "10.2.0.53 53");
  EXPECT_EQ(asks(kHosts, 0x0103), "10.2.0.53 53");
  EXPECT_EQ(comes(kServer, 0x0102), "127.0.0.53 53");
  EXPECT_EQ(comes(kServer, 0x0103), "192.168.1.1 53");
  EXPECT_EQ(comes(kServer, 0x0104), "192.168.1.1 53") << "the one that was asked last";
  EXPECT_EQ(comes(kServer), "192.168.1.1 53");
  EXPECT_EQ(comes("198.51.100.1", 0x0102), "198.51.100.1 53");
  EXPECT_EQ(comes(kServer, 0x0102, 4), "10.2.0.53 53") << "no room for an address";
}

TEST_F(RedirectingTest, AProgramThatCallsTheServerItselfSeesItself) {
  EXPECT_EQ(connects(kStub), "10.2.0.53 53");
  EXPECT_EQ(comes(kServer), "127.0.0.53 53");
  EXPECT_EQ(connects(kServer), "as it is");
  EXPECT_EQ(comes(kServer), "10.2.0.53 53");
}

TEST_F(RedirectingTest, AnotherSocketOfThatNumberHasAskedNothing) {
  EXPECT_EQ(connects(kStub), "10.2.0.53 53");
  fds_->forget(kFd);
  fresh();
  EXPECT_FALSE(redirecting_.concerns(kFd));
}

TEST_F(RedirectingTest, FailsWhereNoServerCanBeAsked) {
  publish(entry(3, "vpn0", "10.2.0.2", plan::kEntryIpv4));
  EXPECT_EQ(asks(kStub), "!ENETUNREACH");
  EXPECT_EQ(connects(kStub), "!ENETUNREACH");
  EXPECT_EQ(asks("198.51.100.1"), "as it is");
}

TEST_F(RedirectingTest, WhatTheProgramHasChosenStays) {
  fresh(AF_INET, FdKind::kOwned);
  EXPECT_EQ(asks(kStub), "as it is");
  EXPECT_EQ(connects(kStub), "as it is");
}

TEST_F(RedirectingTest, AProfileThatDoesNotRedirectIsNoConcern) {
  broker_.plan.publish_redirect(address(kServer), kVpn, {});
  EXPECT_EQ(asks(kStub), "as it is");
  EXPECT_FALSE(redirecting_.may_concern({.address = address(kStub), .port = 53}));
}

TEST(QuestionNumber, IsThePacketsFirstTwoBytes) {
  std::array<std::uint8_t, 3> data{1, 2, 3};
  const std::array<iovec, 3> parts{iovec{data.data(), 1}, iovec{data.data(), 0},
                                   iovec{data.data() + 1, 2}};
  EXPECT_EQ(question_number(parts, 3), 0x0102);
  EXPECT_EQ(question_number(parts, 1), std::nullopt);
  EXPECT_EQ(question_number({}, 3), std::nullopt);
}

}  // namespace
}  // namespace px::shim
