// SPDX-License-Identifier: MIT
// Datagrams on a kernel that records and a broker that answers, and one socket. One thread.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "preload/datagrams/datagrams.h"
#include "tests/unit/preload/fake_kernel.h"
#include "tests/unit/preload/shim_session.h"

namespace px::shim {

inline constexpr int kFd = 9;
inline const plan::Entry kVpn = entry(3, "vpn0", "10.2.0.2");
inline const plan::Entry kVpn6 = entry(3, "vpn0", "fd02::2");
inline const plan::Entry kKernels6 =
    entry(3, "vpn0", "fd02::2", plan::kEntryUsable | plan::kEntryKernelSource);
inline constexpr const char* kPeer = "198.51.100.1";
inline constexpr const char* kPeer6 = "2001:db8::1";

class DatagramsTest : public testing::Test {
 protected:
  DatagramsTest() { here_ = this; }

  void fresh(int domain = AF_INET, FdKind kind = FdKind::kFresh) {
    FdState state = fresh_socket(domain, SOCK_DGRAM, 0);
    state.kind = kind;
    fds_->set(kFd, state);
    kernel_.domain = domain;
    kernel_.type = SOCK_DGRAM;
    kernel_.protocol = IPPROTO_UDP;
  }
  // As px leaves a socket that it connected.
  void decided(int domain, const plan::Entry& entry) {
    FdState state = fresh_socket(domain, SOCK_DGRAM, 0);
    state.kind = FdKind::kDecided;
    state.source = source_digest(entry.source);
    state.interface = entry.interface_index;
    fds_->set(kFd, state);
  }
  // A server's socket that `peer` called.
  void called(const std::string& peer, const PacketInfo& info) {
    const bool ipv4 = address(peer).is_ipv4();
    fresh(ipv4 ? AF_INET : AF_INET6, FdKind::kPortBound);
    FdNotes notes;
    notes.watched = true;
    notes.generation = 5;
    fds_->set_notes(kFd, notes);
    local_addresses_->remember(5, {.address = address(peer), .port = 443}, info,
                               LocalAddressCache::now());
  }

  // "as it is", "EACCES" or "ADDRESS%INTERFACE" of the control data.
  std::string egress(const std::string& destination, msghdr message = {},
                     std::uint16_t port = 443) {
    if (!datagrams_.concern(kFd)) return "no concern";
    const auto family = static_cast<sa_family_t>(fds_->get(kFd).ipv6 ? AF_INET6 : AF_INET);
    sockaddr_storage storage;
    message.msg_namelen = bundle::sockaddr_from_endpoint(
        {.address = address(destination), .port = port}, family, &storage);
    message.msg_name = &storage;
    errno = 4711;
    const auto egress = egress_of(message);
    EXPECT_EQ(errno, 4711);
    if (egress.error != 0) return strerrorname_np(egress.error);
    if (!egress.info) return "as it is";
    std::array<char, bundle::kAddressTextSize> buffer;
    return std::string(bundle::address_text(egress.info->address, buffer)) + "%" +
           std::to_string(egress.info->interface);
  }

  Datagrams::Egress egress_of(const msghdr& message) { return datagrams_.egress_of(kFd, message); }

  static std::optional<Route> probe(const bundle::Address&, const bundle::Address& source,
                                    std::uint32_t) {
    ++here_->probes_;
    return source.is_unspecified() ? here_->by_interface_ : here_->by_both_;
  }

  static inline DatagramsTest* here_ = nullptr;
  FakeKernel kernel_;
  TestBroker broker_;
  std::unique_ptr<FdTable> fds_ = std::make_unique<FdTable>();
  std::unique_ptr<LocalAddressCache> local_addresses_ = std::make_unique<LocalAddressCache>();
  StartedSession shim_;
  Marker marker_{kFakeCalls, shim_.settings, shim_.session, &TestBroker::mark};
  std::optional<Route> by_interface_;
  std::optional<Route> by_both_;
  int probes_ = 0;
  std::unique_ptr<LocalAddressCache> asked_ = std::make_unique<LocalAddressCache>();
  Redirecting redirecting_{kFakeCalls, *fds_, shim_.plan, shim_.decider, *asked_};
  Datagrams datagrams_{
      kFakeCalls, *fds_,          shim_.plan,        shim_.session, shim_.decider,
      marker_,    shim_.counters, *local_addresses_, redirecting_,  &DatagramsTest::probe};
};

}  // namespace px::shim
