// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

using nlohmann::json;

std::string joined(const json& list, const char* separator) {
  std::string text;
  for (const json& item : list) {
    text += (text.empty() ? "" : separator) + printable(item.get<std::string>());
  }
  return text;
}

std::string line(const std::string& name, const std::string& value) {
  constexpr std::size_t kIndent = 17;
  std::string text = name;
  text.resize(std::max(kIndent, name.size() + 1), ' ');
  return text + value + "\n";
}

std::string policy_text(const json& status, const Terminal& terminal) {
  const json& reload = status.at("last_reload");
  const std::string when = time_text(reload.at("time").get<std::int64_t>());
  std::string text = line("policy", joined(status.at("config"), ", "));
  text += line("generation", text_of(status, "generation"));
  if (reload.at("ok").get<bool>()) {
    text += line("last reload", when);
  } else {
    text += line("last reload", toned("refused", Tone::kBad, terminal) + " at " + when +
                                    "; what was in force before still is");
    for (const json& error : reload.at("errors"))
      text += line("", printable(error.get<std::string>()));
  }
  const std::string default_profile = text_of(status, "default_profile");
  text += line("default profile", default_profile.empty() ? "none" : default_profile);
  return text + line("on loss", text_of(status, "on_loss"));
}

std::string broker_text(const json& status) {
  const json& limits = status.at("limits");
  return line("broker", "pxd " + text_of(status, "version") + ", pid " + text_of(status, "pid") +
                            ", since " + time_text(status.at("started").get<std::int64_t>())) +
         line("socket", text_of(status, "socket")) +
         line("connections", text_of(status, "connections") + " (at most " +
                                 text_of(limits, "connections_per_user") + " a user)") +
         line("sessions", text_of(status, "sessions") + " (at most " +
                              text_of(limits, "sessions_per_user") + " a user)");
}

std::string profiles_text(const json& profiles, const Terminal& terminal) {
  if (profiles.empty()) return "The policy has no profiles.\n";
  Table table({{"PROFILE"},
               {"RULES", Align::kRight},
               {"PROGRAMS", Align::kRight},
               {"PLAN", Align::kRight},
               {"PLAN BYTES", Align::kRight},
               {"STATE"}});
  for (const json& profile : profiles) {
    const bool removed = profile.at("removed").get<bool>();
    table.add({text_of(profile, "name"), text_of(profile, "rules"), text_of(profile, "programs"),
               text_of(profile, "generation"), text_of(profile, "plan_bytes"),
               removed ? Cell("removed: its programs fail closed", Tone::kBad)
                       : Cell("in force", Tone::kGood)});
  }
  return table.text(terminal);
}

std::string bundles_text(const json& bundles, const Terminal& terminal) {
  if (bundles.empty()) return {};
  Table table({{"BUNDLE"}, {"HOSTS"}, {"ALIASES"}});
  for (const json& bundle : bundles) {
    const std::string hosts = text_of(bundle, "hosts");
    table.add({text_of(bundle, "name"), hosts.empty() ? "the aliases' own" : hosts,
               joined(bundle.at("aliases"), ", ")});
  }
  return "\n" + table.text(terminal);
}

int run_status(const CtlOptions& options, const Terminal& terminal) {
  const auto reply = ask_broker(options, {{"command", "status"}});
  if (!reply) return reply.error();
  if (options.json) {
    print_json(*reply);
  } else {
    print(broker_text(*reply) + policy_text(*reply, terminal) + "\n" +
          profiles_text(reply->at("profiles"), terminal) +
          bundles_text(reply->at("bundles"), terminal));
  }
  return kDone;
}

}  // namespace

const Command status_command{run_status};

}  // namespace px::cli
