// SPDX-License-Identifier: MIT
#include "broker/control/metrics.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace px::broker {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json status() {
  return json::parse(R"({"version": "1", "started": 5, "generation": 2, "connections": 1,
    "last_reload": {"ok": false, "time": 6},
    "profiles": [{"name": "work", "programs": 3, "plan_bytes": 400}]})");
}

json paths(const std::string& interface) {
  return {{"entries",
           {{{"interface", interface},
             {"family", "ipv4"},
             {"source", "192.0.2.1"},
             {"next_hop", nullptr},
             {"usable", true}}}},
          {"paths", json::array()}};
}

json names() {
  return json::parse(R"({"answers": 0, "bytes": 0, "under_way": 0, "profiles": []})");
}

TEST(Metrics, AreTextOfOpenMetrics) {
  const std::map<std::string, Totals> totals{{"work", {.routed = 7, .names = 2}},
                                             {"gone", {.routed = 9}}};
  const auto text = open_metrics_text(metrics_of(status(), paths("lan0"), names(), totals));
  EXPECT_THAT(text, HasSubstr("# TYPE px_build info\n# HELP px_build The broker that runs.\n"
                              "px_build_info{version=\"1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\npx_policy_reload_successful 0\n"));
  EXPECT_THAT(text, HasSubstr("\npx_decisions_total{profile=\"work\",outcome=\"routed\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("\npx_lookups_total{profile=\"work\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\npx_entry_usable{interface=\"lan0\",family=\"ipv4\","
                              "source=\"192.0.2.1\",next_hop=\"\"} 1\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("gone"))) << "no profile of the policy";
  EXPECT_THAT(text, testing::EndsWith("\n# EOF\n"));
}

TEST(Metrics, EscapeWhatAnInterfaceMayBeCalled) {
  const auto text = open_metrics_text(metrics_of(status(), paths("a\"b\\c\nd"), names(), {}));
  EXPECT_THAT(text, HasSubstr(R"(interface="a\"b\\c\nd")"));
  const auto replaced = open_metrics_text(metrics_of(status(), paths("a\xff"), names(), {}));
  EXPECT_THAT(replaced, HasSubstr("interface=\"a\xef\xbf\xbd\""));
}

TEST(Totals, CountNothingTwiceAndNeverDown) {
  const Totals before{.routed = 5, .system = 1};
  EXPECT_EQ((Totals{.routed = 7, .system = 0}).since(before), (Totals{.routed = 2}));
}

}  // namespace
}  // namespace px::broker
