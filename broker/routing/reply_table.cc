// SPDX-License-Identifier: MIT
#include "broker/routing/reply_table.h"

#include <nftables/libnftables.h>

#include <array>
#include <cstdio>
#include <memory>

namespace px::broker {
namespace {

struct FreeContext {
  void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};
using Context = std::unique_ptr<nft_ctx, FreeContext>;

std::string hex(std::uint32_t number) {
  std::array<char, 11> text{};
  std::snprintf(text.data(), text.size(), "0x%08x", number);
  return text.data();
}

std::string with_mark(const std::string& what, std::uint32_t mark, std::uint32_t mask) {
  return what + " set " + what + " & " + hex(~mask) + " | " + hex(mark);
}

std::string has_mark(const std::string& what, std::uint32_t mark, std::uint32_t mask) {
  return what + " & " + hex(mask) + " == " + hex(mark);
}

Expected<Context> open_context() {
  Context context(nft_ctx_new(NFT_CTX_DEFAULT));
  if (!context || nft_ctx_buffer_output(context.get()) != 0 ||
      nft_ctx_buffer_error(context.get()) != 0) {
    return fail("cannot set up libnftables");
  }
  return context;
}

}  // namespace

std::string reply_table_commands(const RoutingDemand& demand, const Marks& marks,
                                 std::uint32_t mask) {
  const std::string table = std::string("table ") + kReplyTable;
  // Added first so that there is one to delete.
  std::string text = "add " + table + "\ndelete " + table + "\n";
  if (demand.received.empty()) return text;
  const std::uint32_t listening = marks.at(kReceivedKey);
  std::string calls;
  std::string answers;
  for (const auto& [interface, key] : demand.received) {
    const std::uint32_t mark = marks.at(key);
    calls += "    ct direction original " + has_mark("ct mark", 0, mask) +
             " meta l4proto tcp socket " + has_mark("mark", listening, mask) + " iif " +
             std::to_string(interface) + " " + with_mark("ct mark", mark, mask) + "\n";
    answers += "    ct direction reply " + has_mark("ct mark", mark, mask) + " " +
               with_mark("meta mark", mark, mask) + "\n";
  }
  return text + table + " {\n  chain pre {\n    type filter hook prerouting priority mangle;\n" +
         calls + "  }\n  chain out {\n    type route hook output priority mangle;\n" + answers +
         "  }\n}\n";
}

Expected<void> run_nft(const std::string& commands) {
  const auto context = open_context();
  if (!context) return tl::make_unexpected(context.error());
  if (nft_run_cmd_from_buffer(context->get(), commands.c_str()) == 0) return {};
  const std::string error = nft_ctx_get_error_buffer(context->get());
  return fail("nftables: " + error.substr(0, error.find('\n')));
}

Expected<std::string> list_reply_table() {
  const auto context = open_context();
  if (!context) return tl::make_unexpected(context.error());
  const std::string all = "list tables";
  if (nft_run_cmd_from_buffer(context->get(), all.c_str()) != 0) {
    const std::string error = nft_ctx_get_error_buffer(context->get());
    return fail("nftables: " + error.substr(0, error.find('\n')));
  }
  const std::string tables = nft_ctx_get_output_buffer(context->get());
  const std::string table = std::string("table ") + kReplyTable;
  if (("\n" + tables).find("\n" + table + "\n") == std::string::npos) return std::string();
  if (nft_run_cmd_from_buffer(context->get(), ("list " + table).c_str()) != 0) return std::string();
  return std::string(nft_ctx_get_output_buffer(context->get()));
}

}  // namespace px::broker
