// SPDX-License-Identifier: MIT
#include "preload/names/resolver_environment.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <span>
#include <string>

#include "plan/names.h"
#include "tests/unit/dns/packet_fixture.h"
#include "tests/unit/support/temporary_files.h"

namespace px::shim {
namespace {

class ResolverEnvironmentTest : public testing::Test {
 protected:
  ~ResolverEnvironmentTest() override {
    for (const char* name : {"RES_OPTIONS", "LOCALDOMAIN", "HOSTALIASES"}) ::unsetenv(name);
  }
  static plan::Lookup applied() {
    auto lookup = plan::make<plan::Lookup>();
    lookup.types[0] = 1;
    lookup.name_length = 1;
    lookup.ndots = plan::kNdotsOfProfile;
    apply_environment(&lookup);
    EXPECT_TRUE(lookup.is_valid());
    return lookup;
  }
  static std::string alias(std::string_view name) {
    const auto found = host_alias(name);
    return found ? dns::test::text_of(*found) : "none";
  }
};

TEST_F(ResolverEnvironmentTest, WithoutVariablesTheProfileHolds) {
  const plan::Lookup lookup = applied();
  EXPECT_EQ(lookup.ndots, plan::kNdotsOfProfile);
  EXPECT_EQ(lookup.timeout_s, 0);
  EXPECT_EQ(lookup.attempts, 0);
  EXPECT_EQ(lookup.search_length, 0);
  EXPECT_EQ(lookup.flags, 0);
}

TEST_F(ResolverEnvironmentTest, OptionsAreTakenAsLibcTakesThem) {
  ::setenv("RES_OPTIONS", "rotate ndots:3  timeout:2\tattempts:4 use-vc edns0", 1);
  const plan::Lookup lookup = applied();
  EXPECT_EQ(lookup.ndots, 3);
  EXPECT_EQ(lookup.timeout_s, 2);
  EXPECT_EQ(lookup.attempts, 4);
  EXPECT_EQ(lookup.flags, plan::kLookupStream);
}

TEST_F(ResolverEnvironmentTest, NumbersAreBounded) {
  ::setenv("RES_OPTIONS", "ndots:99999999999 timeout:300 attempts:77", 1);
  const plan::Lookup lookup = applied();
  EXPECT_EQ(lookup.ndots, 15);
  EXPECT_EQ(lookup.timeout_s, plan::kLongestNameTimeoutS);
  EXPECT_EQ(lookup.attempts, plan::kMostNameAttempts);
}

TEST_F(ResolverEnvironmentTest, DomainsComeOneBehindAnother) {
  ::setenv("LOCALDOMAIN", "one.example a..b two.example.", 1);
  const plan::Lookup lookup = applied();
  const std::span<const std::uint8_t> bytes(lookup.search, lookup.search_length);
  const auto first = dns::Name::from_wire(bytes);
  ASSERT_TRUE(first);
  EXPECT_EQ(dns::test::text_of(*first), "one.example");
  const auto second = dns::Name::from_wire(bytes.subspan(first->wire().size()));
  ASSERT_TRUE(second);
  EXPECT_EQ(dns::test::text_of(*second), "two.example");
  EXPECT_EQ(first->wire().size() + second->wire().size(), bytes.size());
  std::string many;
  for (int i = 0; i < 500; ++i) many += "domain.example ";
  ::setenv("LOCALDOMAIN", many.c_str(), 1);
  EXPECT_LE(applied().search_length, plan::kSearchSize);
}

TEST_F(ResolverEnvironmentTest, AliasesAreOfNamesWithoutDots) {
  const TemporaryFiles files;
  ::setenv("HOSTALIASES",
           files.write("aliases", "other x.example\nWWW\treal.example. more\nbad\n").c_str(), 1);
  EXPECT_EQ(alias("www"), "real.example");
  EXPECT_EQ(alias("bad"), "none");
  EXPECT_EQ(alias("unknown"), "none");
  EXPECT_EQ(alias("www.lab"), "none");
  ::setenv("HOSTALIASES", "/nonexistent", 1);
  EXPECT_EQ(alias("www"), "none");
}

}  // namespace
}  // namespace px::shim
