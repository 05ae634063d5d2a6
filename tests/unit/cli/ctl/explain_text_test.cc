// SPDX-License-Identifier: MIT
#include "cli/ctl/explain_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace px::cli {
namespace {

using nlohmann::json;

json answer() {
  return {
      {"profile", "vpn-split"},
      {"profile_from", "default-profile"},
      {"destination", "10.1.2.3"},
      {"port", 443},
      {"transport", "tcp"},
      {"action", "via"},
      {"reason", "rule"},
      {"errno", nullptr},
      {"rule", {{"index", 0}, {"to", "10.0.0.0/8"}, {"file", "/px.yaml"}, {"line", 7}}},
      {"entry",
       {{"number", 3}, {"interface", "tun0"}, {"source", "10.8.0.2"}, {"next_hop", "10.8.0.1"}}},
      {"candidates", json::array()}};
}

TEST(ExplainText, Via) {
  EXPECT_EQ(verdict_text(answer(), {}),
            "10.1.2.3 port 443 tcp: goes out of tun0 from 10.8.0.2 through the next hop 10.8.0.1 "
            "(entry 3).\n"
            "  Because rule 1 (to 10.0.0.0/8; /px.yaml:7) decides.\n");
}

TEST(ExplainText, NamesOfTheDestination) {
  json named = answer();
  named["names"] = {"git.corp.example"};
  named["ambiguous"] = json::array();
  EXPECT_EQ(verdict_text(named, {}), verdict_text(answer(), {}));
  named["names"] = {"www.example", "git.corp.example"};
  named["ambiguous"] = {"other.example"};
  EXPECT_EQ(verdict_text(named, {}),
            verdict_text(answer(), {}) +
                "  Rules by name look at www.example, git.corp.example.\n"
                "  Ambiguous: the address was answered for other.example as well, which another "
                "rule is for. Of a program, the name that it asked last counts.\n");
}

TEST(ExplainText, UnavailableWithCandidates) {
  json unavailable = answer();
  unavailable["action"] = "fail";
  unavailable["reason"] = "unavailable";
  unavailable["entry"] = nullptr;
  unavailable["candidates"] = {{{"path", "vpn"},
                                {"number", nullptr},
                                {"interface", "tun0"},
                                {"source", nullptr},
                                {"usable", false},
                                {"why", "link down"}},
                               {{"path", "lan"},
                                {"number", 1},
                                {"interface", "eth0"},
                                {"source", "192.0.2.10"},
                                {"usable", true},
                                {"why", nullptr}}};
  EXPECT_EQ(verdict_text(unavailable, {}),
            "10.1.2.3 port 443 tcp: fails with ENETUNREACH.\n"
            "  Because rule 1 (to 10.0.0.0/8; /px.yaml:7) decides, and none of its entries is "
            "available.\n"
            "  The rule's candidates, in order of preference:\n"
            "  PATH  ENTRY  INTERFACE  SOURCE      USABLE\n"
            "  vpn          tun0                   no: link down\n"
            "  lan       1  eth0       192.0.2.10  yes\n");
}

TEST(ExplainText, EveryReasonHasASentence) {
  for (const char* reason : {"loopback", "own-address", "on-link", "no-rule", "profile-removed",
                             "broker-lost", "no-plan", "no-profile"}) {
    json other = answer();
    other["action"] = "system";
    other["reason"] = reason;
    other["rule"] = nullptr;
    const std::string text = verdict_text(other, {});
    EXPECT_EQ(text.find("10.1.2.3 port 443 tcp: goes as the host routes it.\n  Because "), 0U)
        << text;
    EXPECT_EQ(text.find(std::string("Because ") + reason + "."), std::string::npos) << text;
  }
}

TEST(ExplainText, Refused) {
  json refused = answer();
  refused["action"] = "refuse";
  refused["entry"] = nullptr;
  EXPECT_EQ(verdict_text(refused, {}),
            "10.1.2.3 port 443 tcp: is refused with EACCES.\n"
            "  Because rule 1 (to 10.0.0.0/8; /px.yaml:7) decides.\n");
}

TEST(ExplainText, WhereTheProfileComesFrom) {
  EXPECT_EQ(profile_text(answer()), "Profile vpn-split, the policy's default-profile.\n");
  EXPECT_EQ(profile_text({{"profile", nullptr}, {"profile_from", "none"}}), "It has no profile.\n");
}

}  // namespace
}  // namespace px::cli
