// SPDX-License-Identifier: MIT
// The lists of keys in messages about policies, which stand in tests/policies/keys alone: a new key
// changes that file, and no expected message. Reads the file anew each time; no state.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <string>

namespace px::broker {

// "a, b or c" by the map that has these keys.
inline std::map<std::string, std::string> known_keys() {
  std::map<std::string, std::string> lists;
  std::ifstream file(PX_TEST_POLICIES "/keys");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (!line.starts_with('#')) lists[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return lists;
}

// The text with the lists in the places of {MAP} and {'MAP'}.
inline std::string with_known_keys(std::string text) {
  static const std::regex kWord("[a-z-]+");
  for (const auto& [map, list] : known_keys()) {
    std::string quoted = std::regex_replace(list, kWord, "'$&'");
    for (auto at = quoted.find("'or'"); at != std::string::npos; at = quoted.find("'or'")) {
      quoted.replace(at, 4, "or");
    }
    for (const auto& [name, words] :
         {std::pair("{" + map + "}", list), std::pair("{'" + map + "'}", quoted)}) {
      for (auto at = text.find(name); at != std::string::npos; at = text.find(name)) {
        text.replace(at, name.size(), words);
      }
    }
  }
  return text;
}

}  // namespace px::broker
