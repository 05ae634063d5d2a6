// SPDX-License-Identifier: MIT
#include "cli/ctl/graph_picture.h"

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "cli/ctl/ask.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

using nlohmann::json;

// Okabe and Ito's, which people who see no red or green tell apart.
constexpr std::array kColours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                              "#56b4e9", "#e69f00", "#000000"};

// A string of DOT, of text that is printable.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

// Lines below one another.
std::string label(const std::string& first, const std::string& second) {
  std::string text = quoted(first);
  if (second.empty()) return text;
  text.pop_back();
  return text + "\\n" + quoted(second).substr(1);
}

std::string program_name(const json& program) {
  const std::string exe = text_of(program, "exe");
  return exe.substr(exe.rfind('/') + 1);
}

std::string destination_of(const json& connection) {
  const std::string address = text_of(connection, "destination");
  const bool is_ipv6 = address.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + address + "]:" : address + ":") + text_of(connection, "port") + " " +
         text_of(connection, "transport");
}

struct Way {
  std::string interface;
  std::string source;
  auto operator<=>(const Way&) const = default;
};

Way way_of(const json& connection) {
  const std::string interface = text_of(connection, "interface");
  return {interface.empty() ? "?" : interface, text_of(connection, "source")};
}

class Picture {
 public:
  void add(const json& program) {
    const std::string node = "p" + text_of(program, "pid");
    const std::string profile = text_of(program, "profile");
    profiles_[profile] += "    " + node + " [label=" +
                          label(program_name(program), "pid " + text_of(program, "pid")) + "]\n";
    const char* colour = kColours[programs_++ % kColours.size()];
    std::map<std::tuple<std::string, std::string>, unsigned> edges;
    for (const json& connection : program.at("connections")) {
      const std::string way = node_of(ways_, "w", way_of(connection));
      const std::string destination = node_of(destinations_, "d", destination_of(connection));
      ++edges[{node, way}];
      ++edges[{way, destination}];
    }
    for (const auto& [ends, count] : edges) {
      const auto& [from, to] = ends;
      edges_ += "  " + from + " -> " + to + " [color=" + quoted(colour);
      if (count > 1) edges_ += ", label=" + quoted(std::to_string(count));
      edges_ += "]\n";
    }
  }

  [[nodiscard]] std::string text() const {
    std::string text =
        "digraph px {\n"
        "  rankdir=LR\n"
        "  node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11]\n"
        "  edge [fontname=\"sans-serif\", fontsize=10]\n";
    unsigned number = 0;
    for (const auto& [profile, nodes] : profiles_) {
      text += "  subgraph cluster_" + std::to_string(number++) +
              " {\n    label=" + quoted(profile.empty() ? "no profile" : profile) +
              "\n    fontname=\"sans-serif\"\n    color=\"#999999\"\n" + nodes + "  }\n";
    }
    for (const auto& [way, node] : ways_) {
      text += "  " + node + " [shape=hexagon, label=" + label(way.interface, way.source) + "]\n";
    }
    for (const auto& [destination, node] : destinations_) {
      text += "  " + node + " [shape=plain, label=" + quoted(destination) + "]\n";
    }
    return text + edges_ + "}\n";
  }

 private:
  template <typename Key>
  static std::string node_of(std::map<Key, std::string>& nodes, const char* kind, const Key& key) {
    const auto [found, is_new] = nodes.try_emplace(key);
    if (is_new) found->second = kind + std::to_string(nodes.size());
    return found->second;
  }

  std::size_t programs_ = 0;
  std::map<std::string, std::string> profiles_;  // each with the nodes of its programs
  std::map<Way, std::string> ways_;              // each with the name of its node
  std::map<std::string, std::string> destinations_;
  std::string edges_;
};

}  // namespace

std::string graph_in_dot(const json& programs) {
  Picture picture;
  for (const json& program : programs) picture.add(program);
  return picture.text();
}

}  // namespace px::cli
