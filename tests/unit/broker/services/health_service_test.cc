// SPDX-License-Identifier: MIT
#include "broker/services/health_service.h"

#include "tests/unit/broker/services/services_fixture.h"
#include "util/clock.h"

namespace px::broker {
namespace {

class HealthServiceTest : public test::ServicesTest {
 protected:
  HealthServiceTest() {
    service.register_with(dispatcher);
    publish("profiles: { work: , play: }");
    report = plan::make<plan::HealthReport>();
    report.address = *bundle::address_from_text("192.0.2.7");
    report.port = 443;
    report.interface_index = 3;
    report.alive = 1;
    plan::fill_text(report.profile, "work");
  }

  bundle::Health known(uid_t user, const char* profile = "work") const {
    return publisher.find(profile)->plan().health({user, 3, report.address, 443}, boottime_ms());
  }

  plan::HealthReport report;
  HealthService service{publisher, here};
};

TEST_F(HealthServiceTest, AReportIsKnownToItsUsersProgramsUnderItsProfile) {
  const Answer answer = send(report, Fd(), test::this_process(test::kStranger));
  EXPECT_TRUE(answer.packets.empty()) << "a report has no answer";
  EXPECT_EQ(known(test::kStranger), bundle::Health::kAlive);
  EXPECT_EQ(known(getuid()), bundle::Health::kUnknown);
  EXPECT_EQ(known(test::kStranger, "play"), bundle::Health::kUnknown);
  report.alive = 0;
  (void)send(report, Fd(), test::this_process(test::kStranger));
  EXPECT_EQ(known(test::kStranger), bundle::Health::kDead);
}

TEST_F(HealthServiceTest, OneOfAnotherNamespaceIsOfAnotherNetwork) {
  report.network_namespace = 8;
  (void)send(report);
  EXPECT_EQ(known(getuid()), bundle::Health::kUnknown);
  report.network_namespace = 7;
  (void)send(report);
  EXPECT_EQ(known(getuid()), bundle::Health::kAlive);
}

TEST_F(HealthServiceTest, OneThatIsMalformedOrOfNoProfileIsDropped) {
  report.alive = 2;
  (void)send(report);
  EXPECT_EQ(known(getuid()), bundle::Health::kUnknown);
  report.alive = 1;
  plan::fill_text(report.profile, "gone");
  (void)send(report);
  EXPECT_EQ(known(getuid()), bundle::Health::kUnknown);
}

}  // namespace
}  // namespace px::broker
