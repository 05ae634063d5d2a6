// SPDX-License-Identifier: MIT
#include "plan/decide.h"

#include <algorithm>

#include "plan/section.h"

namespace px::plan {
namespace {

// The plan's tables, each checked once per decision.
struct Tables {
  std::span<const Node> nodes;
  std::span<const Segment> segments;
  std::span<const std::uint32_t> rule_ids;
  std::span<const Rule> rules;
  std::span<const std::uint32_t> via_ids;
  std::span<const Entry> entries;
  std::span<const Range> reach;
  std::span<const NameNode> name_nodes;
  std::span<const char> text;
  std::span<const NameServer> name_servers;
};

Tables tables_of(std::span<const std::byte> half, const PlanHeader& header) {
  return {elements<Node>(half, header.nodes),
          elements<Segment>(half, header.segments),
          elements<std::uint32_t>(half, header.rule_ids),
          elements<Rule>(half, header.rules),
          elements<std::uint32_t>(half, header.via_ids),
          elements<Entry>(half, header.entries),
          elements<Range>(half, header.reach),
          elements<NameNode>(half, header.name_nodes),
          elements<char>(half, header.text),
          elements<NameServer>(half, header.name_servers)};
}

// The last segment at or below the key; the segments of a node are sorted and start at 0.
const Segment* segment_at(std::span<const Segment> segments, std::uint32_t key) {
  const auto above = std::upper_bound(
      segments.begin(), segments.end(), key,
      [](std::uint32_t wanted, const Segment& segment) { return wanted < segment.key; });
  return above == segments.begin() ? nullptr : &*(above - 1);
}

unsigned bit(const Address& address, std::uint32_t index) {
  return (address.bytes[index / 8] >> (7 - index % 8)) & 1u;
}

// What is looked for in the segments of a node: the lowest rule for a transport and port, not below
// `from`.
struct Wanted {
  std::uint32_t key;
  std::uint32_t from;
};

// kNoRuleIndex for none.
std::uint32_t lowest_rule(const Tables& tables, std::uint32_t first_segment,
                          std::uint32_t segment_count, const Wanted& wanted) {
  const Segment* segment =
      segment_at(part(tables.segments, first_segment, segment_count), wanted.key);
  if (segment == nullptr) return kNoRuleIndex;
  const auto ids = part(tables.rule_ids, segment->first_rule_id, segment->rule_id_count);
  const auto id = std::lower_bound(ids.begin(), ids.end(), wanted.from);
  return id == ids.end() ? kNoRuleIndex : *id;
}

// First match wins over all networks that hold the destination, so all nodes from the root to the
// destination are looked at.
std::uint32_t first_by_network(const Tables& tables, const Address& destination,
                               const Wanted& wanted) {
  std::uint32_t best = kNoRuleIndex;
  std::uint32_t index = 0;
  for (unsigned depth = 0; depth < PX_DEEPEST_WALK && index < tables.nodes.size(); ++depth) {
    const Node node = tables.nodes[index];
    if (node.prefix_length > PX_ADDRESS_BITS ||
        bundle::common_prefix_length(node.network, destination) < node.prefix_length) {
      break;
    }
    best = std::min(best, lowest_rule(tables, node.first_segment, node.segment_count, wanted));
    if (node.prefix_length == PX_ADDRESS_BITS) break;
    index = node.child[bit(destination, node.prefix_length)];
  }
  return best;
}

bool stands_before(const Tables& tables, const NameNode& node, std::span<const std::uint8_t> domain,
                   bool below) {
  const auto text = part(tables.text, node.domain, node.domain_length);
  const auto order = std::lexicographical_compare_three_way(
      text.begin(), text.end(), domain.begin(), domain.end(),
      [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) <=> b; });
  return order != 0 ? order < 0 : node.below < (below ? 1u : 0u);
}

// Nothing where no rule has exactly this name, or this pattern.
std::optional<NameNode> name_node(const Tables& tables, std::span<const std::uint8_t> domain,
                                  bool below) {
  const auto found = std::lower_bound(tables.name_nodes.begin(), tables.name_nodes.end(), domain,
                                      [&](const NameNode& node, auto wanted) {
                                        return stands_before(tables, node, wanted, below);
                                      });
  if (found == tables.name_nodes.end()) return std::nullopt;
  const NameNode node = *found;
  const auto text = part(tables.text, node.domain, node.domain_length);
  const bool same =
      std::equal(text.begin(), text.end(), domain.begin(), domain.end(),
                 [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
  return same && node.below == (below ? 1u : 0u) ? std::optional(node) : std::nullopt;
}

// Over all names, and all domains that each of them is below of.
std::uint32_t first_by_name(const Tables& tables, const dns::NameChain& names,
                            const Wanted& wanted) {
  std::uint32_t best = kNoRuleIndex;
  for (auto rest = names.wire(); const auto name = dns::next_name(&rest);) {
    bool below = false;
    for (auto domain = name->wire(); domain.size() > 1;
         domain = domain.subspan(domain.front() + std::size_t{1})) {
      if (const auto node = name_node(tables, domain, below)) {
        best =
            std::min(best, lowest_rule(tables, node->first_segment, node->segment_count, wanted));
      }
      below = true;
    }
  }
  return best;
}

// The lowest rule, not below `from`, that matches the call; kNoRuleIndex for none.
std::uint32_t first_match(const Tables& tables, const Call& call, std::uint32_t from) {
  const Wanted wanted{segment_key(call.transport, call.port), from};
  const std::uint32_t best = first_by_network(tables, call.destination, wanted);
  if (call.names == nullptr || tables.name_nodes.empty()) return best;
  return std::min(best, first_by_name(tables, *call.names, wanted));
}

// RFC 6724, rule 8, for sources of one interface: the longest prefix shared with the destination,
// of the network part alone. IPv4 sources are all alike, as in the kernel.
unsigned source_fitness(const Address& source, const Address& destination) {
  constexpr unsigned kNetworkPart = 64;
  if (destination.is_ipv4()) return 0;
  return std::min(bundle::common_prefix_length(source, destination), kNetworkPart);
}

bool is_multicast(const Address& destination) {
  return destination.is_ipv4() ? destination.bytes[12] >> 4 == 0xe : destination.bytes[0] == 0xff;
}

// A socket whose source px binds is found its route by that.
Entry as_taken_by(Entry entry, const Call& call) {
  if ((entry.flags & kEntryRoutedBySource) != 0 && !call.source_fixed) entry.mark = 0;
  return entry;
}

// The entry the rule sends the call to: the first usable one and, where the policy left the source
// open, the best source among its interface's.
std::optional<Entry> choose_entry(const Tables& tables, const Rule& rule, const Call& call) {
  std::optional<Entry> chosen;
  unsigned chosen_length = 0;
  for (const std::uint32_t id : part(tables.via_ids, rule.first_via, rule.via_count)) {
    if (id >= tables.entries.size()) return std::nullopt;
    const Entry entry = as_taken_by(tables.entries[id], call);
    if (chosen &&
        (entry.interface_index != chosen->interface_index || entry.mark != chosen->mark)) {
      break;
    }
    if (call.source != nullptr && entry.source != *call.source) continue;
    const auto reach = part(tables.reach, entry.first_reach, entry.reach_count);
    if (usability(reach, entry, call) != Usability::kUsable) continue;
    if ((entry.flags & kEntryAnySource) == 0) return chosen ? chosen : entry;
    const unsigned length = source_fitness(entry.source, call.destination);
    if (!chosen || length > chosen_length) {
      chosen = entry;
      chosen_length = length;
    }
  }
  return chosen;
}

bool takes_fixed_source(const Entry& entry) {
  if ((entry.flags & kEntryKernelSource) == 0) return false;
  return (entry.flags & kEntryRoutedBySource) == 0 || entry.mark != 0;
}

Verdict decide_by_rules(const Tables& tables, IfUnavailable if_unavailable, const Call& call) {
  std::uint32_t from = 0;
  for (;;) {
    const std::uint32_t index = first_match(tables, call, from);
    if (index >= tables.rules.size()) return {Action::kSystem, Reason::kNoRule};
    const Rule rule = tables.rules[index];
    if (rule.action == RuleAction::kSystem) return {Action::kSystem, Reason::kRule, index};
    if (rule.action != RuleAction::kVia) return {Action::kRefuse, Reason::kRule, index};
    if (auto entry = choose_entry(tables, rule, call)) {
      // No router stands before it: it goes to the network of the interface.
      if (is_multicast(call.destination)) {
        entry->mark = 0;
        entry->flags &= ~kEntryNoDevice;
      }
      return {Action::kVia, Reason::kRule, index, *entry};
    }
    if (call.source != nullptr) return {Action::kSystem, Reason::kNoRule};
    if (if_unavailable == IfUnavailable::kSystem) {
      return {Action::kSystem, Reason::kUnavailable, index};
    }
    if (if_unavailable != IfUnavailable::kNext) {
      return {Action::kFail, Reason::kUnavailable, index};
    }
    from = index + 1;
  }
}

std::optional<Entry> choose_entry(const Tables& tables, const NameServer& server,
                                  const Call& call) {
  return choose_entry(tables, Rule{RuleAction::kVia, server.first_via, server.via_count}, call);
}

bool asks(Transport transport) {
  return transport == Transport::kUdp || transport == Transport::kTcp;
}

// Nothing where the call is to no server of the profile's, or is bound to another source than that
// is asked from: then the rules decide.
std::optional<Verdict> decide_by_name_servers(const Tables& tables, const Call& call) {
  if (!asks(call.transport)) return std::nullopt;
  for (const NameServer& server : tables.name_servers) {
    if (server.address != call.destination || server.port != call.port) continue;
    const std::uint32_t index = first_match(tables, call, 0);
    if (index < tables.rules.size()) {
      const RuleAction action = tables.rules[index].action;
      const bool passes = action == RuleAction::kVia || action == RuleAction::kSystem;
      if (!passes) return Verdict{Action::kRefuse, Reason::kRule, index};
    }
    const auto entry = choose_entry(tables, server, call);
    if (entry) return Verdict{Action::kVia, Reason::kNameServer, kNoRuleIndex, *entry};
    if (call.source != nullptr) return std::nullopt;
    return Verdict{Action::kFail, Reason::kNameServer};
  }
  return std::nullopt;
}

std::optional<bundle::Endpoint> first_available(const Tables& tables, Call call,
                                                std::optional<bool> ipv4) {
  for (const NameServer& server : tables.name_servers) {
    if (ipv4 && server.address.is_ipv4() != *ipv4) continue;
    call.destination = server.address;
    call.scope = 0;
    const auto entry = choose_entry(tables, server, call);
    if (!entry) continue;
    return bundle::Endpoint{.address = server.address,
                            .port = static_cast<std::uint16_t>(server.port),
                            .scope = server.address.is_scoped() ? entry->interface_index : 0};
  }
  return std::nullopt;
}

}  // namespace

Usability usability(std::span<const Range> reach, const Entry& entry, const Call& call) {
  if (((entry.flags & kEntryIpv4) != 0) != call.destination.is_ipv4()) {
    return Usability::kOtherFamily;
  }
  if ((entry.flags & kEntryUsable) == 0) return Usability::kDown;
  if (call.scope != 0 && call.scope != entry.interface_index) return Usability::kOtherScope;
  if (call.source_fixed && !takes_fixed_source(entry)) return Usability::kSourceFixed;
  return contains(reach, call.destination) ? Usability::kUsable : Usability::kNoRoute;
}

Verdict decide(std::span<const std::byte> half, const Call& call) {
  if (call.destination.is_loopback_or_unspecified()) {
    return {Action::kSystem, Reason::kLoopback};
  }
  if (half.size() < sizeof(PlanHeader)) return {Action::kFail, Reason::kNoPlan};
  const auto& header = *reinterpret_cast<const PlanHeader*>(half.data());
  if (contains(elements<Range>(half, header.own), call.destination)) {
    return {Action::kSystem, Reason::kOwnAddress};
  }
  if (header.removed != 0) return {Action::kFail, Reason::kProfileRemoved};
  const Tables tables = tables_of(half, header);
  if (const auto verdict = decide_by_name_servers(tables, call)) return *verdict;
  if (contains(elements<Range>(half, header.on_link), call.destination)) {
    return {Action::kSystem, Reason::kOnLink};
  }
  return decide_by_rules(tables, header.if_unavailable, call);
}

Redirection redirect(std::span<const std::byte> half, const Call& call, bool ipv4_only) {
  if (call.port != PX_NAME_SERVER_PORT || !asks(call.transport)) return {};
  if (half.size() < sizeof(PlanHeader)) return {};
  const auto& header = *reinterpret_cast<const PlanHeader*>(half.data());
  if (!contains(elements<Range>(half, header.redirected), call.destination)) return {};
  const Tables tables = tables_of(half, header);
  auto server = first_available(tables, call, call.destination.is_ipv4());
  if (!server && !ipv4_only) server = first_available(tables, call, std::nullopt);
  return {.applies = true, .server = server};
}

std::size_t name_servers(std::span<const std::byte> half, std::span<bundle::Endpoint> room) {
  if (half.size() < sizeof(PlanHeader)) return 0;
  const auto& header = *reinterpret_cast<const PlanHeader*>(half.data());
  const auto entries = elements<Entry>(half, header.entries);
  const auto via_ids = elements<std::uint32_t>(half, header.via_ids);
  std::size_t count = 0;
  for (const NameServer& server : elements<NameServer>(half, header.name_servers)) {
    if (count == room.size()) break;
    const auto ids = part(via_ids, server.first_via, server.via_count);
    const bool scoped = server.address.is_scoped() && !ids.empty() && ids[0] < entries.size();
    room[count++] = {.address = server.address,
                     .port = static_cast<std::uint16_t>(server.port),
                     .scope = scoped ? entries[ids[0]].interface_index : 0};
  }
  return count;
}

}  // namespace px::plan
