// SPDX-License-Identifier: MIT
#include "broker/names/candidates.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/dns/packet_fixture.h"

namespace px::broker {
namespace {

using dns::test::name_of;
using testing::ElementsAre;

std::vector<std::string> texts(const Candidates& candidates) {
  std::vector<std::string> texts;
  for (const dns::Name& name : candidates.names) texts.push_back(dns::test::text_of(name));
  return texts;
}

SearchList list(std::uint8_t ndots = 1) {
  return {{name_of("lab"), name_of("second.lab")}, ndots};
}

TEST(Candidates, ANameWithDotsEnoughIsAskedForItselfFirst) {
  const auto candidates = candidates_of(name_of("www.sub"), true, list());
  EXPECT_THAT(texts(candidates), ElementsAre("www.sub", "www.sub.lab", "www.sub.second.lab"));
  EXPECT_TRUE(candidates.first_counts);
}

TEST(Candidates, AnotherOneIsAskedForItselfLast) {
  const auto candidates = candidates_of(name_of("www"), true, list());
  EXPECT_THAT(texts(candidates), ElementsAre("www.lab", "www.second.lab", "www"));
  EXPECT_FALSE(candidates.first_counts);
  EXPECT_THAT(texts(candidates_of(name_of("www.sub"), true, list(2))),
              ElementsAre("www.sub.lab", "www.sub.second.lab", "www.sub"));
  EXPECT_THAT(texts(candidates_of(name_of("www"), true, list(0))),
              ElementsAre("www", "www.lab", "www.second.lab"));
}

TEST(Candidates, WithADotAtItsEndItIsTheOnlyOne) {
  EXPECT_THAT(texts(candidates_of(name_of("www"), false, list())), ElementsAre("www"));
}

TEST(Candidates, ADomainWithWhichItIsTooLongIsPassedOver) {
  const std::string label(63, 'a');
  const auto name = name_of(label + "." + label + "." + label);
  const SearchList long_list{{name_of(label), name_of("lab")}, 1};
  EXPECT_EQ(candidates_of(name, true, long_list).names.size(), 2u);
}

TEST(Candidates, TheProgramsEnvironmentComesBeforeTheProfile) {
  auto lookup = plan::make<plan::Lookup>();
  lookup.ndots = plan::kNdotsOfProfile;
  EXPECT_EQ(search_list_of(lookup, list(3)).ndots, 3);
  EXPECT_EQ(search_list_of(lookup, list()).domains.size(), 2u);
  lookup.ndots = 0;
  const dns::Name own = name_of("own.example");
  std::ranges::copy(own.wire(), lookup.search);
  lookup.search_length = static_cast<std::uint16_t>(own.wire().size());
  const SearchList changed = search_list_of(lookup, list(3));
  EXPECT_EQ(changed.ndots, 0);
  ASSERT_EQ(changed.domains.size(), 1u);
  EXPECT_EQ(dns::test::text_of(changed.domains.front()), "own.example");
}

}  // namespace
}  // namespace px::broker
