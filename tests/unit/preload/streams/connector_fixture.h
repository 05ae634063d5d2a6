// SPDX-License-Identifier: MIT
// A connector on a kernel that records, a broker that answers, and one socket. One thread.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "preload/streams/connector.h"
#include "tests/unit/preload/fake_kernel.h"
#include "tests/unit/preload/shim_session.h"

namespace px::shim {

inline constexpr int kFd = 9;

inline const plan::Entry kVpn = entry(3, "vpn0", "10.2.0.2");
inline const plan::Entry kLte = entry(4, "lte0", "10.3.0.2");
inline const plan::Entry kVpn6 = entry(3, "vpn0", "fd02::2");

class ConnectorTest : public testing::Test {
 protected:
  ConnectorTest() {
    // The broker's part: the mark is on the socket.
    broker_.on_mark = [this](std::uint32_t mark) {
      kernel_.mark = mark;
      return kernel_.result("mark " + std::to_string(mark)) == 0;
    };
  }

  void fresh(int domain = AF_INET, int type = SOCK_STREAM, int protocol = 0) {
    fds_->set(kFd, fresh_socket(domain, type, protocol));
    kernel_.domain = domain;
    kernel_.type = type;
  }

  // 0 when the program's call is to be made, else its errno.
  int prepare(const std::string& destination, sa_family_t family = AF_INET, By by = By::kConnect) {
    sockaddr_storage storage;
    const socklen_t length = bundle::sockaddr_from_endpoint(
        {.address = address(destination), .port = 443}, family, &storage);
    errno = 4711;
    const auto named = read_call_address(reinterpret_cast<const sockaddr*>(&storage), length);
    if (connector_.prepare(kFd, named, by)) {
      EXPECT_EQ(errno, 4711);
      return 0;
    }
    return errno;
  }

  std::vector<std::string> take_calls() { return std::exchange(kernel_.calls, {}); }

  FakeKernel kernel_;
  TestBroker broker_;
  std::unique_ptr<FdTable> fds_ = std::make_unique<FdTable>();
  StartedSession shim_;
  Marker marker_{kFakeCalls, shim_.settings, shim_.session, &TestBroker::mark};
  GivenSources given_;
  Connector connector_{kFakeCalls, *fds_,          shim_.plan, shim_.decider,
                       marker_,    shim_.counters, given_};
};

}  // namespace px::shim
