// SPDX-License-Identifier: MIT
// YAML to Policy. The policy is a checked model of the YAML files. It keeps the place of everything
// that a message may have to point at, and the defaults of all keys stand here or in plan/. A
// value: load_policy makes it whole, nobody changes it afterwards.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "broker/config/match.h"
#include "broker/config/names.h"
#include "broker/config/position.h"
#include "dns/name_pattern.h"
#include "libbundle/core/address.h"
#include "plan/layout.h"

namespace px::broker {

using bundle::Address;

// One complaint about a policy: its place, the mistake, and the remedy.
struct Diagnostic {
  Position position;
  std::string message;
};

// "FILE:LINE:COLUMN: MESSAGE", without line and column where the file as a whole is meant.
[[nodiscard]] std::string to_string(const Diagnostic& diagnostic);

// `paths:` a named selector over the host's entries. All given keys must hold.
struct PathSelector {
  std::string name;
  std::string interface;          // a glob as of fnmatch(3); empty: any
  std::optional<Address> source;  // absent: the interface's own default
  // The next hop; absent: the interface's own. Link-local only with an interface.
  std::optional<Address> gateway;
  Position position;
  Position gateway_position;
};

// A destination network in the sixteen-byte form: an IPv4 network's length is 96 + its own;
// `any` is ::/0 with length 0, both families.
struct Network {
  Address base;
  unsigned prefix_length = 0;
};

struct PortRange {
  std::uint16_t low = 0;
  std::uint16_t high = 0;  // inclusive
};

struct Rule {
  std::vector<Network> to;                  // these, and
  std::vector<dns::NamePattern> to_names;   // what is called so; of both together at least one
  std::vector<PortRange> ports;             // empty: any
  std::vector<plan::Transport> transports;  // empty: any
  plan::RuleAction action = plan::RuleAction::kVia;
  std::vector<std::string> via;  // names of paths, in order of preference; of kVia alone
  std::string to_text;           // `to`, as written, for people
  Position position;
};

// `listen:` by which egress a server's answers leave.
struct Listen {
  plan::ListenMode mode = plan::ListenMode::kSystem;
  std::vector<std::string> via;  // of kReceivedSource alone, and not empty there: names of paths
  Position position;
};

// `bundles:` a name for a host with several addresses (PB-9).
struct BundleDefinition {
  std::string name;                  // one label; known as NAME.bundle where it has a notation
  std::string notation;              // of its members; empty: all addresses of each alias itself
  std::vector<std::string> aliases;  // real names, lower case, without a dot at the end
  bool any = false;                  // every name with several addresses; then no alias
  Position position;
};

struct Profile {
  std::string name;            // plan::valid_profile_name
  std::vector<Match> matches;  // the programs that get it without asking
  bool inherit = true;         // whether children keep it
  std::vector<Rule> rules;
  Listen listen;
  Names names;
  bool on_link_system = true;
  plan::BundleSettings bundle = plan::kDefaultBundleSettings;
  plan::IfUnavailable if_unavailable = plan::IfUnavailable::kBlock;
  Position position;
};

// SO_MARK bits that are px's where the policy says nothing, and how many there must be at least:
// each next hop takes a value of its own.
inline constexpr std::uint32_t kDefaultMarkMask = 0xff000000;
inline constexpr int kFewestMarkBits = 4;

struct Policy {
  std::vector<PathSelector> paths;
  std::vector<BundleDefinition> bundles;
  std::vector<Profile> profiles;
  std::optional<std::string> default_profile;  // absent: none
  plan::OnLoss on_loss = plan::OnLoss::kLastKnown;
  std::uint32_t mark_mask = kDefaultMarkMask;
  // Whether the broker makes subflows for profiles with MPTCP in their transports.
  bool mptcp_subflows = true;
  // Where the broker serves its metrics, of loopback; absent: nowhere.
  std::optional<bundle::Endpoint> metrics;
  std::vector<std::string> files;  // that were read, in order
  // What is allowed, and hardly meant.
  std::vector<Diagnostic> warnings;

  [[nodiscard]] const PathSelector* path(std::string_view name) const;
  [[nodiscard]] const Profile* profile(std::string_view name) const;
  // Whether any profile claims programs by `match`.
  [[nodiscard]] bool matching() const;
  // Whether some profile's MPTCP connections are to have subflows to all members of their bundles.
  [[nodiscard]] bool wants_subflows() const;
};

using PolicyResult = tl::expected<Policy, std::vector<Diagnostic>>;

// Reads `main_file` and every conf.d/*.yaml beside it, in name order. Reports all mistakes, not the
// first alone; where there are any, there is no policy.
[[nodiscard]] PolicyResult load_policy(const std::filesystem::path& main_file);

// The same for one text, without conf.d; `name` stands for the file in messages.
[[nodiscard]] PolicyResult parse_policy(std::string_view text, const std::string& name);

// What a `via` stands for that is none of `known`'s paths, or why it stands for nothing.
using ViaLookup = std::function<tl::expected<PathSelector, std::string>(const std::string& via,
                                                                        const Policy& known)>;

// px-exec's --rules FILE: `paths:` and the keys of a profile, as one profile of that name beside
// all of `base` but its profiles.
[[nodiscard]] PolicyResult load_rules(const std::filesystem::path& file,
                                      const std::string& profile_name, const Policy& base,
                                      const ViaLookup& look_up);

}  // namespace px::broker
