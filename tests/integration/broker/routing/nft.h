// SPDX-License-Identifier: MIT
// nft commands in the test's own network namespace, for counters behind everything that decides.
#pragma once

#include <nftables/libnftables.h>

#include <string>

namespace px::test {

// What the command prints; its complaints go to standard error.
inline std::string nft(const std::string& command) {
  nft_ctx* context = nft_ctx_new(NFT_CTX_DEFAULT);
  nft_ctx_buffer_output(context);
  nft_run_cmd_from_buffer(context, command.c_str());
  std::string output = nft_ctx_get_output_buffer(context);
  nft_ctx_free(context);
  return output;
}

}  // namespace px::test
