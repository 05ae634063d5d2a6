// SPDX-License-Identifier: MIT
#include "broker/publish/plan_builder.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "broker/host/range_set.h"
#include "broker/publish/bundle_tables.h"
#include "broker/publish/destination_trie.h"
#include "broker/publish/name_servers.h"
#include "broker/publish/path_resolution.h"
#include "broker/publish/routing_needs.h"
#include "plan/wire.h"

namespace px::broker {
namespace {

constexpr std::size_t kAlignment = 8;
constexpr std::uint32_t kEverywhere = 0xffffffff;  // no index of a snapshot's reach

std::uint32_t mark_of(const std::string& key, const Marks& marks) {
  const auto mark = marks.find(key);
  return mark == marks.end() ? 0 : mark->second;
}

// Which list of the snapshot says where the entry leads by this path, or kEverywhere.
std::uint32_t reach_index(const Entry& entry, const PathSelector& path, const Marks& marks) {
  const MarkUse use = mark_use(path, entry);
  const bool marked = mark_of(mark_key(path, entry), marks) != 0;
  if (use == MarkUse::kNeeded) return kEverywhere;
  if (!marked || use == MarkUse::kPortBound) return entry.reach;
  return path.gateway ? kEverywhere : entry.interface_reach;
}

// A plan in the making: sections are appended, the header is written last.
class PlanBytes {
 public:
  PlanBytes() : bytes_(sizeof(plan::PlanHeader)) {}

  template <typename Element>
  plan::Section append(const std::vector<Element>& elements) {
    bytes_.resize((bytes_.size() + kAlignment - 1) / kAlignment * kAlignment);
    const auto offset = bytes_.size();
    bytes_.resize(offset + elements.size() * sizeof(Element));
    if (!elements.empty()) {
      std::memcpy(bytes_.data() + offset, elements.data(), elements.size() * sizeof(Element));
    }
    return {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(elements.size())};
  }

  std::vector<std::byte> finish(plan::PlanHeader header) {
    header.size = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &header, sizeof header);
    return std::move(bytes_);
  }

 private:
  std::vector<std::byte> bytes_;
};

// The rules' `via` lists as the plan's tables; each path, list and reach stands in it once.
class ViaTables {
 public:
  ViaTables(const Policy& policy, const Snapshot& snapshot, const Marks& marks)
      : policy_(policy), snapshot_(snapshot), marks_(marks) {}

  plan::Rule compile(const Rule& rule) {
    if (rule.action != plan::RuleAction::kVia) return {rule.action, 0, 0};
    const auto [first, count] = list_of(rule.via);
    return {rule.action, first, count};
  }

  // Where the paths' entries stand in via_ids: the first, and how many.
  std::pair<std::uint32_t, std::uint32_t> list_of(const std::vector<std::string>& via) {
    auto [list, fresh] = lists_.try_emplace(via);
    if (fresh) {
      list->second.first = static_cast<std::uint32_t>(via_ids.size());
      for (const std::string& name : via) {
        const auto& ids = entries_of(name);
        via_ids.insert(via_ids.end(), ids.begin(), ids.end());
      }
      list->second.second = static_cast<std::uint32_t>(via_ids.size()) - list->second.first;
    }
    return list->second;
  }

  // A server, and where its egress stands: the entry leads to this server alone.
  plan::NameServer compile(const NameServerEgress& server) {
    plan::NameServer compiled{server.server.address, server.server.port, 0, 0};
    if (!server.entry) return compiled;
    plan::Entry entry = server.program_entry;
    entry.first_reach = static_cast<std::uint32_t>(reach.size());
    entry.reach_count = 1;
    reach.push_back(network_range(compiled.address, PX_ADDRESS_BITS));
    compiled.first_via = static_cast<std::uint32_t>(via_ids.size());
    compiled.via_count = 1;
    via_ids.push_back(static_cast<std::uint32_t>(entries.size()));
    entries.push_back(entry);
    return compiled;
  }

  std::vector<std::uint32_t> via_ids;
  std::vector<plan::Entry> entries;
  std::vector<plan::Range> reach;

 private:
  const std::vector<std::uint32_t>& entries_of(const std::string& name) {
    auto [ids, fresh] = paths_.try_emplace(name);
    if (!fresh) return ids->second;
    const PathSelector* path = policy_.path(name);
    if (path == nullptr) return ids->second;
    for (const std::size_t index : resolve_path(*path, snapshot_)) {
      ids->second.push_back(static_cast<std::uint32_t>(entries.size()));
      entries.push_back(compile_entry(snapshot_.entries[index], *path));
    }
    return ids->second;
  }

  plan::Entry compile_entry(const Entry& entry, const PathSelector& path) {
    const plan::Section ranges = section_of(entry, path);
    plan::Entry compiled = plan_entry(entry, path, marks_);
    compiled.first_reach = ranges.offset;
    compiled.reach_count = ranges.count;
    return compiled;
  }

  // Where the entry's ranges stand in `reach`, as first element and count.
  plan::Section section_of(const Entry& entry, const PathSelector& path) {
    auto [section, fresh] = reaches_.try_emplace(reach_index(entry, path, marks_));
    if (fresh) {
      const Ranges ranges = reach_of(entry, path, snapshot_, marks_);
      section->second = {static_cast<std::uint32_t>(reach.size()),
                         static_cast<std::uint32_t>(ranges.size())};
      reach.insert(reach.end(), ranges.begin(), ranges.end());
    }
    return section->second;
  }

  const Policy& policy_;
  const Snapshot& snapshot_;
  const Marks& marks_;
  std::map<std::string, std::vector<std::uint32_t>> paths_;
  std::map<std::vector<std::string>, std::pair<std::uint32_t, std::uint32_t>> lists_;
  std::map<std::uint32_t, plan::Section> reaches_;
};

// Those that programs may ask themselves.
std::vector<plan::NameServer> compile_name_servers(const Names& names, const Policy& policy,
                                                   const Snapshot& snapshot, const Marks& marks,
                                                   ViaTables& tables) {
  std::vector<plan::NameServer> servers;
  const NameGroup* rest = names.rest();
  if (rest == nullptr) return servers;
  for (const NameServerEgress& server : name_servers_of(*rest, policy, snapshot, marks)) {
    if (server.server.tls_name.empty()) servers.push_back(tables.compile(server));
  }
  return servers;
}

}  // namespace

Ranges reach_of(const Entry& entry, const PathSelector& path, const Snapshot& snapshot,
                const Marks& marks) {
  const std::uint32_t index = reach_index(entry, path, marks);
  return index == kEverywhere ? Ranges{network_range({}, 0)} : snapshot.reach[index];
}

plan::Entry plan_entry(const Entry& entry, const PathSelector& path, const Marks& marks) {
  plan::Entry compiled{};
  compiled.source = entry.source;
  compiled.interface_index = entry.interface_index;
  compiled.number = entry.number;
  compiled.flags = (entry.usable() ? plan::kEntryUsable : 0) |
                   (entry.source.is_ipv4() ? plan::kEntryIpv4 : 0) |
                   (entry.kernel_source ? plan::kEntryKernelSource : 0);
  if (!path.source) compiled.flags |= plan::kEntryAnySource;
  plan::fill_text(compiled.interface, entry.interface);
  const MarkUse use = mark_use(path, entry);
  compiled.mark = mark_of(mark_key(path, entry), marks);
  const bool marked = compiled.mark != 0;
  if (path.gateway && entry.needs_mark && !marked) compiled.flags &= ~plan::kEntryUsable;
  if (use == MarkUse::kNoDevice && marked) {
    compiled.flags |= plan::kEntryNoDevice;
    const bool own_router = !path.gateway || !(entry.needs_mark || entry.mark_leads_further);
    if (own_router && entry.reach == entry.interface_reach) {
      compiled.flags |= plan::kEntryMarkOptional;
    }
  }
  const bool as_routed = use == MarkUse::kNone || use == MarkUse::kPortBound || !marked;
  if (entry.routed_by_source && as_routed) compiled.flags |= plan::kEntryRoutedBySource;
  return compiled;
}

Expected<std::vector<std::byte>> build_plan(const Profile& profile, const Policy& policy,
                                            const Snapshot& snapshot, const Marks& marks) {
  ViaTables tables(policy, snapshot, marks);
  std::vector<plan::Rule> rules;
  rules.reserve(profile.rules.size());
  for (const Rule& rule : profile.rules) rules.push_back(tables.compile(rule));
  const auto listen_via = tables.list_of(profile.listen.via);
  const auto name_servers = compile_name_servers(profile.names, policy, snapshot, marks, tables);
  auto index =
      build_destination_index(profile.rules, profile.if_unavailable == plan::IfUnavailable::kNext);

  PlanBytes bytes;
  plan::PlanHeader header{};
  header.if_unavailable = profile.if_unavailable;
  header.on_loss = policy.on_loss;
  header.mark_mask = marks.empty() ? 0 : policy.mark_mask;
  header.listen = profile.listen.mode;
  header.listen_mark = mark_of(listen_key(profile), marks);
  std::tie(header.listen_first_via, header.listen_via_count) = listen_via;
  // A child of a profile that is not inherited is no program of it, whatever its environment says.
  header.matching = policy.matching() || !profile.inherit ? 1 : 0;
  header.bundle = profile.bundle;
  header.names = profile.names.settings();
  header.own = bytes.append(snapshot.own);
  header.on_link = bytes.append(profile.on_link_system ? snapshot.on_link : Ranges{});
  header.nodes = bytes.append(index.nodes);
  header.segments = bytes.append(index.segments);
  header.rule_ids = bytes.append(index.rule_ids);
  header.rules = bytes.append(rules);
  header.via_ids = bytes.append(tables.via_ids);
  header.entries = bytes.append(tables.entries);
  header.reach = bytes.append(tables.reach);
  const BundleTables bundles = bundle_tables_of(policy.bundles);
  header.bundle_names = bytes.append(bundles.names);
  // One section of text for both, the bundles' first.
  std::vector<char> text = bundles.text;
  for (plan::NameNode& node : index.name_nodes) {
    node.domain += static_cast<std::uint32_t>(text.size());
  }
  text.insert(text.end(), index.text.begin(), index.text.end());
  header.text = bytes.append(text);
  header.name_nodes = bytes.append(index.name_nodes);
  header.name_servers = bytes.append(name_servers);
  if (profile.names.redirect()) header.redirected = bytes.append(redirected_by_host(snapshot));
  auto plan = bytes.finish(header);
  if (plan.size() > plan::kHalfSize) {
    return fail("the plan of profile '" + profile.name + "' is more than " +
                std::to_string(plan::kHalfSize) +
                " bytes, the largest that can be published: join rules or split the profile");
  }
  return plan;
}

std::vector<std::byte> build_removed_plan(const Snapshot& snapshot) {
  PlanBytes bytes;
  plan::PlanHeader header{};
  header.removed = 1;
  header.bundle = plan::kDefaultBundleSettings;
  header.names = plan::kNoNameServers;
  header.own = bytes.append(snapshot.own);
  // The profile may have been one that redirects.
  header.redirected = bytes.append(redirected_by_host(snapshot));
  return bytes.finish(header);
}

}  // namespace px::broker
