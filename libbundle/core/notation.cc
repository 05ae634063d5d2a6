// SPDX-License-Identifier: MIT
#include "libbundle/core/notation.h"

#include "libbundle/core/host_name.h"
#include "libbundle/core/zone.h"

namespace px::bundle {
namespace {

constexpr std::size_t kMostSpelled = 253;  // RFC 1035, as text without the final dot
constexpr std::string_view kSuffix = ".bundle";
constexpr std::string_view kIpv6Suffix = ".v6";
constexpr std::string_view kAllBrackets = "<>{}[]()";
constexpr std::string_view kOwnBrackets = "<>{}";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return text.substr(text.size());
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool contains(std::string_view text, char c) {
  return text.find(c) != std::string_view::npos;
}

// A name, once it is known to be no numeric address.
NotationFault check_name(std::string_view name) {
  if (contains(name, ':') || ends_in_number(name)) return NotationFault::kAddress;
  if (!valid_host_name(name)) return NotationFault::kName;
  const std::string_view rooted = name.back() == '.' ? name.substr(0, name.size() - 1) : name;
  return ends_with_label(rooted, kSuffix) ? NotationFault::kNested : NotationFault::kNone;
}

NotationFault set_zone(std::string_view zone, Member* member) {
  if (!member->address.is_scoped() || !valid_zone(zone)) return NotationFault::kZone;
  member->zone = zone;
  return NotationFault::kNone;
}

NotationFault read_bracketed(Member* member) {
  const std::size_t percent = member->text.find('%');
  const auto address = address_from_text(member->text.substr(0, percent));
  if (!address) {
    return percent == std::string_view::npos ? check_name(member->text) : NotationFault::kZone;
  }
  member->numeric = true;
  member->address = *address;
  if (percent == std::string_view::npos) return NotationFault::kNone;
  return set_zone(member->text.substr(percent + 1), member);
}

// `2001-db8--1`, and a zone behind `-s`, which no address holds.
NotationFault read_hyphenated(std::string_view text, Member* member) {
  std::size_t zone = 0;
  while (zone < text.size() && !equal_names(text.substr(zone, 2), "-s")) ++zone;
  std::array<char, kAddressTextSize> colons{};
  if (zone >= colons.size()) return NotationFault::kAddress;
  for (std::size_t i = 0; i < zone; ++i) {
    if (text[i] == ':') return NotationFault::kAddress;
    colons[i] = text[i] == '-' ? ':' : text[i];
  }
  const std::string_view address_part(colons.data(), zone);
  const auto address = address_from_text(address_part);
  if (!address || !contains(address_part, ':')) return NotationFault::kAddress;
  member->numeric = true;
  member->address = *address;
  return zone == text.size() ? NotationFault::kNone : set_zone(text.substr(zone + 2), member);
}

NotationFault read_spelled(Member* member) {
  const std::string_view text = member->text;
  if (ends_with_label(text, kIpv6Suffix)) {
    return read_hyphenated(text.substr(0, text.size() - kIpv6Suffix.size()), member);
  }
  const auto address = contains(text, ':') ? std::nullopt : address_from_text(text);
  if (!address) return check_name(text);
  member->numeric = true;
  member->address = *address;
  return NotationFault::kNone;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : whole_(text) {}

  Notation parse() {
    const std::string_view text = trimmed(whole_);
    if (text.find_first_of(kOwnBrackets) != std::string_view::npos) {
      parse_brackets(text);
      return notation_;
    }
    const bool dot = !text.empty() && text.back() == '.';
    const std::string_view rooted = text.substr(0, text.size() - (dot ? 1 : 0));
    if (rooted == kSuffix || ends_with_label(rooted, kSuffix)) parse_spelled(rooted);
    return notation_;
  }

 private:
  using Read = NotationFault (*)(Member*);

  void parse_brackets(std::string_view text) {
    notation_.kind = NotationKind::kMembers;
    if (whole_.size() > kMostNotation) return bad(NotationFault::kTooLong, whole_);
    const char open = text.front();
    if (open != '<' && open != '{') {
      return bad(NotationFault::kBrackets, text.substr(text.find_first_of(kOwnBrackets)));
    }
    const std::string_view inner = text.substr(1);
    const std::size_t end = inner.find_first_of(kAllBrackets);
    if (end == std::string_view::npos) {
      return bad(NotationFault::kBrackets, inner.substr(inner.size()));
    }
    if (inner[end] != (open == '<' ? '>' : '}')) {
      return bad(NotationFault::kBrackets, inner.substr(end));
    }
    if (end + 1 != inner.size()) return bad(NotationFault::kBrackets, inner.substr(end + 1));
    parse_separated(inner.substr(0, end));
  }

  void parse_separated(std::string_view inner) {
    std::uint32_t group = 0;
    for (;;) {
      const std::size_t end = inner.find_first_of(",|");
      if (!add(trimmed(inner.substr(0, end)), group, read_bracketed)) return;
      if (end == std::string_view::npos) return;
      if (inner[end] == '|') ++group;
      inner.remove_prefix(end + 1);
    }
  }

  // `and` and `or` separate wherever they are a whole label.
  void parse_spelled(std::string_view text) {
    notation_.kind = NotationKind::kMembers;
    if (text.size() > kMostSpelled) return bad(NotationFault::kTooLong, whole_);
    const std::string_view body = text.substr(0, text.size() - kSuffix.size());
    std::size_t begin = 0;  // of the member
    std::uint32_t group = 0;
    for (std::size_t at = 0; at <= body.size();) {
      const std::size_t dot = body.find('.', at);
      const std::string_view label =
          body.substr(at, dot == std::string_view::npos ? dot : dot - at);
      const std::size_t next = at + label.size() + 1;
      if (label.size() > kMostLabel || (label.empty() && !body.empty())) {
        return bad(NotationFault::kName, body.substr(at));
      }
      const bool alternative = equal_names(label, "or");
      if (alternative || equal_names(label, "and")) {
        if (!add(body.substr(begin, at == begin ? 0 : at - 1 - begin), group, read_spelled)) return;
        if (alternative) ++group;
        begin = next;
      }
      at = next;
    }
    const bool separated = begin != 0;
    const std::string_view last = body.substr(begin < body.size() ? begin : body.size());
    if (!add(last, group, read_spelled) || separated) return;
    if (notation_.all_members[0].numeric) return;
    notation_.kind = NotationKind::kPolicyName;
    notation_.policy_name = text;
    notation_.count = 0;
  }

  bool add(std::string_view text, std::uint32_t group, Read read) {
    Member member;
    member.text = text;
    member.group = group;
    NotationFault fault = NotationFault::kTooMany;
    if (text.empty()) {
      fault = NotationFault::kEmptyMember;
    } else if (notation_.count < kMostMembers) {
      fault = read(&member);
    }
    if (fault != NotationFault::kNone) {
      bad(fault, text);
      return false;
    }
    notation_.all_members[notation_.count++] = member;
    return true;
  }

  void bad(NotationFault fault, std::string_view where) {
    notation_ = Notation{};
    notation_.kind = NotationKind::kBad;
    notation_.fault = fault;
    notation_.position = static_cast<std::size_t>(where.data() - whole_.data());
  }

  std::string_view whole_;
  Notation notation_;
};

}  // namespace

Notation parse_notation(std::string_view text) {
  return Parser(text).parse();
}

std::string_view fault_text(NotationFault fault) {
  switch (fault) {
    case NotationFault::kNone:
      return "nothing is wrong";
    case NotationFault::kTooLong:
      return "the notation is too long";
    case NotationFault::kBrackets:
      return "the brackets do not match";
    case NotationFault::kEmptyMember:
      return "an address or name is missing";
    case NotationFault::kTooMany:
      return "there are more than 16 addresses and names";
    case NotationFault::kAddress:
      return "this is no IPv4 or IPv6 address (ports stand elsewhere)";
    case NotationFault::kZone:
      return "this zone is no interface, or the address takes none";
    case NotationFault::kName:
      return "this is not the name of a host";
    case NotationFault::kNested:
      return "a bundle cannot hold a bundle";
  }
  return "";
}

}  // namespace px::bundle
