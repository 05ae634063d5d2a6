// SPDX-License-Identifier: MIT
#include "netlink/message_builder.h"

#include <netlink/attr.h>
#include <netlink/msg.h>

namespace px::netlink {

void MessageBuilder::FreeMessage::operator()(nl_msg* message) const {
  nlmsg_free(message);
}

MessageBuilder::MessageBuilder(int type, int flags)
    : message_(nlmsg_alloc_simple(type, flags)), is_whole_(message_ != nullptr) {}

void MessageBuilder::append(std::span<const std::byte> header) {
  if (!is_whole_) return;
  // libnl does not change what it is given, though it asks for it writable.
  auto* data = const_cast<std::byte*>(header.data());
  is_whole_ = nlmsg_append(message_.get(), data, header.size(), NLMSG_ALIGNTO) == 0;
}

void MessageBuilder::put_bytes(int attribute, std::span<const std::byte> bytes) {
  if (!is_whole_) return;
  is_whole_ = nla_put(message_.get(), attribute, static_cast<int>(bytes.size()), bytes.data()) == 0;
}

void MessageBuilder::put_text(int attribute, const std::string& text) {
  put_bytes(attribute, std::as_bytes(std::span(text.c_str(), text.size() + 1)));
}

void MessageBuilder::put_address(int attribute, const bundle::Address& address, bool ipv4) {
  const auto bytes = std::as_bytes(std::span(address.bytes));
  put_bytes(attribute, ipv4 ? bytes.last(4) : bytes);
}

void* MessageBuilder::begin_nest(int attribute) {
  if (!is_whole_) return nullptr;
  nlattr* nest = nla_nest_start(message_.get(), attribute | NLA_F_NESTED);
  is_whole_ = nest != nullptr;
  return nest;
}

void MessageBuilder::end_nest(void* nest) {
  if (!is_whole_) return;
  is_whole_ = nla_nest_end(message_.get(), static_cast<nlattr*>(nest)) == 0;
}

}  // namespace px::netlink
