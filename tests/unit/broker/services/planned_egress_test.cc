// SPDX-License-Identifier: MIT
#include "broker/services/planned_egress.h"

#include "tests/unit/broker/services/services_fixture.h"
#include "util/clock.h"

namespace px::broker {
namespace {

class PlannedEgressTest : public test::ServicesTest {
 protected:
  PlannedEgressTest() {
    Entry entry;
    entry.number = 1;
    entry.interface_index = 12;
    entry.interface = "lan0";
    entry.source = *bundle::address_from_text("192.0.2.5");
    entry.own_source = entry.default_next_hop = entry.link_up = entry.source_valid = true;
    in_force.snapshot.entries = {entry};
    in_force.snapshot.reach = {
        {{*bundle::address_from_text("0.0.0.0"), *bundle::address_from_text("255.255.255.255")}}};
    publish(
        "paths: { lan: { interface: lan0 } }\n"
        "profiles: { work: { rules: [ { to: 203.0.113.1, via: lan },"
        " { to: 203.0.113.2, action: block } ] } }");
    publisher.beat(monotonic_ms());
  }

  std::optional<MemberEgress> egress_to(const char* member) const {
    return planned_egress(publisher.find("work")->plan(),
                          {*bundle::address_from_text(member), 443, 0});
  }
};

TEST_F(PlannedEgressTest, IsTheEntryOfTheRule) {
  const auto egress = egress_to("203.0.113.1");
  ASSERT_TRUE(egress && egress->entry);
  EXPECT_STREQ(egress->entry->interface, "lan0");
}

TEST_F(PlannedEgressTest, WithoutARuleIsTheHostsOwn) {
  const auto egress = egress_to("203.0.113.3");
  ASSERT_TRUE(egress);
  EXPECT_FALSE(egress->entry);
}

TEST_F(PlannedEgressTest, IsNoneForWhatIsRefusedOrTheHostItself) {
  EXPECT_FALSE(egress_to("203.0.113.2"));
  EXPECT_FALSE(egress_to("127.0.0.1"));
  EXPECT_FALSE(egress_to("0.0.0.0"));
}

}  // namespace
}  // namespace px::broker
