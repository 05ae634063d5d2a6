// SPDX-License-Identifier: MIT
#include "cli/ctl/reply_records.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <vector>

#include "dns/packet.h"

namespace px::cli {
namespace {

using nlohmann::json;

std::vector<std::byte> bytes_of(std::string_view hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

std::string name_text(const dns::Name& name) {
  std::array<char, dns::kNameTextSize> buffer{};
  return std::string(name.text(buffer));
}

std::string type_text(std::uint16_t type) {
  switch (type) {
    case dns::kA:
      return "A";
    case dns::kAaaa:
      return "AAAA";
    case dns::kCname:
      return "CNAME";
    default:
      return std::to_string(type);
  }
}

std::string data_text(dns::Packet packet, const dns::Record& record) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  const bool ipv4 = record.type == dns::kA && record.data.size() == sizeof(in_addr);
  const bool ipv6 = record.type == dns::kAaaa && record.data.size() == sizeof(in6_addr);
  if (ipv4 || ipv6) {
    return inet_ntop(ipv4 ? AF_INET : AF_INET6, record.data.data(), buffer.data(), buffer.size());
  }
  std::size_t position = record.position;
  const auto name = record.type == dns::kCname ? dns::read_name(packet, &position) : std::nullopt;
  return name ? name_text(*name) : std::to_string(record.data.size()) + " bytes";
}

}  // namespace

json records_of_reply(std::string_view packet) {
  const auto bytes = bytes_of(packet);
  json records = json::array();
  dns::Records read(bytes);
  while (const auto record = read.next()) {
    records.push_back({{"name", name_text(record->owner)},
                       {"type", type_text(record->type)},
                       {"ttl", record->ttl},
                       {"data", data_text(bytes, *record)}});
  }
  return records;
}

std::string rcode_text(int rcode) {
  constexpr std::array kTexts{"answered",        "does not read the question",
                              "server failure",  "no such name",
                              "not implemented", "refused"};
  const auto index = static_cast<std::size_t>(rcode);
  return index < kTexts.size() ? kTexts[index] : "error " + std::to_string(rcode);
}

}  // namespace px::cli
