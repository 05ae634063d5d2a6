// SPDX-License-Identifier: MIT
#include "broker/config/paths_section.h"

#include <algorithm>

#include "broker/config/value_reader.h"
#include "plan/wire.h"

namespace px::broker {
namespace {

constexpr Key kKeys[] = {{"interface"}, {"source"}, {"gateway"}};

void read_interface(const Value& value, PathSelector& path, Report& report) {
  const auto text = read_text(value, "an interface's name or a pattern of names", report);
  if (!text) return;
  if (const std::string problem = interface_problem(*text); !problem.empty()) {
    report.add(value.place, problem);
    return;
  }
  path.interface = *text;
}

bool is_multicast(const Address& address) {
  return address.is_ipv4() ? (address.bytes[12] & 0xf0) == 0xe0 : address.bytes[0] == 0xff;
}

void read_source(const Value& value, PathSelector& path, Report& report) {
  const auto text = read_text(value, "an IPv4 or IPv6 address", report);
  if (!text) return;
  const auto address = bundle::address_from_text(*text);
  if (!address) {
    report.add(value.place, "bad source " + in_quotes(*text) +
                                "; expected an IPv4 or IPv6 address of this host");
    return;
  }
  if (address->is_unspecified() || is_multicast(*address)) {
    report.add(value.place, in_quotes(*text) + " cannot be a source address");
    return;
  }
  path.source = address;
}

void read_gateway(const Value& value, bool has_interface, PathSelector& path, Report& report) {
  const auto text = read_text(value, "a router's IPv4 or IPv6 address", report);
  if (!text) return;
  const auto address = bundle::address_from_text(*text);
  if (!address) {
    report.add(value.place, "bad gateway " + in_quotes(*text) +
                                "; expected the IPv4 or IPv6 address of a router");
    return;
  }
  if (address->is_loopback_or_unspecified() || is_multicast(*address)) {
    report.add(value.place, in_quotes(*text) + " cannot be a router's address");
    return;
  }
  if (address->is_link_local() && !has_interface) {
    report.add(value.place, "gateway " + in_quotes(*text) +
                                " is link-local, so every link may have one; expected 'interface' "
                                "beside it");
    return;
  }
  path.gateway = address;
  path.gateway_position = report.at(value.place);
}

void check_families(const Map& map, const PathSelector& path, Report& report) {
  // An IPv4 route may have an IPv6 router (RFC 5549), but not the other way round.
  if (!path.source || path.source->is_ipv4()) return;
  if (!path.gateway || !path.gateway->is_ipv4()) return;
  report.add(map.get("gateway")->place,
             "an IPv6 source has no IPv4 router; expected an IPv6 address as 'gateway'");
}

void read_path(const KeyValue& item, Draft& draft, Report& report) {
  PathSelector path;
  path.name = item.key->text;
  path.position = report.at(item.key->place);
  if (!plan::valid_profile_name(path.name)) {
    report.add(item.key->place, "bad path name " + in_quotes(path.name) +
                                    "; expected 1 to 63 of A-Z a-z 0-9 . _ -, not starting "
                                    "with a dot");
  }
  if (!define(draft.paths, "path", *item.key, report)) return;
  const Map map = Map::read(*item.value, "a map with " + quoted(kKeys), kKeys, report);
  if (map.size() == 0 && !map.is_broken()) {
    report.add(item.key->place,
               "path " + in_quotes(path.name) + " selects nothing; expected " + quoted(kKeys));
  }
  if (const Value* value = map.get("interface")) read_interface(*value, path, report);
  if (const Value* value = map.get("source")) read_source(*value, path, report);
  if (const Value* value = map.get("gateway")) {
    read_gateway(*value, !map.lacks("interface"), path, report);
  }
  check_families(map, path, report);
  draft.policy.paths.push_back(std::move(path));
}

}  // namespace

void read_paths(const Value& section, Draft& draft, Report& report) {
  if (section.kind != Kind::kMap && section.kind != Kind::kNothing) draft.incomplete = true;
  for (const KeyValue& item : read_named(section, "a map of path names", report)) {
    read_path(item, draft, report);
  }
}

std::string interface_problem(std::string_view glob) {
  if (glob.empty()) return "empty interface; expected an interface's name or a pattern of names";
  if (glob.size() >= plan::kInterfaceNameSize) {
    return "interface " + in_quotes(glob) + " is too long; names have at most 15 characters";
  }
  const bool bad = glob == "." || glob == ".." || std::any_of(glob.begin(), glob.end(), [](char c) {
                     return c == '/' || static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
                   });
  if (!bad) return "";
  return "bad interface " + in_quotes(glob) +
         "; names have no '/', white space or control characters";
}

}  // namespace px::broker
