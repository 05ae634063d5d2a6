// SPDX-License-Identifier: MIT
// Policies of several files, and px-exec's rules files.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "broker/config/policy.h"
#include "tests/unit/broker/config/known_keys.h"
#include "util/fd.h"

namespace px::broker {
namespace {

class LoadPolicy : public testing::Test {
 protected:
  LoadPolicy() {
    std::string name = (std::filesystem::temp_directory_path() / "px-policy-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) folder_ = name;
  }
  ~LoadPolicy() override {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  void SetUp() override { ASSERT_FALSE(folder_.empty()); }

  [[nodiscard]] std::filesystem::path main() const { return folder_ / "px.yaml"; }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }

  // The diagnostics, a line each, with paths relative to the folder.
  [[nodiscard]] std::string complaints(const PolicyResult& policy) const {
    std::string text;
    if (policy) return text;
    for (const Diagnostic& diagnostic : policy.error()) text += to_string(diagnostic) + "\n";
    const std::string prefix = folder_.string() + "/";
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
      text.erase(at, prefix.size());
    }
    return text;
  }
  [[nodiscard]] std::string complaints() const { return complaints(load_policy(main())); }

  std::filesystem::path folder_;
};

TEST_F(LoadPolicy, PartsAddToTheMainFileInNameOrder) {
  write("px.yaml", "version: 1\nprofiles:\n  a: { rules: [{ to: any, via: vpn }] }\n");
  write("conf.d/20-b.yaml", "profiles: { b: }\ndefault-profile: c\n");
  write("conf.d/10-c.yaml", "version: 1\npaths: { vpn: { interface: tun0 } }\nprofiles: { c: }\n");
  write("conf.d/30-comment.yaml", "# nothing yet\n");
  write("conf.d/.40-hidden.yaml", "not: read\n");
  write("conf.d/50-other.yml", "not: read\n");
  write("conf.d/60.yaml.bak", "not: read\n");
  const auto policy = load_policy(main());
  ASSERT_TRUE(policy) << complaints(policy);
  ASSERT_EQ(policy->profiles.size(), 3u);
  EXPECT_EQ(policy->profiles[0].name, "a");
  EXPECT_EQ(policy->profiles[1].name, "c");
  EXPECT_EQ(policy->profiles[2].name, "b");
  EXPECT_EQ(policy->default_profile, "c");
  const std::string conf = (folder_ / "conf.d").string();
  EXPECT_EQ(policy->path("vpn")->position.file, conf + "/10-c.yaml");
  EXPECT_EQ(policy->files,
            (std::vector<std::string>{main().string(), conf + "/10-c.yaml", conf + "/20-b.yaml",
                                      conf + "/30-comment.yaml"}));
}

TEST_F(LoadPolicy, SecondDefinitionsNameTheFirst) {
  write("px.yaml",
        "version: 1\npaths:\n  lan: { interface: eth0 }\nprofiles:\n  work: {}\n"
        "default-profile: work\nbroker:\n  on-loss: block\n");
  write("conf.d/a.yaml",
        "paths: { lan: { interface: eth1 } }\nprofiles: { work: }\ndefault-profile: none\n"
        "broker: { on-loss: block }\n");
  EXPECT_EQ(complaints(),
            "conf.d/a.yaml:1:10: path 'lan' is already defined at px.yaml:3\n"
            "conf.d/a.yaml:2:13: profile 'work' is already defined at px.yaml:5\n"
            "conf.d/a.yaml:3:1: 'default-profile' is already set at px.yaml:6\n"
            "conf.d/a.yaml:4:11: 'on-loss' is already set at px.yaml:8\n");
}

TEST_F(LoadPolicy, AllFilesAreJudgedMainFirst) {
  write("px.yaml", "version: 1\nprofiles: { work: { rules: [{ to: any, via: vnp }] } }\n");
  write("conf.d/b.yaml", "version: 3\npaths: { vpn: { interface: tun0 } }\n");
  write("conf.d/a.yaml", "pahts: {}\ndefault-profile: wrk\n");
  write("conf.d/c.yaml", "- list\n");
  EXPECT_EQ(complaints(),
            "conf.d/a.yaml:1:1: unknown key 'pahts'; did you mean 'paths'?\n"
            "conf.d/b.yaml:1:10: version '3' is not supported; expected 1\n"
            "conf.d/c.yaml:1:1: expected a map with 'version', 'paths' and 'profiles', found a "
            "list\n");
  write("conf.d/a.yaml", "default-profile: wrk\n");
  write("conf.d/c.yaml", "");
  EXPECT_EQ(complaints(),
            "px.yaml:2:45: unknown path 'vnp'; did you mean 'vpn'?\n"
            "conf.d/a.yaml:1:18: unknown profile 'wrk'; did you mean 'work'?\n"
            "conf.d/b.yaml:1:10: version '3' is not supported; expected 1\n");
}

TEST_F(LoadPolicy, NamesMayBeDefinedInAFileThatCannotBeRead) {
  write("px.yaml", "version: 1\nprofiles: { work: { rules: [{ to: any, via: vpn }] } }\n");
  write("conf.d/paths.yaml", "paths: { vpn: { interface: tun0 }\n");
  EXPECT_EQ(complaints(), "conf.d/paths.yaml:2:1: not valid YAML: end of map flow not found\n");
}

TEST_F(LoadPolicy, UnreadableFiles) {
  EXPECT_EQ(complaints(), "px.yaml: cannot open: No such file or directory\n");
  write("px.yaml", "version: 1\n");
  write("conf.d/dir.yaml/x", "");
  std::filesystem::create_symlink("nowhere", folder_ / "conf.d/link.yaml");
  EXPECT_EQ(complaints(),
            "conf.d/dir.yaml: cannot read: Is a directory\n"
            "conf.d/link.yaml: cannot open: No such file or directory\n");
  std::filesystem::remove_all(folder_ / "conf.d");
  write("conf.d", "a file");
  EXPECT_EQ(complaints(), "conf.d: cannot list: Not a directory\n");
}

TEST_F(LoadPolicy, LargeFiles) {
  const std::string line = "# " + std::string(1021, 'x') + "\n";
  std::string text = "version: 1\n";
  while (text.size() + line.size() <= std::size_t{2} << 20) text += line;
  write("px.yaml", text);
  EXPECT_EQ(complaints(), "");
  write("px.yaml", text + line);
  EXPECT_EQ(complaints(), "px.yaml: larger than 2 MiB, the largest policy file there can be\n");
}

TEST_F(LoadPolicy, ReadsPipes) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  constexpr std::string_view kText = "version: 1\nprofiles: { piped: }\n";
  ASSERT_EQ(::write(writer.get(), kText.data(), kText.size()), ssize_t{kText.size()});
  writer.reset();
  const auto policy = load_policy("/proc/self/fd/" + std::to_string(reader.get()));
  ASSERT_TRUE(policy) << complaints(policy);
  EXPECT_NE(policy->profile("piped"), nullptr);
}

class LoadRules : public LoadPolicy {
 protected:
  [[nodiscard]] PolicyResult load(const std::string& text) const {
    write("rules.yaml", text);
    return load_rules(folder_ / "rules.yaml", "rules", base_, look_up);
  }

  // Knows one interface and one entry.
  static tl::expected<PathSelector, std::string> look_up(const std::string& via,
                                                         const Policy& known) {
    PathSelector path;
    path.interface = via == "8" ? "wg0" : via;
    if (via == "8") path.source = bundle::address_from_text("10.8.0.2");
    if (via == "8" || via == "wlan0") return path;
    return tl::make_unexpected("no '" + via + "' beside " + std::to_string(known.paths.size()) +
                               " paths");
  }

  Policy base_ = *parse_policy(
      "version: 1\npaths: { vpn: { interface: tun0 }, lan: { interface: eth0 } }\n"
      "bundles: { db: { hosts: [db.example] } }\nprofiles: { work: }\ndefault-profile: work\n"
      "broker: { on-loss: system, mark-mask: 0xff0000, mptcp-subflows: false }\n",
      "base.yaml");
};

TEST_F(LoadRules, MakesOneProfileBesideThePolicysPaths) {
  const auto policy = load(
      "paths:\n  vpn: { interface: wg0 }\non-link: rules\nif-unavailable: next\nrules:\n"
      "  - { to: 10.0.0.0/8, via: [vpn, lan] }\n  - { to: any, via: wlan0 }\n");
  ASSERT_TRUE(policy) << complaints(policy);
  ASSERT_EQ(policy->profiles.size(), 1u);
  const Profile& profile = policy->profiles.front();
  EXPECT_EQ(profile.name, "rules");
  EXPECT_EQ(profile.rules.size(), 2u);
  EXPECT_FALSE(profile.on_link_system);
  EXPECT_EQ(profile.if_unavailable, plan::IfUnavailable::kNext);
  ASSERT_EQ(policy->paths.size(), 3u);
  EXPECT_EQ(policy->path("vpn")->interface, "wg0");
  EXPECT_EQ(policy->path("lan")->interface, "eth0");
  EXPECT_EQ(policy->path("wlan0")->interface, "wlan0");
  EXPECT_EQ(policy->default_profile, std::nullopt);
  EXPECT_EQ(policy->on_loss, plan::OnLoss::kSystem);
  EXPECT_EQ(policy->mark_mask, 0xff0000u);
  EXPECT_FALSE(policy->mptcp_subflows);
  ASSERT_EQ(policy->bundles.size(), 1u);
  EXPECT_EQ(policy->files, (std::vector<std::string>{"base.yaml", folder_ / "rules.yaml"}));
}

TEST_F(LoadRules, TakesWhatViaStandsForElsewhere) {
  const auto policy =
      load("rules:\n  - { to: 10.0.0.0/8, via: 8 }\n  - { to: any, via: [8, lan] }\n");
  ASSERT_TRUE(policy) << complaints(policy);
  ASSERT_EQ(policy->paths.size(), 3u);
  ASSERT_NE(policy->path("8"), nullptr);
  EXPECT_EQ(policy->path("8")->interface, "wg0");
  EXPECT_EQ(policy->path("8")->source, bundle::address_from_text("10.8.0.2"));
  EXPECT_EQ(policy->path("8")->position.line, 2);
}

TEST_F(LoadRules, SaysWhatIsWrong) {
  EXPECT_EQ(complaints(load("")), "rules.yaml: the file is empty; expected 'rules:' and a list\n");
  EXPECT_EQ(complaints(load("on-link: rules\n")),
            "rules.yaml:1:1: no rules; expected 'rules:' and a list\n");
  EXPECT_EQ(complaints(load("- { to: any, via: lan }\n")),
            "rules.yaml:1:1: expected a map with 'rules', found a list\n");
  EXPECT_EQ(
      complaints(load("version: 2\nruels: []\nprofiles: {}\nmatch: []\n")),
      with_known_keys("rules.yaml:1:10: version '2' is not supported; expected 1\n"
                      "rules.yaml:2:1: unknown key 'ruels'; did you mean 'rules'?\n"
                      "rules.yaml:3:1: unknown key 'profiles'; expected {profile-of-rules-file}\n"
                      "rules.yaml:4:1: unknown key 'match'; expected {profile-of-rules-file}\n"));
  EXPECT_EQ(complaints(load("rules: [{ to: any, via: no/way }]\n")),
            "rules.yaml:1:25: no 'no/way' beside 2 paths\n");
  EXPECT_EQ(complaints(load("rules:\n  - { to: any, via: [lan, wlna0] }\n"
                            "listen: { mode: received-source, via: 9 }\n")),
            "rules.yaml:2:27: no 'wlna0' beside 2 paths\n"
            "rules.yaml:3:39: no '9' beside 2 paths\n");
  EXPECT_EQ(complaints(load("rules: [\n")),
            "rules.yaml:2:1: not valid YAML: end of sequence flow not found\n");
  EXPECT_EQ(complaints(load_rules(folder_ / "none.yaml", "rules", base_, look_up)),
            "none.yaml: cannot open: No such file or directory\n");
}

}  // namespace
}  // namespace px::broker
