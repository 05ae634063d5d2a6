// SPDX-License-Identifier: MIT
// What answers of servers leave by, as a plan says it (PX-5).
#include <cstring>

#include "tests/unit/plan/plan_fixture.h"

namespace px::broker {
namespace {

// The plan of a server whose answers leave by the paths; as a rule's `via` they stand in it.
std::vector<std::byte> plan_of_server(const Snapshot& snapshot, std::vector<std::string> paths) {
  auto bytes = plan_of(policy_of(profile_of({via("any", std::move(paths))})), snapshot);
  plan::PlanHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  plan::Rule rule;
  std::memcpy(&rule, bytes.data() + header.rules.offset, sizeof rule);
  header.listen = plan::ListenMode::kReceivedSource;
  header.listen_first_via = rule.first_via;
  header.listen_via_count = rule.via_count;
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

TEST(Listen, AnswersLeaveByTheFirstUsableEntry) {
  Snapshot snapshot = host();
  const auto plan = plan_of_server(snapshot, {"vpn", "lte", "lan"});
  const auto to_corporation = plan::listen_entry(plan, call_to("10.1.1.1"));
  ASSERT_TRUE(to_corporation);
  EXPECT_STREQ(to_corporation->interface, "vpn0");
  const auto to_internet = plan::listen_entry(plan, call_to("8.8.8.8"));
  ASSERT_TRUE(to_internet);
  EXPECT_STREQ(to_internet->interface, "lte0");
  const auto ipv6 = plan::listen_entry(plan, call_to("2001:db8:9::1"));
  ASSERT_TRUE(ipv6);
  EXPECT_EQ(ipv6->number, 4u);
}

TEST(Listen, TheSocketsOwnSourceIsNoObstacle) {
  Snapshot snapshot = host();
  for (Entry& entry : snapshot.entries) entry.kernel_source = false;
  plan::Call call = call_to("8.8.8.8");
  call.source_fixed = true;
  EXPECT_TRUE(plan::listen_entry(plan_of_server(snapshot, {"lte"}), call));
}

TEST(Listen, NeighboursOfAnotherInterfaceAreAnsweredByTheChosenOneToo) {
  const auto entry = plan::listen_entry(plan_of_server(host(), {"lte"}), call_to("192.0.2.77"));
  ASSERT_TRUE(entry);
  EXPECT_STREQ(entry->interface, "lte0");
}

TEST(Listen, NothingWhereNoneIsUsableOrTheHostAsksItself) {
  Snapshot snapshot = host();
  EXPECT_FALSE(plan::listen_entry(plan_of_server(snapshot, {"lte"}), call_to("127.0.0.1")));
  EXPECT_FALSE(plan::listen_entry(plan_of_server(snapshot, {"lte"}), call_to("192.0.2.10")));
  EXPECT_FALSE(plan::listen_entry(plan_of_server(snapshot, {"vpn"}), call_to("8.8.8.8")));
  for (Entry& entry : snapshot.entries) entry.link_up = false;
  EXPECT_FALSE(plan::listen_entry(plan_of_server(snapshot, {"lte"}), call_to("8.8.8.8")));
}

TEST(Listen, AnEntryIsFoundByItsSourceAndMark) {
  Snapshot snapshot = host();
  const auto plan_now = [&] {
    return plan_of(policy_of(profile_of({via("any", {"lte", "lan"})})), snapshot);
  };
  for (const Entry& each : host().entries) {
    const auto found = plan::entry_with(plan_now(), each.source, 0);
    ASSERT_EQ(found.has_value(), each.interface != "vpn0");
    if (found) {
      EXPECT_EQ(found->interface_index, each.interface_index);
    }
    EXPECT_FALSE(plan::entry_with(plan_now(), each.source, 0x05000000));
  }
  for (Entry& each : snapshot.entries) each.link_up = false;
  EXPECT_FALSE(plan::entry_with(plan_now(), snapshot.entries[0].source, 0));
  EXPECT_FALSE(plan::entry_with({}, snapshot.entries[0].source, 0));
}

TEST(Listen, NothingInAnyOtherMode) {
  const auto plan = plan_of(policy_of(profile_of({via("any", {"lan"})})), host());
  EXPECT_FALSE(plan::listen_entry(plan, call_to("8.8.8.8")));
}

// What any program could find in a file: no plan yet, and a mode that none is.
TEST(Listen, AFileSaysItsModeAndMarks) {
  std::vector<std::byte> bytes(plan::kFileSize);
  auto* file = new (bytes.data()) plan::FileHeader{};
  file->magic = plan::kMagic;
  file->layout_version = plan::kLayoutVersion;
  const auto plan = plan::Plan::from_mapping(bytes.data(), bytes.size());
  ASSERT_TRUE(plan);
  auto half = plan_of_server(host(), {"lan"});
  plan::PlanHeader header;
  std::memcpy(&header, half.data(), sizeof header);
  header.listen_mark = 0x12000000;
  header.mark_mask = 0xff000000;
  std::memcpy(half.data(), &header, sizeof header);
  auto* place = bytes.data() + plan::kHeaderSize + plan::kHalfSize;
  std::copy(half.begin(), half.end(), place);
  EXPECT_EQ(plan->listen_mode(), plan::ListenMode::kSystem);
  EXPECT_EQ(plan->mark_mask(), 0u);
  EXPECT_FALSE(plan->listen_entry(call_to("8.8.8.8")));
  file->published = 1;
  EXPECT_EQ(plan->listen_mode(), plan::ListenMode::kReceivedSource);
  EXPECT_EQ(plan->listen_mark(), 0x12000000u);
  EXPECT_EQ(plan->mark_mask(), 0xff000000u);
  EXPECT_TRUE(plan->listen_entry(call_to("8.8.8.8")));
  file->writing = 3;
  EXPECT_FALSE(plan->listen_entry(call_to("8.8.8.8")));
  EXPECT_EQ(plan->listen_mode(), plan::ListenMode::kSystem);
  file->writing = 1;
  header.listen = static_cast<plan::ListenMode>(77);
  std::memcpy(place, &header, sizeof header);
  EXPECT_EQ(plan->listen_mode(), plan::ListenMode::kSystem);
}

}  // namespace
}  // namespace px::broker
