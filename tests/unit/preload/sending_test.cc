// SPDX-License-Identifier: MIT
#include "preload/sending.h"

#include <memory>
#include <utility>

#include "tests/unit/preload/fake_libc.h"
#include "tests/unit/preload/streams/connector_fixture.h"

namespace px::shim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SendingTest : public ConnectorTest {
 protected:
  SendingTest() {
    fresh(AF_INET, SOCK_DGRAM);
    kernel_.protocol = IPPROTO_UDP;
    name_.sin_family = AF_INET;
    name_.sin_addr.s_addr = htonl(0xc6336401);
    name_.sin_port = htons(443);
  }

  msghdr message(bool named = true) {
    msghdr made{};
    made.msg_iov = &buffer_;
    made.msg_iovlen = 1;
    if (!named) return made;
    made.msg_name = &name_;
    made.msg_namelen = sizeof name_;
    return made;
  }
  ssize_t sendto() {
    return sending_.sendto(kFd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&name_), sizeof name_);
  }
  std::vector<std::string> sent() { return std::exchange(libc_.calls, {}); }

  char data_ = 'x';
  iovec buffer_{&data_, 1};
  sockaddr_in name_{};
  FakeLibc libc_;
  std::unique_ptr<LocalAddressCache> local_addresses_ = std::make_unique<LocalAddressCache>();
  std::unique_ptr<LocalAddressCache> asked_ = std::make_unique<LocalAddressCache>();
  Redirecting redirecting_{kFakeCalls, *fds_, shim_.plan, shim_.decider, *asked_};
  Datagrams datagrams_{kFakeCalls, *fds_,          shim_.plan,        shim_.session, shim_.decider,
                       marker_,    shim_.counters, *local_addresses_, redirecting_,  nullptr};
  TcpCompatibility tcp_{libc_.symbols, kFakeCalls, shim_.plan};
  Sending sending_{libc_.symbols, kFakeCalls,   *fds_, connector_,
                   datagrams_,    redirecting_, tcp_,  nullptr};
};

TEST_F(SendingTest, SendsWithControlData) {
  broker_.plan.publish_via(kVpn);
  EXPECT_EQ(sendto(), 1);
  const msghdr one = message();
  EXPECT_EQ(sending_.sendmsg(kFd, &one, 0), 1);
  EXPECT_THAT(sent(), ElementsAre("sendmsg 10.2.0.2%3", "sendmsg 10.2.0.2%3"));
  EXPECT_EQ(one.msg_control, nullptr);
}

TEST_F(SendingTest, MakesTheCallItselfWhereNothingIsChosen) {
  broker_.plan.publish_system();
  EXPECT_EQ(sendto(), 1);
  const msghdr one = message();
  EXPECT_EQ(sending_.sendmsg(kFd, &one, 0), 1);
  const msghdr unnamed = message(false);
  EXPECT_EQ(sending_.sendmsg(kFd, &unnamed, 0), 1);
  EXPECT_EQ(sending_.sendto(kFd, "x", 1, 0, nullptr, 0), 1);
  EXPECT_EQ(sending_.send(kFd, "x", 1, 0), 1);
  EXPECT_THAT(sent(), ElementsAre("sendto", "sendmsg -", "sendmsg -", "sendto", "send"));
}

TEST_F(SendingTest, SaysWhyNot) {
  broker_.plan.publish_block();
  errno = 0;
  EXPECT_EQ(sendto(), -1);
  EXPECT_EQ(errno, EACCES);
  const msghdr one = message();
  EXPECT_EQ(sending_.sendmsg(kFd, &one, 0), -1);
  EXPECT_EQ(errno, EACCES);
  EXPECT_THAT(sent(), IsEmpty());
  broker_.plan.publish_via(kVpn);
  libc_.results = {-ENODEV, -EAGAIN};
  EXPECT_EQ(sendto(), -1);
  EXPECT_EQ(errno, ENETUNREACH) << "the interface has gone since";
  EXPECT_EQ(sendto(), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST_F(SendingTest, NeverSendsWhatItHasNoRoomToSteer) {
  broker_.plan.publish_via(kVpn);
  alignas(cmsghdr) std::array<std::byte, 2048> control{};
  msghdr one = message();
  one.msg_control = control.data();
  one.msg_controllen = control.size();
  EXPECT_EQ(sending_.sendmsg(kFd, &one, 0), -1);
  EXPECT_EQ(errno, ENOBUFS);
  mmsghdr many{.msg_hdr = one, .msg_len = 0};
  EXPECT_EQ(sending_.sendmmsg(kFd, &many, 1, 0), -1);
  EXPECT_EQ(errno, ENOBUFS);
  EXPECT_THAT(sent(), IsEmpty());
}

TEST_F(SendingTest, ManyAtOnce) {
  broker_.plan.publish_via(kVpn);
  std::array<mmsghdr, 10> messages{};
  for (auto& each : messages) each.msg_hdr = message();
  libc_.results = {8, 2};
  errno = 4711;
  EXPECT_EQ(sending_.sendmmsg(kFd, messages.data(), messages.size(), 0), 10);
  EXPECT_EQ(errno, 4711);
  for (const auto& each : messages) {
    EXPECT_EQ(each.msg_len, 7u);
    EXPECT_EQ(each.msg_hdr.msg_control, nullptr);
  }
  EXPECT_EQ(sent().size(), 2u);
}

TEST_F(SendingTest, OfManyTheFirstFailureEndsIt) {
  broker_.plan.publish_via(kVpn);
  std::array<mmsghdr, 10> messages{};
  for (auto& each : messages) each.msg_hdr = message();
  libc_.results = {8, -EAGAIN};
  EXPECT_EQ(sending_.sendmmsg(kFd, messages.data(), messages.size(), 0), 8);
  libc_.results = {3};
  EXPECT_EQ(sending_.sendmmsg(kFd, messages.data(), messages.size(), 0), 3);
  libc_.results = {-EAGAIN};
  EXPECT_EQ(sending_.sendmmsg(kFd, messages.data(), messages.size(), 0), -1);
  EXPECT_EQ(errno, EAGAIN);
  (void)sent();
  // What is not refused before is sent.
  sockaddr_in refused = name_;
  refused.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  messages[0].msg_hdr.msg_name = &refused;
  broker_.plan.publish_block();
  libc_.results = {1};
  EXPECT_EQ(sending_.sendmmsg(kFd, messages.data(), messages.size(), 0), 1);
  EXPECT_THAT(sent(), ElementsAre("sendmmsg -"));
  EXPECT_EQ(sending_.sendmmsg(kFd, messages.data() + 1, 1, 0), -1);
  EXPECT_EQ(errno, EACCES);
}

TEST_F(SendingTest, OfNoneNoneAreSent) {
  broker_.plan.publish_via(kVpn);
  mmsghdr none{};
  EXPECT_EQ(sending_.sendmmsg(kFd, &none, 0, 0), 0);
}

// A device that was deleted and made again has the same name and another index.
TEST_F(SendingTest, AConnectedSocketRecoversWhenItsDeviceWasMadeAgain) {
  broker_.plan.publish_via(kVpn);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  kernel_.connected = true;
  broker_.plan.publish_via(entry(33, "vpn0", "10.2.0.2"));
  (void)take_calls();
  libc_.results = {-ENODEV, 1};
  kernel_.errors["device?"] = {ENODEV, ENODEV};
  EXPECT_EQ(sending_.send(kFd, "x", 1, 0), 1);
  EXPECT_THAT(sent(), ElementsAre("send", "send"));
  EXPECT_THAT(take_calls(),
              ElementsAre("device?", "socket 4", "other: bind 10.2.0.2:0", "other: device vpn0",
                          "other: connect 198.51.100.1:443", "close", "device?", "connect nothing",
                          "bind 0.0.0.0:0", "no port", "bind 10.2.0.2:0", "device vpn0",
                          "connect 198.51.100.1:443"));
}

// The broker has not seen yet that the device is gone.
TEST_F(SendingTest, AConnectedSocketKeepsItsPeerWhereThePlansEgressCannotBeTaken) {
  broker_.plan.publish_via(kVpn);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  kernel_.connected = true;
  for (const std::string call : {"socket 4", "other: bind 10.2.0.2:0", "other: device vpn0",
                                 "other: connect 198.51.100.1:443"}) {
    libc_.results = {-ENODEV};
    kernel_.errors["device?"] = {ENODEV, ENODEV};
    kernel_.errors[call] = {EADDRNOTAVAIL};
    (void)take_calls();
    EXPECT_EQ(sending_.send(kFd, "x", 1, 0), -1);
    EXPECT_EQ(errno, ENODEV);
    EXPECT_THAT(take_calls(), testing::Not(testing::Contains("connect nothing"))) << call;
  }
}

// The peer there is the fixture's; a rule of now sends it nowhere in particular.
TEST_F(SendingTest, AConnectedSocketWithoutARuleAnyMoreRecoversUnsteered) {
  broker_.plan.publish_via(kVpn);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  kernel_.connected = true;
  broker_.plan.publish_system();
  (void)take_calls();
  libc_.results = {-ENODEV, 1};
  kernel_.errors["device?"] = {ENODEV};
  EXPECT_EQ(sending_.send(kFd, "x", 1, 0), 1);
  EXPECT_THAT(take_calls(),
              ElementsAre("device?", "socket 4", "other: connect 198.51.100.1:443", "close",
                          "connect nothing", "bind 0.0.0.0:0", "connect 198.51.100.1:443"));
}

TEST_F(SendingTest, SoDoesOneThatNamesADestination) {
  broker_.plan.publish_via(kVpn6);
  fresh(AF_INET6, SOCK_DGRAM);
  EXPECT_EQ(prepare("2001:db8::1", AF_INET6), 0);
  kernel_.connected = true;
  kernel_.peer = {.address = address("2001:db8::1"), .port = 443};
  broker_.plan.publish_via(entry(33, "vpn0", "fd02::2"));
  kernel_.errors["device?"] = {ENODEV, ENODEV};
  sockaddr_storage name;
  const socklen_t length = bundle::sockaddr_from_endpoint(kernel_.peer, AF_INET6, &name);
  EXPECT_EQ(sending_.sendto(kFd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&name), length), 1);
  EXPECT_EQ(fds_->get(kFd).interface, 33u);
  EXPECT_THAT(sent(), ElementsAre("sendto"));
}

TEST_F(SendingTest, LeavesWhatIsNoneOfPxsToLibc) {
  broker_.plan.publish_via(kVpn);
  EXPECT_TRUE(sending_.leaves_alone(kFd)) << "there is no plan yet";
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_FALSE(sending_.leaves_alone(kFd)) << "its device may be made again";
  EXPECT_FALSE(tcp_.may_be_sctp());
  EXPECT_FALSE(sending_.leaves_alone(kFd));
  EXPECT_TRUE(sending_.leaves_alone(kFd + 1));
}

TEST_F(SendingTest, StreamsMayBeSctpWhereTheProfileHasIt) {
  plan::BundleSettings settings{};
  settings.transports[0] = plan::BundleTransport::kSctp;
  broker_.plan.publish_bundles(settings);
  EXPECT_TRUE(shim_.session.ensure_session());
  kernel_.protocol = IPPROTO_SCTP;
  for (const int made : {IPPROTO_SCTP, IPPROTO_TCP}) {
    const bool sctp = made == IPPROTO_SCTP;
    fds_->set(kFd, fresh_socket(AF_INET, SOCK_STREAM, made));
    EXPECT_EQ(sending_.leaves_alone(kFd), !sctp);
    libc_.results = {-EMSGSIZE, 1};
    EXPECT_EQ(sending_.send(kFd, "x", 1, 0), sctp ? 1 : -1);
    libc_.results = {-EMSGSIZE, 1};
    const msghdr one = message(false);
    EXPECT_EQ(sending_.sendmsg(kFd, &one, 0), sctp ? 1 : -1);
    libc_.results = {-EMSGSIZE, 1};
    EXPECT_EQ(sending_.sendto(kFd, "x", 1, 0, nullptr, 0), sctp ? 1 : -1);
  }
}

TEST_F(SendingTest, ASocketWhoseDeviceIsThereOrNowhereFailsAsItIs) {
  broker_.plan.publish_via(kVpn);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  kernel_.connected = true;
  libc_.results = {-ENETUNREACH};
  EXPECT_EQ(sending_.send(kFd, "x", 1, 0), -1);
  EXPECT_EQ(errno, ENETUNREACH);
  broker_.plan.publish_via(entry(3, "vpn0", "10.2.0.2", 0));
  kernel_.errors["device?"] = {ENODEV};
  libc_.results = {-ENODEV};
  EXPECT_EQ(sending_.send(kFd, "x", 1, 0), -1);
  EXPECT_EQ(errno, ENODEV);
  fresh(AF_INET, SOCK_DGRAM);
  libc_.results = {-ENODEV};
  EXPECT_EQ(sending_.send(kFd, "x", 1, 0), -1);
  EXPECT_EQ(sent().size(), 3u);
}

}  // namespace
}  // namespace px::shim
