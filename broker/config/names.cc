// SPDX-License-Identifier: MIT
#include "broker/config/names.h"

namespace px::broker {

plan::NameSettings Names::settings() const {
  if (servers.empty()) return {plan::NamesFrom::kHost, 0, 0, 0};
  return {plan::NamesFrom::kProfile, static_cast<std::uint8_t>(servers.size()), timeout_s,
          attempts};
}

}  // namespace px::broker
