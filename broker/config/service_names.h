// SPDX-License-Identifier: MIT
// Names of services and their ports, as one text of the form of services(5) lists them. Never by
// NSS, which may ask the network: the broker's only thread reads policies. A value; not for
// concurrent use while it is made.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace px::broker {

class ServiceNames {
 public:
  // Of no text: no names.
  explicit ServiceNames(std::string_view text);
  // What the file says; nothing where it cannot be read.
  [[nodiscard]] static ServiceNames read(const std::filesystem::path& file);

  // The ports that are listed for the name or alias, for any protocol; empty for an unknown one.
  [[nodiscard]] const std::set<std::uint16_t>& ports(std::string_view name) const;
  // The name that was most likely meant by one that is not listed; empty where none is near.
  [[nodiscard]] std::string_view closest(std::string_view name) const;

 private:
  void add_line(std::string_view line);

  std::map<std::string, std::set<std::uint16_t>, std::less<>> ports_;
};

// /etc/services.
extern const char kServicesFile[];

// Whether the text is what a service may be called (RFC 6335 section 5.1, and what is in use).
[[nodiscard]] bool is_service_name(std::string_view text);

}  // namespace px::broker
