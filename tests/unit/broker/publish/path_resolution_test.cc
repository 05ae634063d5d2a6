// SPDX-License-Identifier: MIT
#include "broker/publish/path_resolution.h"

#include <gmock/gmock.h>

#include "tests/unit/plan/plan_fixture.h"

namespace px::broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

PathSelector selector(const std::string& interface, const std::string& source = "") {
  PathSelector path;
  path.interface = interface;
  if (!source.empty()) path.source = address(source);
  return path;
}

TEST(ResolvePath, AnInterfaceMeansItsDefaultRoute) {
  EXPECT_THAT(resolve_path(selector("lan0"), host()), ElementsAre(0, 1));
  EXPECT_THAT(resolve_path(selector("l*0"), host()), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(resolve_path(selector("eth9"), host()), IsEmpty());
}

TEST(ResolvePath, AnotherNextHopNeedsATableOfItsOwn) {
  Snapshot snapshot = host();
  snapshot.entries[0].default_next_hop = false;
  EXPECT_THAT(resolve_path(selector("lan0"), snapshot), ElementsAre(1));
}

TEST(ResolvePath, ASourceAloneMeansTheInterfaceThatHasIt) {
  Snapshot snapshot = host();
  Entry crossed = entry(2, "lte0", "192.0.2.10", 0);
  crossed.own_source = false;
  snapshot.entries.push_back(crossed);
  EXPECT_THAT(resolve_path(selector("", "192.0.2.10"), snapshot), ElementsAre(0));
  EXPECT_THAT(resolve_path(selector("lte0", "192.0.2.10"), snapshot), ElementsAre(6));
  EXPECT_THAT(resolve_path(selector("lte0"), snapshot), ElementsAre(2, 3));
}

TEST(ResolvePath, TheKernelsOwnChoiceComesFirst) {
  Snapshot snapshot = host();
  snapshot.entries[1].kernel_source = false;
  Entry temporary = entry(1, "lan0", "2001:db8:1::77", 1);
  snapshot.entries.push_back(temporary);
  EXPECT_THAT(resolve_path(selector("lan0"), snapshot), ElementsAre(0, 6, 1));
}

TEST(ResolvePath, DeprecatedSourcesAreForThoseWhoAskOrHaveNoOther) {
  Snapshot snapshot = host();
  snapshot.entries[1].source_deprecated = true;
  EXPECT_THAT(resolve_path(selector("lan0"), snapshot), ElementsAre(0, 1));
  snapshot.entries.push_back(entry(1, "lan0", "2001:db8:1::77", 1));
  EXPECT_THAT(resolve_path(selector("lan0"), snapshot), ElementsAre(0, 6));
  EXPECT_THAT(resolve_path(selector("lan0", "2001:db8:1::10"), snapshot), ElementsAre(1));
}

}  // namespace
}  // namespace px::broker
