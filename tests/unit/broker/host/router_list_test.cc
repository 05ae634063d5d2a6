// SPDX-License-Identifier: MIT
// Routers added by hand: what is refused, and what outlives the list (PX-7).
#include "broker/host/router_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "broker/host/range_set.h"
#include "tests/unit/broker/host/host_fixture.h"

namespace px::broker {
namespace {

using test::addr;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RouterListTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "px-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    snapshot_.networks = {{"eth0", addr("192.0.2.0"), 120},
                          {"eth1", addr("2001:db8::"), 64},
                          {"eth1", addr("fe80::"), 64}};
    snapshot_.own = {network_range(addr("192.0.2.10"), 128)};
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  RouterList open() {
    auto list = RouterList::open(directory_ / "state" / "routers");
    EXPECT_TRUE(list) << (list ? "" : list.error().message);
    return *list;
  }

  std::string refusal(RouterList& list, const char* router) {
    const auto added = list.add(*router_from_text(router), snapshot_);
    return added ? "" : added.error().message;
  }

  static std::vector<std::string> texts(const RouterList& list) {
    std::vector<std::string> texts;
    for (const AddedRouter& router : list.all()) texts.push_back(to_text(router));
    return texts;
  }

  std::filesystem::path directory_;
  Snapshot snapshot_;
};

TEST_F(RouterListTest, IsTheSameForTheNextBroker) {
  auto list = open();
  EXPECT_THAT(list.all(), IsEmpty());
  EXPECT_EQ(refusal(list, "192.0.2.77"), "");
  EXPECT_EQ(refusal(list, "fe80::1%eth1"), "");
  EXPECT_THAT(texts(open()), ElementsAre("192.0.2.77", "fe80::1%eth1"));
  EXPECT_TRUE(list.remove(*router_from_text("192.0.2.77")));
  EXPECT_THAT(texts(open()), ElementsAre("fe80::1%eth1"));
}

TEST_F(RouterListTest, WhatIsOnNoNetworkIsRefused) {
  auto list = open();
  EXPECT_EQ(refusal(list, "203.0.113.1"),
            "203.0.113.1 is on no network of this host's interfaces; there are: 192.0.2.0/24 on "
            "eth0");
  EXPECT_EQ(refusal(list, "2001:db8:1::1"),
            "2001:db8:1::1 is on no network of this host's interfaces; there are: 2001:db8::/64 "
            "on eth1, fe80::/64 on eth1");
  EXPECT_THAT(refusal(list, "192.0.2.77%eth1"), HasSubstr("no network"));
  EXPECT_THAT(refusal(list, "fe80::1%eth0"), HasSubstr("no network"));
  EXPECT_EQ(refusal(list, "192.0.2.10"), "192.0.2.10 is this host's own address");
  EXPECT_THAT(list.all(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(directory_ / "state"));
}

TEST_F(RouterListTest, OnlyWhatWasAddedIsRemovedAndOnlyOnce) {
  auto list = open();
  EXPECT_EQ(list.remove(*router_from_text("192.0.2.1")).error().message,
            "192.0.2.1 was not added by `pxctl router add`; what was: none");
  EXPECT_EQ(refusal(list, "192.0.2.77"), "");
  EXPECT_EQ(refusal(list, "192.0.2.77"), "192.0.2.77 was added already");
  EXPECT_THAT(list.remove(*router_from_text("192.0.2.1")).error().message,
              HasSubstr("what was: 192.0.2.77"));
  EXPECT_TRUE(list.remove(*router_from_text("192.0.2.77")));
  EXPECT_FALSE(list.remove(*router_from_text("192.0.2.77")));
}

TEST_F(RouterListTest, WhatCannotBeKeptIsNotAdded) {
  std::ofstream(directory_ / "state") << "no directory";
  auto list = RouterList::open(directory_ / "state" / "routers");
  ASSERT_TRUE(list);
  EXPECT_THAT(refusal(*list, "192.0.2.77"), HasSubstr("cannot write"));
  EXPECT_THAT(list->all(), IsEmpty());
}

TEST_F(RouterListTest, AFileThatDoesNotReadIsNamedWithItsLine) {
  std::filesystem::create_directory(directory_ / "state");
  std::ofstream(directory_ / "state" / "routers") << "192.0.2.77\nrouter.example\n";
  const auto list = RouterList::open(directory_ / "state" / "routers");
  ASSERT_FALSE(list);
  EXPECT_THAT(list.error().message, HasSubstr("routers:2: 'router.example' is not a router's"));
}

TEST_F(RouterListTest, AFileThatCannotBeReadIsNamed) {
  std::filesystem::create_symlink("routers", directory_ / "routers");
  const auto list = RouterList::open(directory_ / "routers");
  ASSERT_FALSE(list);
  EXPECT_THAT(list.error().message, HasSubstr("cannot read " + directory_.string() + "/routers: "));
}

TEST(AddedRouter, Text) {
  for (const char* text : {"192.0.2.1", "2001:db8::1", "fe80::1%eth0", "192.0.2.1%br-lan"}) {
    const auto router = router_from_text(text);
    ASSERT_TRUE(router) << text;
    EXPECT_EQ(to_text(*router), text);
  }
  for (const char* text : {"", "router", "192.0.2.1%", "192.0.2.1%a/b", "192.0.2.1 ", "%eth0",
                           "192.0.2.1%0123456789abcdef", "192.0.2.0/24"}) {
    EXPECT_FALSE(router_from_text(text)) << text;
  }
  EXPECT_THAT(router_from_text("fe80::1").error().message, HasSubstr("fe80::1%INTERFACE"));
  for (const char* text : {"0.0.0.0", "127.0.0.1", "::1", "ff02::1%eth0", "224.0.0.1"}) {
    EXPECT_THAT(router_from_text(text).error().message, HasSubstr("cannot be")) << text;
  }
}

}  // namespace
}  // namespace px::broker
