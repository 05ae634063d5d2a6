// SPDX-License-Identifier: MIT
#include "cli/ctl/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/ctl/commands.h"

namespace px::cli {
namespace {

using testing::HasSubstr;
using Words = std::vector<std::string>;

ParsedCtlOptions parse(const Words& words) {
  auto parsed = parse_ctl_options(words);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return parsed ? std::move(*parsed) : ParsedCtlOptions{};
}

const Command* command(const Words& words) {
  return parse(words).command;
}

TEST(CtlOptions, Commands) {
  EXPECT_EQ(command({"paths"}), &paths_command);
  EXPECT_EQ(command({"status"}), &status_command);
  EXPECT_EQ(command({"ps"}), &ps_command);
  EXPECT_EQ(command({"explain", "curl", "::1"}), &explain_command);
  EXPECT_EQ(command({"check"}), &check_command);
  EXPECT_EQ(command({"reload"}), &reload_command);
  EXPECT_EQ(command({"watch"}), &watch_command);
  EXPECT_EQ(command({"doctor"}), &doctor_command);
}

TEST(CtlOptions, Router) {
  EXPECT_EQ(command({"router", "add", "192.0.2.1"}), &router_command);
  const auto options = parse({"router", "delete", "fe80::1%eth0", "--json"}).options;
  EXPECT_EQ(options.action, "delete");
  EXPECT_EQ(options.value("ADDRESS"), "fe80::1%eth0");
  EXPECT_TRUE(options.json);
  EXPECT_FALSE(parse_ctl_options({"router"}));
  EXPECT_FALSE(parse_ctl_options({"router", "add"}));
  EXPECT_FALSE(parse_ctl_options({"router", "change", "192.0.2.1"}));
}

TEST(CtlOptions, CommonOptionsOnBothSides) {
  for (const Words& words :
       {Words{"--json", "--socket", "/s", "ps"}, Words{"ps", "--json", "--socket", "/s"},
        Words{"--json", "ps", "--socket=/s"}}) {
    const auto parsed = parse(words);
    EXPECT_TRUE(parsed.options.json);
    EXPECT_EQ(parsed.options.socket, "/s");
  }
  EXPECT_FALSE(parse({"ps"}).options.json);
}

TEST(CtlOptions, Explain) {
  const auto options =
      parse({"explain", "--json", "curl", "10.0.0.1", "ssh", "--profile", "p", "--proto", "udp"})
          .options;
  EXPECT_TRUE(options.json);
  EXPECT_EQ(options.value("PROGRAM"), "curl");
  EXPECT_EQ(options.value("DESTINATION"), "10.0.0.1");
  EXPECT_EQ(options.value("PORT"), "ssh");
  EXPECT_EQ(options.value("--profile"), "p");
  EXPECT_EQ(options.value("--proto"), "udp");
  EXPECT_EQ(parse({"explain", "a", "b"}).options.value("PORT"), "");
  EXPECT_EQ(parse({"explain", "a", "b"}).options.value("--proto"), "tcp");
}

TEST(CtlOptions, Move) {
  EXPECT_EQ(command({"move", "5", "p"}), &move_command);
  const auto options = parse({"move", "007", "p"}).options;
  EXPECT_EQ(options.value("PID"), "7");
  EXPECT_EQ(options.value("PROFILE"), "p");
  for (const char* pid : {"0", "-1", "5.5", "99999999999", "p"}) {
    EXPECT_FALSE(parse_ctl_options({"move", pid, "p"})) << pid;
  }
}

TEST(CtlOptions, Mistakes) {
  for (const Words& words :
       {Words{}, Words{"what"}, Words{"explain", "curl"}, Words{"ps", "more"},
        Words{"explain", "a", "b", "--proto", "sctp"}, Words{"ps", "--profile", "p"}}) {
    EXPECT_FALSE(parse_ctl_options(words));
  }
}

TEST(CtlOptions, HelpOfOneCommand) {
  const auto parsed = parse({"explain", "--help"});
  EXPECT_EQ(parsed.command, nullptr);
  EXPECT_THAT(parsed.answer, HasSubstr("PROGRAM DESTINATION [PORT]"));
  for (const CommandRow& row : kCommands) {
    EXPECT_THAT(parse({row.name, "--help"}).answer, HasSubstr(row.summary)) << row.name;
  }
  EXPECT_EQ(parse({"--version"}).answer, "pxctl " PX_VERSION "\n");
}

}  // namespace
}  // namespace px::cli
