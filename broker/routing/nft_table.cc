// SPDX-License-Identifier: MIT
#include "broker/routing/nft_table.h"

#include <nftables/libnftables.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

namespace px::broker {
namespace {

struct FreeContext {
  void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};
using Context = std::unique_ptr<nft_ctx, FreeContext>;

std::string hex(std::uint32_t number) {
  std::array<char, 11> text{};
  std::snprintf(text.data(), text.size(), "0x%08x", number);
  return text.data();
}

std::string with_mark(const std::string& what, std::uint32_t mark, std::uint32_t mask) {
  return what + " set " + what + " & " + hex(~mask) + " | " + hex(mark);
}

std::string has_mark(const std::string& what, std::uint32_t mark, std::uint32_t mask) {
  return what + " & " + hex(mask) + " == " + hex(mark);
}

Expected<Context> open_context() {
  Context context(nft_ctx_new(NFT_CTX_DEFAULT));
  if (!context || nft_ctx_buffer_output(context.get()) != 0 ||
      nft_ctx_buffer_error(context.get()) != 0) {
    return fail("cannot set up libnftables");
  }
  return context;
}

bool is_next_hop(const RoutingTable& table) {
  return !(table.ipv4 && table.ipv4->with_connected) && !(table.ipv6 && table.ipv6->with_connected);
}

// A socket with a device takes a destination without a route for a neighbour, and so does IPv4 with
// an `unreachable` one: neither the table's last route nor the rule behind it stops that.
std::string guard(const RoutingTable& table, std::uint32_t mark, std::uint32_t mask) {
  std::string text;
  for (const bool ipv4 : {true, false}) {
    const auto& route = ipv4 ? table.ipv4 : table.ipv6;
    const std::string family = ipv4 ? "ip" : "ip6";
    const std::string marked = "    meta nfproto " + std::string(ipv4 ? "ipv4 " : "ipv6 ") +
                               has_mark("meta mark", mark, mask) + " oifname != \"lo\" ";
    if (route && route->next_hop && route->next_hop->is_ipv4() == ipv4) {
      std::array<char, bundle::kAddressTextSize> buffer{};
      const std::string router(bundle::address_text(*route->next_hop, buffer));
      text += marked + "rt " + family + " nexthop != " + router + " reject with icmpx no-route\n";
    }
    text += route ? marked + "oif != " + std::to_string(route->interface_index) +
                        " reject with icmpx no-route\n"
                  : marked + "reject with icmpx no-route\n";
  }
  return text;
}

std::string guard_chain(const RoutingDemand& demand, const Marks& marks, std::uint32_t mask) {
  std::string guards;
  for (const RoutingTable& table : demand.tables) {
    if (is_next_hop(table)) guards += guard(table, marks.at(table.key), mask);
  }
  if (guards.empty()) return {};
  // Marks that mean nothing any more.
  std::string known = hex(0);
  for (const auto& [key, mark] : marks) known += ", " + hex(mark);
  guards += "    meta mark & " + hex(mask) + " != { " + known +
            " } oifname != \"lo\" reject with icmpx no-route\n";
  return "  chain guard {\n    type filter hook output priority filter;\n" + guards + "  }\n";
}

std::string answer_chains(const RoutingDemand& demand, const Marks& marks, std::uint32_t mask) {
  if (demand.received.empty()) return {};
  const std::uint32_t listening = marks.at(kReceivedKey);
  std::string calls;
  std::string answers;
  for (const auto& [interface, key] : demand.received) {
    const std::uint32_t mark = marks.at(key);
    calls += "    ct direction original " + has_mark("ct mark", 0, mask) +
             " meta l4proto tcp socket " + has_mark("mark", listening, mask) + " iif " +
             std::to_string(interface) + " " + with_mark("ct mark", mark, mask) + "\n";
    answers += "    ct direction reply " + has_mark("ct mark", mark, mask) + " " +
               with_mark("meta mark", mark, mask) + "\n";
  }
  return "  chain pre {\n    type filter hook prerouting priority mangle;\n" + calls +
         "  }\n  chain out {\n    type route hook output priority mangle;\n" + answers + "  }\n";
}

Expected<bool> lists(nft_ctx* context, const std::string& table) {
  if (nft_run_cmd_from_buffer(context, "list tables") != 0) {
    const std::string error = nft_ctx_get_error_buffer(context);
    return fail("nftables: " + error.substr(0, error.find('\n')));
  }
  const std::string tables = nft_ctx_get_output_buffer(context);
  return ("\n" + tables).find("\ntable " + table + "\n") != std::string::npos;
}

}  // namespace

bool needs_nft_table(const RoutingDemand& demand) {
  return !demand.received.empty() ||
         std::any_of(demand.tables.begin(), demand.tables.end(), is_next_hop);
}

std::string nft_table_commands(const RoutingDemand& demand, const Marks& marks,
                               std::uint32_t mask) {
  const std::string table = std::string("table ") + kNftTable;
  // Added first so that there is one to delete.
  std::string text = "add " + table + "\ndelete " + table + "\n";
  if (!needs_nft_table(demand)) return text;
  return text + table + " {\n" + answer_chains(demand, marks, mask) +
         guard_chain(demand, marks, mask) + "}\n";
}

Expected<void> run_nft(const std::string& commands) {
  PX_ASSIGN_OR_RETURN(const auto context, open_context());
  if (nft_run_cmd_from_buffer(context.get(), commands.c_str()) == 0) return {};
  const std::string error = nft_ctx_get_error_buffer(context.get());
  return fail("nftables: " + error.substr(0, error.find('\n')));
}

Expected<std::string> list_nft_table() {
  PX_ASSIGN_OR_RETURN(const auto context, open_context());
  PX_ASSIGN_OR_RETURN(const bool there, lists(context.get(), kNftTable));
  const std::string table = std::string("list table ") + kNftTable;
  if (!there || nft_run_cmd_from_buffer(context.get(), table.c_str()) != 0) return std::string();
  return std::string(nft_ctx_get_output_buffer(context.get()));
}

bool has_nft_table(const std::string& table) {
  const auto context = open_context();
  return context && lists(context->get(), table).value_or(false);
}

}  // namespace px::broker
