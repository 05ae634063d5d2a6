// SPDX-License-Identifier: MIT
#include "preload/session/health_report.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <vector>

#include "plan/bundle_wire.h"
#include "tests/unit/preload/shim_fixture.h"

namespace px::shim {
namespace {

const plan::HealthKey kKey{4711, 3, address("198.51.100.1"), 443};

// A broker that accepts when it is told to.
class HealthReportTest : public testing::Test {
 protected:
  HealthReportTest() {
    char directory[] = "/tmp/px-report-XXXXXX";
    directory_ = ::mkdtemp(directory);
    plan::fill_text(settings_.socket_path, (directory_ / "px.sock").native());
  }
  ~HealthReportTest() override {
    if (listener_ >= 0) ::close(listener_);
    std::filesystem::remove_all(directory_);
  }

  void listen(int backlog) {
    listener_ = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    plan::fill_text(address.sun_path, settings_.socket_path.data());
    ASSERT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener_, backlog), 0);
  }

  // What one connection says before it closes.
  std::optional<plan::HealthReport> take() const {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return std::nullopt;
    std::vector<std::byte> packet(1024);
    const ssize_t size = ::recv(client, packet.data(), packet.size(), 0);
    EXPECT_EQ(::recv(client, packet.data() + size, 1, 0), 0) << "one message, then the end";
    ::close(client);
    packet.resize(static_cast<std::size_t>(size));
    return plan::parse<plan::HealthReport>(packet);
  }

  void report(bool alive) const {
    const auto before = descriptors();
    errno = 4711;
    send_health_report(settings_, "work", kKey, {.alive = alive});
    EXPECT_EQ(errno, 4711);
    EXPECT_EQ(descriptors(), before);
  }

  static std::ptrdiff_t descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  }

  std::filesystem::path directory_;
  Settings settings_ = test_settings();
  int listener_ = -1;
};

TEST_F(HealthReportTest, SaysWhatCameOfIt) {
  listen(8);
  report(false);
  auto told = take();
  ASSERT_TRUE(told);
  EXPECT_EQ(told->address, kKey.address);
  EXPECT_EQ(told->port, 443);
  EXPECT_EQ(told->interface_index, 3u);
  EXPECT_EQ(told->alive, 0);
  EXPECT_STREQ(told->profile, "work");
  report(true);
  told = take();
  ASSERT_TRUE(told);
  EXPECT_EQ(told->alive, 1);
}

TEST_F(HealthReportTest, SaysHowLongItTook) {
  listen(8);
  plan::HealthKey key = kKey;
  key.fact = plan::HealthFact::kRoundTrip;
  send_health_report(settings_, "work", key, {.round_trip_ms = 150});
  const auto told = take();
  ASSERT_TRUE(told);
  EXPECT_EQ(told->fact, plan::HealthFact::kRoundTrip);
  EXPECT_EQ(told->round_trip_ms, 150);
}

TEST_F(HealthReportTest, WaitsForNobody) {
  report(true);  // nobody there
  listen(1);
  for (int i = 0; i < 50; ++i) report(true);  // and nobody accepts
  int taken = 0;
  while (take()) ++taken;
  EXPECT_GT(taken, 0);
  EXPECT_LT(taken, 50) << "the backlog was never full, so that nothing was tested";
}

TEST_F(HealthReportTest, SaysNothingWithoutAProfile) {
  listen(8);
  send_health_report(settings_, "", kKey, {.alive = true});
  EXPECT_LT(::accept(listener_, nullptr, nullptr), 0);
  EXPECT_EQ(errno, EAGAIN);
}

}  // namespace
}  // namespace px::shim
