// SPDX-License-Identifier: MIT
#include "broker/config/service_names.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "broker/config/policy_text.h"
#include "broker/config/suggestion.h"

namespace px::broker {
namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  std::vector<std::string_view> words;
  while (true) {
    const auto begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    words.push_back(line.substr(0, line.find_first_of(kBlanks)));
    line.remove_prefix(words.back().size());
  }
}

// Of "443/tcp", 443.
std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const char* const text_end = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), text_end, port);
  if (error != std::errc() || port == 0 || end == text_end || *end != '/') return std::nullopt;
  return port;
}

}  // namespace

const char kServicesFile[] = "/etc/services";

ServiceNames::ServiceNames(std::string_view text) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    add_line(line.substr(0, line.find('#')));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
}

void ServiceNames::add_line(std::string_view line) {
  const auto words = words_of(line);
  if (words.size() < 2) return;
  const auto port = port_of(words[1]);
  if (!port) return;
  for (const std::string_view name : words) {
    if (name != words[1]) ports_[std::string(name)].insert(*port);
  }
}

ServiceNames ServiceNames::read(const std::filesystem::path& file) {
  const auto text = read_file(file);
  return ServiceNames(text ? std::string_view(*text) : std::string_view());
}

const std::set<std::uint16_t>& ServiceNames::ports(std::string_view name) const {
  static const std::set<std::uint16_t> kNone;
  const auto found = ports_.find(name);
  return found == ports_.end() ? kNone : found->second;
}

std::string_view ServiceNames::closest(std::string_view name) const {
  std::vector<std::string_view> words;
  words.reserve(ports_.size());
  for (const auto& [word, ports] : ports_) words.push_back(word);
  return broker::closest(name, words).value_or(std::string_view());
}

bool is_service_name(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return std::any_of(text.begin(), text.end(), is_letter) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_letter(c) || (c >= '0' && c <= '9') ||
                  std::string_view("-_.+/").find(c) != std::string_view::npos;
         });
}

}  // namespace px::broker
