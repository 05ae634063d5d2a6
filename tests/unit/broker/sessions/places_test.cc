// SPDX-License-Identifier: MIT
#include "broker/sessions/places.h"

#include <gtest/gtest.h>

#include <vector>

namespace px::broker {
namespace {

constexpr uid_t kFirstUser = 1000;
constexpr uid_t kSecondUser = 1001;
constexpr uid_t kThirdUser = 1002;

class PlacesTest : public testing::Test {
 protected:
  using Place = std::unique_ptr<Places::Place>;

  Place take(uid_t user, bool administrator = false) {
    return places.take(user, administrator, [this, user] { taken.push_back(user); });
  }
  std::vector<Place> several(uid_t user, std::size_t count) {
    std::vector<Place> some;
    for (std::size_t i = 0; i < count; ++i) some.push_back(take(user));
    return some;
  }
  static void speak(const std::vector<Place>& some) {
    for (const Place& place : some) place->spoke();
  }

  // The last four are for users who have none.
  Places places{{.per_user = 8, .in_all = 16, .bytes_per_user = 1000}};
  std::vector<uid_t> taken;
};

TEST_F(PlacesTest, AUserHasAQuota) {
  auto some = several(kFirstUser, 8);
  EXPECT_EQ(take(kFirstUser), nullptr);
  some.pop_back();
  EXPECT_NE(take(kFirstUser), nullptr);
  EXPECT_EQ(places.count(), 7u);
  EXPECT_TRUE(taken.empty());
}

TEST_F(PlacesTest, TheLastPlacesAreForUsersWhoHaveNone) {
  const auto anna = several(kFirstUser, 8);
  const auto bert = several(kSecondUser, 4);
  speak(anna);
  speak(bert);
  EXPECT_EQ(take(kSecondUser), nullptr);
  const auto first = take(kThirdUser);
  EXPECT_NE(first, nullptr);
  EXPECT_EQ(take(kThirdUser), nullptr);
  std::vector<Place> others;
  for (uid_t user = 2000; user < 2003; ++user) others.push_back(take(user));
  for (const Place& place : others) EXPECT_NE(place, nullptr);
  EXPECT_EQ(take(3000), nullptr) << "all are taken";
  EXPECT_NE(take(kThirdUser, true), nullptr) << "an administrator's place is beside them";
}

TEST_F(PlacesTest, SilentConnectionsOfWhoeverHasMostGoFirst) {
  const auto anna = several(kFirstUser, 8);
  const auto bert = several(kSecondUser, 4);
  anna.front()->spoke();
  const auto carl = several(kThirdUser, 3);
  for (const Place& place : carl) EXPECT_NE(place, nullptr);
  EXPECT_EQ(taken, (std::vector<uid_t>{kFirstUser, kFirstUser}));
  EXPECT_EQ(places.count(), 13u);
  carl.front()->spoke();
  EXPECT_TRUE(anna[0]->keep(1)) << "it has spoken and stays";
  EXPECT_FALSE(anna[1]->keep(1)) << "the oldest silent one is gone";
}

TEST_F(PlacesTest, WhoHasMostTakesNothingFromOthers) {
  const auto bert = several(kSecondUser, 5);
  auto anna = several(kFirstUser, 7);
  speak(anna);
  EXPECT_EQ(take(kFirstUser), nullptr);
  EXPECT_TRUE(taken.empty());
}

TEST_F(PlacesTest, WhatIsKeptIsCountedByUser) {
  const auto anna = several(kFirstUser, 2);
  const auto bert = take(kSecondUser);
  EXPECT_TRUE(anna[0]->keep(600));
  EXPECT_FALSE(anna[1]->keep(600));
  EXPECT_TRUE(bert->keep(1000));
  anna[0]->let_go(300);
  EXPECT_TRUE(anna[1]->keep(600));
}

TEST_F(PlacesTest, WhatAClosedConnectionKeptIsGone) {
  const auto one = take(kFirstUser);
  {
    const auto other = take(kFirstUser);
    EXPECT_TRUE(other->keep(1000));
  }
  EXPECT_TRUE(one->keep(1000));
}

TEST_F(PlacesTest, APlaceMayOutliveThem) {
  auto lasting = std::make_unique<Places>(Places::Limits{1, 1});
  const auto place = lasting->take(kFirstUser, false, [] {});
  lasting.reset();
  EXPECT_TRUE(place->keep(1));
}

}  // namespace
}  // namespace px::broker
