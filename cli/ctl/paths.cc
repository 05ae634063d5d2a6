// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

using nlohmann::json;

Cell entry_state(const json& entry) {
  if (entry.at("usable").get<bool>()) return {"usable", Tone::kGood};
  return {text_of(entry, "why"), Tone::kBad};
}

// The difference between entries of one interface.
std::string entry_kind(const json& entry) {
  if (entry.at("interface_default").get<bool>()) return "interface default";
  const bool own_hop = entry.at("default_next_hop").get<bool>();
  if (entry.at("own_source").get<bool>()) return own_hop ? "" : "another next hop";
  return own_hop ? "another interface's source" : "another next hop and source";
}

std::string numbers(const json& list) {
  std::string text;
  for (const json& number : list) text += (text.empty() ? "" : " ") + number.dump();
  return text.empty() ? "none" : text;
}

std::string entries_text(const json& entries, const Terminal& terminal) {
  if (entries.empty()) return "The host has no way out.\n";
  Table table(
      {{"NO", Align::kRight}, {"INTERFACE"}, {"NEXT HOP"}, {"SOURCE"}, {"STATE"}, {"KIND"}});
  for (const json& entry : entries) {
    const std::string next_hop = text_of(entry, "next_hop");
    table.add({text_of(entry, "number"), text_of(entry, "interface"),
               next_hop.empty() ? "direct" : next_hop, text_of(entry, "source"), entry_state(entry),
               entry_kind(entry)});
  }
  return table.text(terminal);
}

std::string paths_text(const json& paths, const Terminal& terminal) {
  if (paths.empty()) return "The policy names no paths.\n";
  Table table({{"PATH"}, {"SELECTS"}, {"ENTRIES"}, {"AVAILABLE"}});
  for (const json& path : paths) {
    const bool available = !path.at("available").empty();
    table.add({text_of(path, "name"), text_of(path, "selector"), numbers(path.at("entries")),
               Cell(numbers(path.at("available")), available ? Tone::kGood : Tone::kBad)});
  }
  return table.text(terminal);
}

// Those that are on a network of the host now stand among the entries, too.
std::string routers_text(const json& routers) {
  std::string text;
  for (const json& router : routers) {
    text += (text.empty() ? "\nAdded routers: " : ", ") + text_of(router, "router");
    if (router.at("interfaces").empty()) text += " (on no network of the host now)";
  }
  return text.empty() ? text : text + "\n";
}

int run_paths(const CtlOptions& options, const Terminal& terminal) {
  const auto reply = ask_broker(options, {{"command", "paths"}});
  if (!reply) return reply.error();
  if (options.json) {
    print_json(*reply);
  } else {
    print(entries_text(reply->at("entries"), terminal) + "\n" +
          paths_text(reply->at("paths"), terminal) + routers_text(reply->at("routers")));
  }
  return kDone;
}

}  // namespace

const Command paths_command{run_paths};

}  // namespace px::cli
