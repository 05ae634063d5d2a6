// SPDX-License-Identifier: MIT
#include "broker/config/listen_reader.h"

#include "broker/config/rule_reader.h"
#include "broker/config/value_reader.h"

namespace px::broker {
namespace {

using plan::ListenMode;

constexpr Key kKeys[] = {{"mode"}, {"via"}};
constexpr Choice<ListenMode> kModes[] = {{"system", ListenMode::kSystem},
                                         {"received-interface", ListenMode::kReceivedInterface},
                                         {"received-source", ListenMode::kReceivedSource}};

void report_missing_via(Place place, Report& report) {
  report.add(place, "'received-source' without 'via'; expected a path or a list of paths");
}

void read_map(const Value& value, Listen& listen, Draft& draft, Report& report) {
  const Map map = Map::read(value, "a map with 'mode'", kKeys, report);
  const Value* mode_text = map.get("mode");
  const Value* via = map.get("via");
  if (via != nullptr) listen.via = read_via(*via, draft, report);
  if (mode_text == nullptr) {
    if (map.lacks("mode") && value.kind != Kind::kList) {
      report.add(value.place,
                 "listen without 'mode'; expected system, received-interface or received-source");
    }
    return;
  }
  const auto mode = read_choice<ListenMode>(*mode_text, kModes, report);
  if (!mode) return;
  listen.mode = *mode;
  if (listen.mode == ListenMode::kReceivedSource) {
    if (map.lacks("via")) report_missing_via(mode_text->place, report);
  } else if (via != nullptr) {
    report.add(map.key_of("via")->place, "'via' says nothing under 'mode: " + mode_text->text +
                                             "'; expected it with received-source alone");
  }
}

}  // namespace

Listen read_listen(const Value& value, Draft& draft, Report& report) {
  Listen listen;
  listen.position = report.at(value.place);
  if (value.kind != Kind::kText) {
    read_map(value, listen, draft, report);
    return listen;
  }
  listen.mode = read_choice<ListenMode>(value, kModes, report).value_or(listen.mode);
  if (listen.mode == ListenMode::kReceivedSource) report_missing_via(value.place, report);
  return listen;
}

}  // namespace px::broker
