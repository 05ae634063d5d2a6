// SPDX-License-Identifier: MIT
#include "broker/routing/namespace_claim.h"

#include <nftables/libnftables.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <string>

#include "broker/routing/nft_table.h"

namespace px::broker {
namespace {

constexpr char kTable[] = "inet px-claim";
constexpr char kName[] = "\0px-routing";  // abstract: after a NUL, without one at its end
constexpr std::size_t kNameSize = sizeof kName - 1;

struct Name {
  sockaddr_un address{};
  socklen_t size = offsetof(sockaddr_un, sun_path) + kNameSize;
  Name() {
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, kName, kNameSize);
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

Fd open_socket() {
  return Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

tl::unexpected<Error> taken(const std::string& by) {
  return fail("another broker manages next hops in this network namespace: it holds " + by);
}

tl::unexpected<Error> table_taken() {
  return taken("the nftables table `" + std::string(kTable) + "`");
}

tl::unexpected<Error> name_taken() {
  return taken("the abstract socket `px-routing`");
}

}  // namespace

void NamespaceClaim::CloseTable::operator()(nft_ctx* context) const {
  nft_ctx_free(context);
}

Expected<NamespaceClaim> NamespaceClaim::take() {
  Table table(nft_ctx_new(NFT_CTX_DEFAULT));
  if (!table || nft_ctx_buffer_error(table.get()) != 0) return fail("cannot set up libnftables");
  const std::string create = "create table " + std::string(kTable) + " { flags owner; }";
  if (nft_run_cmd_from_buffer(table.get(), create.c_str()) == 0) {
    return NamespaceClaim(std::move(table));
  }
  if (has_nft_table(kTable)) return table_taken();
  return take_name();
}

// Nobody is told apart by it: whoever connects is not answered.
Expected<NamespaceClaim> NamespaceClaim::take_name() {
  Fd socket = open_socket();
  const Name name;
  if (!socket || bind(socket.get(), name.get(), name.size) != 0) {
    if (errno == EADDRINUSE) return name_taken();
    return fail_errno("cannot claim this network namespace's next hops");
  }
  if (listen(socket.get(), 1) != 0) return fail_errno("listen");
  return NamespaceClaim(std::move(socket));
}

Expected<void> NamespaceClaim::is_free() {
  if (has_nft_table(kTable)) return table_taken();
  return {};
}

}  // namespace px::broker
