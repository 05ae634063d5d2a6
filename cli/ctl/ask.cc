// SPDX-License-Identifier: MIT
#include "cli/ctl/ask.h"

#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/ctl/table.h"

namespace px::cli {

using nlohmann::json;

int complain(bool as_json, const std::string& message, int status) {
  std::fprintf(stderr, "pxctl: %s\n", message.c_str());
  if (as_json) print_json({{"error", message}}, -1);
  return status;
}

int complain(const CtlOptions& options, const std::string& message, int status) {
  return complain(options.json, message, status);
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

void print_json(const json& value, int indent) {
  // What steers a terminal is written by number there: the same JSON.
  const bool ascii = isatty(STDOUT_FILENO) == 1;
  print(value.dump(indent, ' ', ascii, json::error_handler_t::replace) + "\n");
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  if (found->is_string()) return printable(found->get_ref<const std::string&>());
  return found->dump();
}

Answer<Client> reach_broker(const CtlOptions& options) {
  auto client = Client::connect_first(socket_search(options.socket));
  if (client) return std::move(*client);
  return tl::make_unexpected(complain(
      options,
      client.error().message + "; start it with `systemctl start pxd`, or run `pxd` yourself, "
                               "or say where it is with --socket PATH",
      kNoBroker));
}

Answer<json> ask_broker(Client& client, const CtlOptions& options, const json& request,
                        Client::Duration patience) {
  auto reply = client.ask(request, patience);
  if (!reply) return tl::make_unexpected(complain(options, reply.error().message, kNoBroker));
  if (!reply->contains("error")) return std::move(*reply);
  return tl::make_unexpected(complain(options, text_of(*reply, "error"), kAnswerIsNo));
}

Answer<json> ask_broker(const CtlOptions& options, const json& request, Client::Duration patience) {
  PX_ASSIGN_OR_RETURN(Client client, reach_broker(options));
  return ask_broker(client, options, request, patience);
}

}  // namespace px::cli
