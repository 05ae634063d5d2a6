// SPDX-License-Identifier: MIT
#include "netlink/kernel_state_dump.h"

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "netlink/parse.h"

namespace px::broker {
namespace {

constexpr int kAttempts = 20;
// What the kernel fills for one reading, so that a table of thousands comes in few system calls.
constexpr std::size_t kReadSize = 64 * 1024;

struct FreeSocket {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
};
struct FreeMessage {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};
using Socket = std::unique_ptr<nl_sock, FreeSocket>;
using Message = std::unique_ptr<nl_msg, FreeMessage>;

template <typename Value>
using Parser = std::optional<Value> (*)(const nlmsghdr&);

template <typename Value>
struct Collection {
  Parser<Value> parse;
  std::vector<Value> values;
};

template <typename Value>
int collect(nl_msg* message, void* argument) {
  auto& collection = *static_cast<Collection<Value>*>(argument);
  if (auto value = collection.parse(*nlmsg_hdr(message))) {
    collection.values.push_back(std::move(*value));
  }
  return NL_OK;
}

// How a dump ended: libnl 3.7 by itself would take one that the kernel broke off for complete.
struct Ending {
  bool interrupted = false;
  int system_error = 0;
};

int note_interruption(nl_msg*, void* argument) {
  static_cast<Ending*>(argument)->interrupted = true;
  return NL_OK;
}

int note_end(nl_msg* message, void* argument) {
  const nlmsghdr* header = nlmsg_hdr(message);
  int error = 0;
  if (nlmsg_datalen(header) >= static_cast<int>(sizeof error)) {
    std::memcpy(&error, nlmsg_data(header), sizeof error);
  }
  static_cast<Ending*>(argument)->system_error = -error;
  return NL_OK;
}

// A socket of its own for each dump: nothing of a failed one is left to be mistaken for the next.
Expected<Socket> open_socket() {
  Socket socket(nl_socket_alloc());
  if (!socket) return fail("cannot allocate a netlink socket");
  if (const int error = nl_connect(socket.get(), NETLINK_ROUTE); error < 0) {
    return fail(std::string("cannot open a netlink socket: ") + nl_geterror(error));
  }
  nl_socket_set_msg_buf_size(socket.get(), kReadSize);
  return socket;
}

Message request_of(int type, std::uint8_t family) {
  Message request(nlmsg_alloc_simple(type, NLM_F_DUMP));
  if (!request) return request;
  // The header of each of the four kinds begins with the family, and may be all zeros after it.
  ifinfomsg header{};
  header.ifi_family = family;
  std::size_t size = sizeof(ifinfomsg);
  if (type == RTM_GETADDR) size = sizeof(ifaddrmsg);
  if (type == RTM_GETROUTE) size = sizeof(rtmsg);
  if (type == RTM_GETRULE) size = sizeof(fib_rule_hdr);
  static_assert(sizeof(header) >= sizeof(ifaddrmsg) && sizeof(header) >= sizeof(rtmsg) &&
                sizeof(header) >= sizeof(fib_rule_hdr));
  bool appended = nlmsg_append(request.get(), &header, size, NLMSG_ALIGNTO) == 0;
  if (type == RTM_GETLINK) {
    appended = appended && nla_put_u32(request.get(), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) == 0;
  }
  if (!appended) request.reset();
  return request;
}

// One dump: 0, or libnl's error; -NLE_DUMP_INTR for one that has to be made again.
template <typename Value>
Expected<int> dump_once(int type, std::uint8_t family, Collection<Value>& collection) {
  auto socket = open_socket();
  if (!socket) return tl::make_unexpected(std::move(socket.error()));
  const Message request = request_of(type, family);
  if (!request) return fail("cannot allocate a netlink message");
  Ending ending;
  nl_sock* raw = socket->get();
  nl_socket_modify_cb(raw, NL_CB_VALID, NL_CB_CUSTOM, collect<Value>, &collection);
  nl_socket_modify_cb(raw, NL_CB_DUMP_INTR, NL_CB_CUSTOM, note_interruption, &ending);
  nl_socket_modify_cb(raw, NL_CB_FINISH, NL_CB_CUSTOM, note_end, &ending);
  int error = nl_send_auto(raw, request.get());
  if (error >= 0) error = nl_recvmsgs_default(raw);
  if (error < 0) return error;
  if (ending.system_error != 0) return -nl_syserr2nlerr(ending.system_error);
  return ending.interrupted ? -NLE_DUMP_INTR : 0;
}

// Nothing where the kernel was built without the family or kind.
template <typename Value>
Expected<std::optional<std::vector<Value>>> dump(const char* what, int type, std::uint8_t family,
                                                 Parser<Value> parse) {
  int error = 0;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    Collection<Value> collection{parse, {}};
    const auto result = dump_once(type, family, collection);
    if (!result) return tl::make_unexpected(result.error());
    error = *result;
    if (error == 0) return std::move(collection.values);
    if (error == -NLE_OPNOTSUPP || error == -NLE_AF_NOSUPPORT) return std::nullopt;
    // NLE_NOMEM is libnl's word for ENOBUFS.
    if (error != -NLE_DUMP_INTR && error != -NLE_NOMEM) break;
  }
  return fail(std::string("cannot read the kernel's ") + what + ": " + nl_geterror(error));
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
  auto dumped = dump(what, type, ipv4 ? AF_INET : AF_INET6, parse);
  if (!dumped) return tl::make_unexpected(std::move(dumped.error()));
  if (!*dumped) return false;
  for (Value& value : **dumped) {
    // A kernel without the family may answer for all the others instead.
    if (value.ipv4 == ipv4) all.push_back(std::move(value));
  }
  return true;
}

}  // namespace

Expected<kernel::State> read_kernel_state() {
  kernel::State state;
  auto links = dump("links", RTM_GETLINK, AF_UNSPEC, &parse_link);
  if (!links) return tl::make_unexpected(std::move(links.error()));
  if (*links) state.links = std::move(**links);
  for (const bool ipv4 : {true, false}) {
    auto read = append(state.addresses, "addresses", RTM_GETADDR, ipv4, &parse_address);
    if (read) read = append(state.routes, "routes", RTM_GETROUTE, ipv4, &parse_route);
    if (read) read = append(state.rules, "rules", RTM_GETRULE, ipv4, &parse_rule);
    if (!read) return tl::make_unexpected(std::move(read.error()));
    if (!*read) {
      for (const kernel::Rule& rule : implied_rules(ipv4)) state.rules.push_back(rule);
    }
  }
  return state;
}

}  // namespace px::broker
