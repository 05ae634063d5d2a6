// SPDX-License-Identifier: MIT
#include "preload/names/name_query.h"

#include <algorithm>
#include <cstring>

#include "preload/names/members_text.h"
#include "preload/session/bundle_settings.h"

namespace px::shim {
namespace {

using bundle::NotationKind;

// Text that is known to be ordinary without a plan: no alias is an address, or names the host
// itself.
bool is_never_bundle(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text == "localhost" || text.find(':') != text.npos) return true;
  const std::string_view last = text.substr(text.rfind('.') + 1);
  return std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

NameQuery::NameQuery(const CurrentPlan& plan, BrokerSession& session, const char* name)
    : text_(name), notation_(bundle::parse_notation(text_)), kind_(kind_of(plan, session)) {}

NameQuery::Kind NameQuery::kind_of(const CurrentPlan& plan, BrokerSession& session) {
  const bool ordinary = notation_.kind == NotationKind::kNone;
  if (ordinary && is_never_bundle(text_)) return Kind::kOrdinary;
  // Without a plan the broker knows the names. Where nobody answers they are libc's, except for
  // text that can be no name: for that no resolver is to be asked.
  if (!ordinary && !session.ensure_session()) return Kind::kBad;
  if (ordinary && !session.knows_plan()) (void)session.ensure_session();
  if (!bundles_are_on(plan)) return Kind::kOrdinary;
  switch (notation_.kind) {
    case NotationKind::kNone:
      return kind_by_policy(plan, text_);
    case NotationKind::kMembers:
      return Kind::kMembers;
    case NotationKind::kPolicyName:
      // Nobody else has names that end like this.
      if (kind_by_policy(plan, notation_.policy_name) != Kind::kMembers) return Kind::kBad;
      return implicit_ ? Kind::kBad : Kind::kMembers;
    case NotationKind::kBad:
      break;
  }
  return Kind::kBad;
}

NameQuery::Kind NameQuery::kind_by_policy(const CurrentPlan& plan, std::string_view name) {
  const auto in_force = plan.in_force();
  const auto found = in_force ? in_force->bundle_named(name) : std::nullopt;
  if (!found) return Kind::kOrdinary;
  named_ = true;
  implicit_ = found->implicit;
  if (found->length == 0) return found->any ? Kind::kAny : Kind::kAlias;
  of_policy_ = *found;
  notation_ = bundle::parse_notation(of_policy_.text());
  return notation_.kind == NotationKind::kMembers ? Kind::kMembers : Kind::kBad;
}

std::string_view NameQuery::name(std::span<char, kNameSize> buffer) const {
  if (!named_) return members_text(members(), buffer);
  std::string_view text = text_;
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.size() >= buffer.size()) return {};
  std::transform(text.begin(), text.end(), buffer.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return {buffer.data(), text.size()};
}

}  // namespace px::shim
