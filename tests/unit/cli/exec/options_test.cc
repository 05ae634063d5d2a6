// SPDX-License-Identifier: MIT
// PX-8: px-exec's command line ends where the program's begins.
#include "cli/exec/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace px::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Words = std::vector<std::string>;

ExecOptions parse(const Words& words) {
  const auto parsed = parse_exec_options(words);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  if (!parsed || !parsed->options) return {};
  return *parsed->options;
}

std::string error(const Words& words) {
  const auto parsed = parse_exec_options(words);
  return parsed ? "" : parsed.error().message;
}

TEST(ExecOptions, TheProgramsOptionsAreItsOwn) {
  const ExecOptions options = parse({"--profile", "p", "curl", "--socket", "x", "--", "--help"});
  EXPECT_EQ(options.profile, "p");
  EXPECT_EQ(options.socket, "");
  EXPECT_THAT(options.program, ElementsAre("curl", "--socket", "x", "--", "--help"));
}

TEST(ExecOptions, DashesEndThem) {
  EXPECT_THAT(parse({"--via=tun0", "--", "--odd", "-x"}).program, ElementsAre("--odd", "-x"));
  EXPECT_THAT(parse({"--", "--", "x"}).program, ElementsAre("--", "x"));
  EXPECT_THAT(parse({"ls"}).program, ElementsAre("ls"));
}

TEST(ExecOptions, ValuesThatLookLikeProgramsAreValues) {
  const ExecOptions options =
      parse({"--allow-uncovered", "--config", "c", "--via", "ls", "cat", "f"});
  EXPECT_TRUE(options.allow_uncovered);
  EXPECT_EQ(options.config, "c");
  EXPECT_EQ(options.via, "ls");
  EXPECT_THAT(options.program, ElementsAre("cat", "f"));
}

TEST(ExecOptions, Mistakes) {
  EXPECT_THAT(error({}), HasSubstr("which program"));
  EXPECT_THAT(error({"--profile", "p"}), HasSubstr("which program"));
  EXPECT_THAT(error({"--profile", "p", "--"}), HasSubstr("which program"));
  EXPECT_EQ(error({"--profil", "p", "ls"}), "there is no option --profil; see px-exec --help");
  EXPECT_EQ(error({"--profil=p", "ls"}), "there is no option --profil=p; see px-exec --help");
  EXPECT_THAT(error({"-", "ls"}), HasSubstr("no option -;"));
  EXPECT_THAT(error({"--profile"}), HasSubstr("--profile is given without a value"));
  EXPECT_THAT(error({"--profile", "--via", "b", "ls"}), HasSubstr("--profile is given without"));
  EXPECT_THAT(error({"--via", "", "ls"}), HasSubstr("--via is given without a value"));
  EXPECT_THAT(error({"--via=", "ls"}), HasSubstr("--via is given without a value"));
  EXPECT_THAT(error({"--config", "a", "--config=b", "ls"}), HasSubstr("--config is given twice"));
  EXPECT_THAT(error({"--allow-uncovered=yes", "ls"}), HasSubstr("takes no value"));
  EXPECT_THAT(error({"--profile", "../x", "ls"}), HasSubstr("'../x'"));
  EXPECT_THAT(error({"--profile", "a", "--via", "b", "ls"}), HasSubstr("excludes"));
  EXPECT_THAT(error({"--via", "a", "--rules", "b", "ls"}), HasSubstr("excludes"));
  EXPECT_THAT(error({"--socket", "a", "--config", "b", "ls"}), HasSubstr("excludes"));
}

TEST(ExecOptions, AValueIsAWordOfItsOwnOrJoined) {
  for (const Words& words : {Words{"--socket", "s", "ls"}, Words{"--socket=s", "ls"}}) {
    const ExecOptions options = parse(words);
    EXPECT_EQ(options.socket, "s");
    EXPECT_THAT(options.program, ElementsAre("ls"));
  }
  EXPECT_EQ(parse({"--config=a=b", "ls"}).config, "a=b");
  EXPECT_EQ(parse({"--config", "-", "ls"}).config, "-");
}

TEST(ExecOptions, WhenAPrivateBrokerIsWanted) {
  EXPECT_FALSE(parse({"--profile", "p", "ls"}).wants_private_broker());
  EXPECT_TRUE(parse({"--via", "x", "ls"}).wants_private_broker());
  EXPECT_TRUE(parse({"--rules", "x", "ls"}).wants_private_broker());
  EXPECT_TRUE(parse({"--config", "x", "ls"}).wants_private_broker());
}

TEST(ExecOptions, HelpAndVersion) {
  const auto help = parse_exec_options({"--help"});
  ASSERT_TRUE(help && !help->options);
  EXPECT_THAT(help->answer, HasSubstr("PROGRAM [ARGUMENTS...]"));
  for (const char* option : {"--profile NAME ", "--allow-uncovered ", "-h,--help ", "--version "}) {
    EXPECT_THAT(help->answer, HasSubstr(std::string("  ") + option));
  }
  const auto short_help = parse_exec_options({"--profile", "p", "-h"});
  ASSERT_TRUE(short_help);
  EXPECT_EQ(short_help->answer, help->answer);
  const auto version = parse_exec_options({"--version"});
  ASSERT_TRUE(version && !version->options);
  EXPECT_EQ(version->answer, "px-exec " PX_VERSION "\n");
}

}  // namespace
}  // namespace px::cli
