// SPDX-License-Identifier: MIT
#include "preload/names/hosts_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/support/temporary_files.h"

namespace px::shim {
namespace {

std::string with_px(std::string_view line, plan::NamesFrom from = plan::NamesFrom::kProfile) {
  std::array<char, kHostsLineSize> buffer;
  const std::string_view text = hosts_line_with_px(line, from, buffer);
  EXPECT_EQ(buffer[text.size()], '\0');
  return std::string(text);
}

TEST(HostsLine, PxStandsWhereDnsStood) {
  EXPECT_EQ(with_px("files dns"), "files px [TRYAGAIN=return]");
  EXPECT_EQ(with_px("files mdns4_minimal [NOTFOUND=return] dns myhostname"),
            "files mdns4_minimal [NOTFOUND=return] px [TRYAGAIN=return] myhostname");
  EXPECT_EQ(with_px("mymachines resolve [!UNAVAIL=return] files myhostname dns"),
            "mymachines px [TRYAGAIN=return] files myhostname");
  EXPECT_EQ(with_px(kDefaultHostsLine), "px [TRYAGAIN=return] files");
}

TEST(HostsLine, NobodyElseIsLeftThatCouldAskANetwork) {
  EXPECT_EQ(with_px("files wins ldap [SUCCESS=return] nis"), "files px [TRYAGAIN=return]");
}

TEST(HostsLine, WhereTheSystemAsksNobodyPxComesLast) {
  EXPECT_EQ(with_px("files"), "files px [TRYAGAIN=return]");
  EXPECT_EQ(with_px("\t files\t[NOTFOUND=continue]   myhostname "),
            "files\t[NOTFOUND=continue] myhostname px [TRYAGAIN=return]");
}

TEST(HostsLine, WhereOnlySomeNamesAreTheProfilesPxComesFirst) {
  constexpr auto kSome = plan::NamesFrom::kSomeOfProfile;
  EXPECT_EQ(with_px("files mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] dns", kSome),
            "files mdns4_minimal [NOTFOUND=return] px [!UNAVAIL=return] resolve [!UNAVAIL=return] "
            "dns");
  EXPECT_EQ(with_px("dns files", kSome), "px [!UNAVAIL=return] dns files");
  EXPECT_EQ(with_px("files", kSome), "files px [!UNAVAIL=return]");
}

TEST(HostsLine, ALineWithoutRoomIsNone) {
  std::string line;
  for (int i = 0; i < 40; ++i) line += "mdns_of_a_long_name ";
  EXPECT_EQ(with_px(line), "");
}

class HostsLineFileTest : public testing::Test {
 protected:
  static int configure(const char* database, const char* line) {
    configured.push_back(std::string(database) + ":" + line);
    return result;
  }
  static inline std::vector<std::string> configured;
  static inline int result = 0;

  HostsLineFileTest() {
    configured.clear();
    result = 0;
  }
  std::string file(const std::string& text) { return files_.write("nsswitch.conf", text); }

  TemporaryFiles files_;
  Settings settings_;
};

TEST_F(HostsLineFileTest, TheSystemsLineIsTheLastOfItsFile) {
  const std::string path = file(
      "passwd: files\n#hosts: nis\nhosts: db dns\n  hosts : files dns # a comment\nhostsx: nis\n");
  HostsLine line(settings_, &configure, path.c_str());
  EXPECT_TRUE(line.follow(plan::NamesFrom::kHost));
  EXPECT_TRUE(configured.empty()) << "libc is left alone";
  EXPECT_TRUE(line.follow(plan::NamesFrom::kProfile));
  EXPECT_TRUE(line.follow(plan::NamesFrom::kProfile));
  EXPECT_TRUE(line.follow(plan::NamesFrom::kHost));
  EXPECT_EQ(configured,
            (std::vector<std::string>{"hosts:files px [TRYAGAIN=return]", "hosts: files dns "}));
}

TEST_F(HostsLineFileTest, WithoutAFileLibcsDefaultHolds) {
  HostsLine line(settings_, &configure, "/nonexistent");
  EXPECT_TRUE(line.follow(plan::NamesFrom::kProfile));
  EXPECT_EQ(configured, std::vector<std::string>{"hosts:px [TRYAGAIN=return] files"});
}

TEST_F(HostsLineFileTest, WhatLibcDoesNotTakeIsTriedAgain) {
  result = -1;
  HostsLine line(settings_, &configure, "/nonexistent");
  EXPECT_FALSE(line.follow(plan::NamesFrom::kProfile));
  result = 0;
  EXPECT_TRUE(line.follow(plan::NamesFrom::kProfile));
  EXPECT_EQ(configured.size(), 2u);
}

TEST_F(HostsLineFileTest, UnderAFilterOfSystemCallsNoFileIsRead) {
  const std::string path = file("hosts: dns\n");
  HostsLine line(settings_, &configure, path.c_str());
  set_filtered(&settings_);
  EXPECT_TRUE(line.follow(plan::NamesFrom::kProfile));
  EXPECT_EQ(configured, std::vector<std::string>{"hosts:files px [TRYAGAIN=return]"});
}

}  // namespace
}  // namespace px::shim
