// SPDX-License-Identifier: MIT
// Lets one broker at a time manage next hops in a network namespace: by a table of nftables that
// belongs to the broker's own socket. It takes CAP_NET_ADMIN to make one, nobody else may touch it,
// and the kernel removes it when its process ends. Where the kernel has no such tables, an abstract
// Unix socket has to do, which any user could hold. Its holder owns it.
#pragma once

#include <memory>

#include "util/error.h"
#include "util/fd.h"

struct nft_ctx;

namespace px::broker {

class NamespaceClaim {
 public:
  // For callers that have CAP_NET_ADMIN. The error is for people.
  [[nodiscard]] static Expected<NamespaceClaim> take();
  // Whether it could be taken; changes nothing.
  [[nodiscard]] static Expected<void> is_free();

 private:
  struct CloseTable {
    void operator()(nft_ctx* context) const;
  };
  using Table = std::unique_ptr<nft_ctx, CloseTable>;

  explicit NamespaceClaim(Table table) : table_(std::move(table)) {}
  explicit NamespaceClaim(Fd socket) : socket_(std::move(socket)) {}
  [[nodiscard]] static Expected<NamespaceClaim> take_name();

  Table table_;
  Fd socket_;
};

}  // namespace px::broker
