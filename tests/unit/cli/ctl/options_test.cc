// SPDX-License-Identifier: MIT
#include "cli/ctl/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/ctl/commands.h"

namespace px::cli {
namespace {

using testing::HasSubstr;
using Words = std::vector<std::string>;
using Function = int (*)(const CtlOptions&, const Terminal&);

ParsedCtlOptions parse(const Words& words) {
  auto parsed = parse_ctl_options(words);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return parsed ? std::move(*parsed) : ParsedCtlOptions{};
}

Function command(const Words& words) {
  const auto parsed = parse(words);
  const auto* function = parsed.command.target<Function>();
  return function == nullptr ? nullptr : *function;
}

TEST(CtlOptions, Commands) {
  EXPECT_EQ(command({"paths"}), &run_paths);
  EXPECT_EQ(command({"status"}), &run_status);
  EXPECT_EQ(command({"ps"}), &run_ps);
  EXPECT_EQ(command({"explain", "curl", "::1"}), &run_explain);
  EXPECT_EQ(command({"check"}), &run_check);
  EXPECT_EQ(command({"reload"}), &run_reload);
  EXPECT_EQ(command({"watch"}), &run_watch);
}

TEST(CtlOptions, Router) {
  EXPECT_EQ(command({"router", "add", "192.0.2.1"}), &run_router);
  const auto options = parse({"router", "delete", "fe80::1%eth0", "--json"}).options;
  EXPECT_EQ(options.router_action, "delete");
  EXPECT_EQ(options.router, "fe80::1%eth0");
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
  EXPECT_EQ(options.program, "curl");
  EXPECT_EQ(options.destination, "10.0.0.1");
  EXPECT_EQ(options.port, "ssh");
  EXPECT_EQ(options.profile, "p");
  EXPECT_EQ(options.transport, "udp");
  EXPECT_EQ(parse({"explain", "a", "b"}).options.port, "");
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
  EXPECT_FALSE(parsed.command);
  EXPECT_THAT(parsed.answer, HasSubstr("PROGRAM DESTINATION [PORT]"));
  EXPECT_EQ(parse({"--version"}).answer, "pxctl " PX_VERSION "\n");
}

}  // namespace
}  // namespace px::cli
