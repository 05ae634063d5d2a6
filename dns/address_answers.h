// SPDX-License-Identifier: MIT
// The addresses that answer a reply's question, with the names that lead to them: the question's,
// and those that CNAMEs make of it. Records of other names say nothing. No heap; any bytes are
// safe.
#pragma once

#include <optional>

#include "dns/name_chain.h"
#include "dns/packet.h"

namespace px::dns {

class AddressAnswers {
 public:
  // `reply` must outlive this. `asked` come before the question's name.
  explicit AddressAnswers(Packet reply, const NameChain& asked = {});

  // The next A or AAAA record of the right length, in the order of the reply; nothing behind the
  // last.
  [[nodiscard]] std::optional<Record> next();
  // As far as next() has come.
  [[nodiscard]] const NameChain& names() const { return names_; }

 private:
  Packet reply_;
  Records records_;
  NameChain names_;
  Name owner_;  // the root, which has no such records, where there is no question
};

}  // namespace px::dns
