// SPDX-License-Identifier: MIT
// The records that answer a question, out of a server's reply: those of the asked type that belong
// to the name itself, or to what its CNAMEs lead to. Records of other names say nothing. No heap;
// any bytes are safe. Callable from any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "dns/packet.h"

namespace px::shim {

class AnswerRecords {
 public:
  // `packet` must outlive this. An empty one has no records.
  AnswerRecords(dns::Packet packet, std::uint16_t type);

  // The next record of the type, in the order of the reply; nothing behind the last.
  [[nodiscard]] std::optional<dns::Record> next();
  // The same, and the CNAMEs in between, whose owners are aliases of the name. One that leads to a
  // name that no host can have makes no alias.
  [[nodiscard]] std::optional<dns::Record> next_or_alias();

  // The canonical name, as far as next() has come: where CNAMEs lead to a name that no host can
  // have, the one before.
  [[nodiscard]] const dns::Name& canonical() const { return canonical_; }
  [[nodiscard]] std::uint32_t ttl() const { return ttl_; }  // the shortest so far

 private:
  dns::Packet packet_;
  dns::Records records_;
  std::uint16_t type_;
  dns::Name owner_;
  dns::Name canonical_;
  std::uint32_t ttl_ = UINT32_MAX;
};

}  // namespace px::shim
