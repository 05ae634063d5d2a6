// SPDX-License-Identifier: MIT
#include "preload/sockets/fd_table.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <set>

#include "tests/unit/preload/shim_fixture.h"

namespace px::shim {
namespace {

FdState decided() {
  return {.kind = FdKind::kDecided,
          .ipv6 = true,
          .datagram = true,
          .transport = plan::Transport::kUdp,
          .source_fixed = true,
          .no_sctp = true,
          .source = 0x3bcdef,
          .interface = 0xfffffffe};
}

TEST(FdTable, KnowsNothingAtFirst) {
  const auto fds = std::make_unique<FdTable>();
  EXPECT_EQ(fds->get(0), FdState{});
  EXPECT_EQ(fds->get(FdTable::kSize - 1).kind, FdKind::kUnknown);
}

TEST(FdTable, KeepsEveryPartOfAState) {
  const auto fds = std::make_unique<FdTable>();
  for (const FdState& state :
       {decided(), fresh_socket(AF_INET, SOCK_STREAM, 0), fresh_socket(AF_INET6, SOCK_RAW, 1),
        FdState{.kind = FdKind::kOwned}, FdState{.kind = FdKind::kForeign}}) {
    fds->set(5, state);
    EXPECT_EQ(fds->get(5), state);
    EXPECT_EQ(fds->get(4), FdState{});
    EXPECT_EQ(fds->get(6), FdState{});
  }
}

TEST(FdTable, KnowsWhatIsNoSctp) {
  const auto fds = std::make_unique<FdTable>();
  EXPECT_FALSE(fds->get(3).no_sctp);
  fds->set(3, fresh_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP));
  EXPECT_FALSE(fds->get(3).no_sctp);
  fds->accepted(3, 4);
  EXPECT_EQ(fds->get(4), FdState{});
  fds->set(3, fresh_socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_TRUE(fds->get(3).no_sctp);
  fds->accepted(3, 4);
  EXPECT_EQ(fds->get(4), FdState{.no_sctp = true});
  fds->duplicated(4, 5);
  EXPECT_EQ(fds->get(5), FdState{}) << "in a vfork child the number may be another socket's";
}

TEST(FdTable, KeepsTheNotesOfEveryAliasUntilTheSocketIsAnother) {
  const auto fds = std::make_unique<FdTable>();
  const FdNotes notes{.generation = 0xfffffe,
                      .examined = true,
                      .watched = true,
                      .wants_ipv4 = false,
                      .wants_ipv6 = true,
                      .connected = false,
                      .group_chosen = true,
                      .role = BundleRole::kAccepted};
  fds->set_notes(3, notes);
  fds->set(3, decided());
  EXPECT_EQ(fds->notes(3), notes);
  fds->duplicated(3, 4);
  EXPECT_EQ(fds->notes(4), notes);
  EXPECT_EQ(fds->notes(5), FdNotes{});
  fds->forget(3);
  EXPECT_EQ(fds->notes(3), FdNotes{});
  EXPECT_EQ(fds->notes(4), notes);
  fds->set_notes(FdTable::kSize, notes);
  EXPECT_EQ(fds->notes(FdTable::kSize), FdNotes{});
  EXPECT_NE(fds->new_generation(), fds->new_generation());
}

TEST(FdTable, IgnoresWhatIsBeyondIt) {
  const auto fds = std::make_unique<FdTable>();
  for (const int fd : {-1, static_cast<int>(FdTable::kSize), 1 << 30}) {
    fds->set(fd, decided());
    EXPECT_EQ(fds->get(fd), FdState{});
    fds->duplicated(3, fd);
  }
}

TEST(FdTable, ACopyOfASocketThatMayStillBeBoundMakesBothUnknown) {
  const auto fds = std::make_unique<FdTable>();
  for (const FdKind kind : {FdKind::kFresh, FdKind::kPortBound}) {
    fds->set(3, {.kind = kind});
    fds->set(4, {.kind = FdKind::kOwned});
    fds->duplicated(3, 4);
    EXPECT_EQ(fds->get(3), FdState{});
    EXPECT_EQ(fds->get(4), FdState{});
  }
}

TEST(FdTable, ACopyOfADecidedSocketIsTheSame) {
  const auto fds = std::make_unique<FdTable>();
  fds->set(3, decided());
  fds->duplicated(3, 4);
  EXPECT_EQ(fds->get(3), decided());
  FdState copy = decided();
  copy.no_sctp = false;
  EXPECT_EQ(fds->get(4), copy);
}

// dup2 in a vfork child writes into its parent's table: what the child copies must not make the
// parent's socket of that number look like one to be left alone.
TEST(FdTable, ACopyOfTheProgramsOwnSocketIsAskedAbout) {
  const auto fds = std::make_unique<FdTable>();
  fds->set(3, {.kind = FdKind::kOwned});
  fds->set(4, fresh_socket(AF_INET, SOCK_STREAM, 0));
  fds->duplicated(3, 4);
  EXPECT_EQ(fds->get(3).kind, FdKind::kOwned);
  EXPECT_EQ(fds->get(4), FdState{});
}

TEST(FdTable, AFailedCopyAndACopyOntoItselfChangeNothing) {
  const auto fds = std::make_unique<FdTable>();
  const FdState fresh = fresh_socket(AF_INET, SOCK_STREAM, 0);
  fds->set(3, fresh);
  fds->duplicated(3, -1);
  fds->duplicated(3, 3);
  EXPECT_EQ(fds->get(3), fresh);
}

TEST(FreshSocket, TellsTransportsApart) {
  using plan::Transport;
  const int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
  EXPECT_EQ(fresh_socket(AF_INET, SOCK_STREAM | flags, 0).transport, Transport::kTcp);
  EXPECT_EQ(fresh_socket(AF_INET6, SOCK_STREAM, IPPROTO_MPTCP).transport, Transport::kTcp);
  EXPECT_EQ(fresh_socket(AF_INET, SOCK_DGRAM | flags, 0).transport, Transport::kUdp);
  EXPECT_EQ(fresh_socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE).transport, Transport::kUdp);
  EXPECT_EQ(fresh_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP).transport, Transport::kIcmp);
  EXPECT_EQ(fresh_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6).transport, Transport::kIcmp);
  EXPECT_EQ(fresh_socket(AF_INET, SOCK_RAW, IPPROTO_TCP).transport, Transport::kOther);
  EXPECT_EQ(fresh_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP).transport, Transport::kTcp);
  EXPECT_EQ(fresh_socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP).transport, Transport::kOther);
  EXPECT_TRUE(fresh_socket(AF_INET, SOCK_DGRAM | flags, 0).datagram);
  EXPECT_FALSE(fresh_socket(AF_INET, SOCK_STREAM | flags, 0).datagram);
  EXPECT_TRUE(fresh_socket(AF_INET6, SOCK_STREAM, 0).ipv6);
  EXPECT_EQ(fresh_socket(AF_UNIX, SOCK_STREAM, 0).kind, FdKind::kForeign);
  EXPECT_EQ(fresh_socket(AF_NETLINK, SOCK_RAW, 0).kind, FdKind::kForeign);
}

TEST(SourceDigest, TellsSourcesOfAHostApart) {
  std::set<std::uint32_t> digests;
  const auto sources = {"10.0.0.1", "10.0.0.2",    "10.0.1.1",    "192.0.2.1",
                        "fd00::1",  "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"};
  for (const char* source : sources) digests.insert(source_digest(address(source)));
  EXPECT_EQ(digests.size(), std::size(sources));
  EXPECT_LE(*digests.rbegin(), 0x3fffffu);
}

}  // namespace
}  // namespace px::shim
