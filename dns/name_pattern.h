// SPDX-License-Identifier: MIT
// A pattern of names, as a policy has it: a name, or `*.` and a domain for all names below that
// domain, however deep, but not for the domain itself. The case of ASCII letters and a dot at the
// end make no difference. A value.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "dns/name.h"

namespace px::dns {

class NamePattern {
 public:
  // Nothing where the text is no name of a host, with `*.` before it or not. A `*` anywhere else,
  // or alone, makes no pattern.
  [[nodiscard]] static std::optional<NamePattern> from_text(std::string_view text);

  [[nodiscard]] bool matches(const Name& name) const;
  // Whether this one matches all that the other does.
  [[nodiscard]] bool covers(const NamePattern& other) const;
  // Of several patterns that match a name, the most specific is the longest, which is only one.
  [[nodiscard]] std::size_t length() const { return domain_.wire().size(); }

  // What stands behind the `*.`, or the whole name; in lower case.
  [[nodiscard]] const Name& domain() const { return domain_; }
  [[nodiscard]] bool is_wildcard() const { return wildcard_; }

  friend bool operator==(const NamePattern& a, const NamePattern& b) = default;

 private:
  NamePattern(const Name& domain, bool wildcard) : domain_(domain), wildcard_(wildcard) {}

  Name domain_;
  bool wildcard_;
};

}  // namespace px::dns
