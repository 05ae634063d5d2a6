// SPDX-License-Identifier: MIT
#include "preload/names/address_list.h"

#include <netinet/in.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

#include "libbundle/core/layout.h"

namespace px::shim {
namespace {

using bundle::Bundle;
using bundle::Endpoint;
using plan::BundleTransport;

struct Kind {
  int type = 0;
  int protocol = 0;
};

int protocol_number(BundleTransport transport) {
  if (transport == BundleTransport::kSctp) return IPPROTO_SCTP;
  if (transport == BundleTransport::kMptcp) return IPPROTO_MPTCP;
  return IPPROTO_TCP;
}

// Where the program asked for streams of one protocol, libc's list says so.
const addrinfo* stream_in(const ListWanted& wanted) {
  for (const addrinfo* kind = wanted.kinds; kind != wanted.kinds_end; kind = kind->ai_next) {
    if (kind->ai_socktype == SOCK_STREAM) return kind;
  }
  return nullptr;
}

// Programs that mean a stream ask for TCP.
bool suits(BundleTransport transport, const addrinfo& stream) {
  return stream.ai_protocol == IPPROTO_TCP || stream.ai_protocol == protocol_number(transport);
}

class ListBuilder {
 public:
  explicit ListBuilder(const ListWanted& wanted) : wanted_(wanted) {}
  ListBuilder(const ListBuilder&) = delete;
  ListBuilder& operator=(const ListBuilder&) = delete;
  ~ListBuilder() {
    if (first_ != nullptr) ::freeaddrinfo(first_);
  }

  void add_bundle(const Bundle& bundle, int protocol) {
    const std::size_t limit = wanted_.family == AF_BUNDLE ? BUNDLE_SIZE_MAX : BUNDLE_SIZE_USUAL;
    alignas(sockaddr_bundle) std::array<std::byte, BUNDLE_SIZE_MAX> storage;
    const socklen_t length = bundle::sockaddr_from_bundle(bundle, storage.data(), limit);
    if (length > 0) add(storage.data(), length, {SOCK_STREAM, protocol});
  }

  void add_single(const Endpoint& endpoint, const Kind& kind) {
    const bool ipv6 =
        wanted_.family == AF_INET6 || (wanted_.family == AF_UNSPEC && !endpoint.address.is_ipv4());
    sockaddr_storage storage;
    const socklen_t length =
        bundle::sockaddr_from_endpoint(endpoint, ipv6 ? AF_INET6 : AF_INET, &storage);
    if (length > 0) add(&storage, length, kind);
  }

  // All of it, with the canonical name in its first entry; nothing where memory ran out.
  [[nodiscard]] int take(addrinfo** list, addrinfo** last) {
    if (first_ != nullptr && !wanted_.canonical_name.empty()) {
      const std::size_t size = wanted_.canonical_name.size();
      first_->ai_canonname = static_cast<char*>(std::malloc(size + 1));
      if (first_->ai_canonname == nullptr) return EAI_MEMORY;
      wanted_.canonical_name.copy(first_->ai_canonname, size);
      first_->ai_canonname[size] = '\0';
    }
    if (out_of_memory_) return EAI_MEMORY;
    *list = first_;
    *last = last_;
    first_ = last_ = nullptr;
    return 0;
  }

 private:
  void add(const void* address, socklen_t length, const Kind& kind) {
    void* block = out_of_memory_ ? nullptr : std::malloc(sizeof(addrinfo) + length);
    if (block == nullptr) {
      out_of_memory_ = true;
      return;
    }
    auto* entry = new (block) addrinfo{};
    void* own_address = entry + 1;
    std::memcpy(own_address, address, length);
    entry->ai_flags = wanted_.flags;
    entry->ai_family = static_cast<const sockaddr*>(own_address)->sa_family;
    entry->ai_socktype = kind.type;
    entry->ai_protocol = kind.protocol;
    entry->ai_addrlen = length;
    entry->ai_addr = static_cast<sockaddr*>(own_address);
    (last_ == nullptr ? first_ : last_->ai_next) = entry;
    last_ = entry;
  }

  const ListWanted& wanted_;
  addrinfo* first_ = nullptr;
  addrinfo* last_ = nullptr;
  bool out_of_memory_ = false;
};

void add_bundle_entries(const Bundle& bundle, const ListWanted& wanted, ListBuilder* builder) {
  const addrinfo* stream = stream_in(wanted);
  if (stream == nullptr) return;
  for (const BundleTransport transport : wanted.transports) {
    if (suits(transport, *stream)) builder->add_bundle(bundle, protocol_number(transport));
  }
}

void add_single_entries(const Bundle& singles, const ListWanted& wanted, ListBuilder* builder) {
  const addrinfo* stream = stream_in(wanted);
  for (const BundleTransport transport : wanted.transports) {
    if (stream == nullptr || stream->ai_protocol != IPPROTO_TCP) break;
    if (transport == BundleTransport::kTcp) continue;
    for (const Endpoint& endpoint : singles.members()) {
      builder->add_single(endpoint, {SOCK_STREAM, protocol_number(transport)});
    }
  }
  for (const Endpoint& endpoint : singles.members()) {
    for (const addrinfo* kind = wanted.kinds; kind != wanted.kinds_end; kind = kind->ai_next) {
      builder->add_single(endpoint, {kind->ai_socktype, kind->ai_protocol});
    }
  }
}

}  // namespace

int make_address_list(const Bundle& bundle, const Bundle& singles, const ListWanted& wanted,
                      addrinfo** list) {
  ListBuilder builder(wanted);
  if (wanted.family == AF_BUNDLE || (wanted.family == AF_UNSPEC && wanted.bundle_entries)) {
    add_bundle_entries(bundle, wanted, &builder);
  }
  if (wanted.family != AF_BUNDLE) add_single_entries(singles, wanted, &builder);
  addrinfo* made = nullptr;
  addrinfo* last = nullptr;
  const int error = builder.take(&made, &last);
  if (error != 0) return error;
  if (made == nullptr) return wanted.family == AF_BUNDLE ? EAI_SOCKTYPE : EAI_NONAME;
  *list = made;
  return 0;
}

int prepend_bundle_entries(const Bundle& bundle, const ListWanted& wanted, addrinfo** list) {
  ListBuilder builder(wanted);
  add_bundle_entries(bundle, wanted, &builder);
  addrinfo* made = nullptr;
  addrinfo* last = nullptr;
  const int error = builder.take(&made, &last);
  if (error != 0 || made == nullptr) return error;
  made->ai_canonname = (*list)->ai_canonname;
  (*list)->ai_canonname = nullptr;
  last->ai_next = *list;
  *list = made;
  return 0;
}

}  // namespace px::shim
