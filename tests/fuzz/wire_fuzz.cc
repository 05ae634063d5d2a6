// SPDX-License-Identifier: MIT
// Any bytes as a packet: at most one kind of message, and nothing of it unterminated.
#include <algorithm>

#include "plan/bundle_wire.h"
#include "tests/fuzz/fuzz_target.h"

namespace px::plan {
namespace {

using fuzz::require;

bool terminated(std::span<const char> field) {
  return std::find(field.begin(), field.end(), '\0') != field.end();
}

bool valid_or_empty(std::span<const char> profile) {
  return terminated(profile) && (profile.front() == '\0' || valid_profile_name(profile.data()));
}

void parse_all(std::span<const std::byte> packet) {
  const auto header = parse_header(packet);
  const auto hello = parse_hello(packet);
  const auto welcome = parse_welcome(packet);
  const auto refusal = parse_refusal(packet);
  const auto launch = parse_launch(packet);
  const auto mark = parse_mark(packet);
  const auto outcome = parse_health_report(packet);
  const auto paths = parse_extra_paths(packet);
  const auto text = parse_text(packet);
  const int messages = hello.has_value() + welcome.has_value() + refusal.has_value() +
                       launch.has_value() + mark.has_value() + outcome.has_value() +
                       paths.has_value() + text.has_value();
  require(messages <= (header ? 1 : 0));
  if (header) require(header->length == packet.size());
  if (hello) require(valid_or_empty(hello->profile));
  if (welcome) require(valid_or_empty(welcome->profile));
  if (refusal) require(terminated(refusal->reason));
  if (launch) {
    require(terminated(launch->profile) && valid_profile_name(launch->profile));
    require(terminated(launch->why_uncovered));
  }
  if (outcome) {
    require(terminated(outcome->profile) && valid_profile_name(outcome->profile));
    require(outcome->port != 0 && outcome->alive <= 1);
  }
  if (text) require(text->size() == packet.size() - sizeof(MessageHeader));
}

}  // namespace
}  // namespace px::plan

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  px::plan::parse_all(std::as_bytes(std::span(data, size)));
  return 0;
}
