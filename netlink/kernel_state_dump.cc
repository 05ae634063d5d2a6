// SPDX-License-Identifier: MIT
#include "netlink/kernel_state_dump.h"

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "netlink/message_builder.h"
#include "netlink/parse.h"
#include "netlink/request_socket.h"

namespace px::netlink {
namespace {

constexpr int kAttempts = 20;

template <typename Value>
using Parser = std::optional<Value> (*)(const nlmsghdr&);

// The header of each of the four kinds begins with the family, and may be all zeros after it.
template <typename Header>
MessageBuilder dump_of(int type, unsigned char family) {
  Header header{};
  std::memcpy(&header, &family, sizeof family);
  return {type, NLM_F_DUMP, header};
}

MessageBuilder dump_request(int type, unsigned char family) {
  if (type == RTM_GETADDR) return dump_of<ifaddrmsg>(type, family);
  if (type == RTM_GETROUTE) return dump_of<rtmsg>(type, family);
  if (type == RTM_GETRULE) return dump_of<fib_rule_hdr>(type, family);
  MessageBuilder links = dump_of<ifinfomsg>(type, family);
  links.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return links;
}

// Nothing where the kernel was built without the family or kind.
template <typename Value>
Expected<std::optional<std::vector<Value>>> dump(const char* what, int type, unsigned char family,
                                                 Parser<Value> parse) {
  int error = 0;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    // A socket of its own for each: nothing of a failed dump is left to be mistaken for the next.
    PX_ASSIGN_OR_RETURN(auto socket, RequestSocket::open(Protocol::kRoute));
    std::vector<Value> values;
    error = socket.request(dump_request(type, family), [&](const nlmsghdr& message) {
      if (auto value = parse(message)) values.push_back(std::move(*value));
    });
    if (error == 0) return values;
    if (error == EOPNOTSUPP || error == EAFNOSUPPORT) return std::nullopt;
    if (error != EINTR && error != ENOBUFS && error != ENOMEM) break;
  }
  return fail_errno(std::string("cannot read the kernel's ") + what, error);
}

// What a kernel without rules does.
std::vector<kernel::Rule> implied_rules(bool ipv4) {
  std::vector<kernel::Rule> rules(2);
  for (kernel::Rule& rule : rules) {
    rule.ipv4 = ipv4;
    rule.action = kernel::RuleAction::kTable;
  }
  rules[0].priority = 32766;
  rules[0].table = RT_TABLE_MAIN;
  rules[1].priority = 32767;
  rules[1].table = RT_TABLE_DEFAULT;
  return rules;
}

template <typename Value>
Expected<bool> append(std::vector<Value>& all, const char* what, int type, bool ipv4,
                      Parser<Value> parse) {
  PX_ASSIGN_OR_RETURN(auto dumped, dump(what, type, ipv4 ? AF_INET : AF_INET6, parse));
  if (!dumped) return false;
  for (Value& value : *dumped) {
    // A kernel without the family may answer for all the others instead.
    if (value.ipv4 == ipv4) all.push_back(std::move(value));
  }
  return true;
}

}  // namespace

Expected<kernel::State> read_kernel_state() {
  kernel::State state;
  PX_ASSIGN_OR_RETURN(auto links, dump("links", RTM_GETLINK, AF_UNSPEC, &parse_link));
  if (links) state.links = std::move(*links);
  for (const bool ipv4 : {true, false}) {
    auto read = append(state.addresses, "addresses", RTM_GETADDR, ipv4, &parse_address);
    if (read) read = append(state.routes, "routes", RTM_GETROUTE, ipv4, &parse_route);
    if (read) read = append(state.rules, "rules", RTM_GETRULE, ipv4, &parse_rule);
    PX_ASSIGN_OR_RETURN(const bool has_rules, std::move(read));
    if (!has_rules) {
      for (const kernel::Rule& rule : implied_rules(ipv4)) state.rules.push_back(rule);
    }
  }
  return state;
}

}  // namespace px::netlink
