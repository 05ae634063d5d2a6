// SPDX-License-Identifier: MIT
// A request of pxctl to the broker, and its answer or the complaint; printing. Single-threaded.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <tl/expected.hpp>

#include "cli/client.h"
#include "cli/ctl/command.h"

namespace px::cli {

// The exit status that is left where the complaint has been printed.
template <typename Value>
using Answer = tl::expected<Value, int>;

// "pxctl: MESSAGE" on standard error and, for programs that asked for JSON, {"error": MESSAGE} as a
// line on standard output; `status` back.
int complain(bool as_json, const std::string& message, int status);
int complain(const CtlOptions& options, const std::string& message, int status);

[[nodiscard]] Answer<Client> reach_broker(const CtlOptions& options);

// The reply; {"error": ...} is printed, as JSON where the options say so, and gives kAnswerIsNo.
[[nodiscard]] Answer<nlohmann::json> ask_broker(const CtlOptions& options,
                                                const nlohmann::json& request,
                                                Client::Duration patience = Client::kPatience);
[[nodiscard]] Answer<nlohmann::json> ask_broker(Client& client, const CtlOptions& options,
                                                const nlohmann::json& request,
                                                Client::Duration patience = Client::kPatience);

// On standard output, one line or indented.
void print_json(const nlohmann::json& value, int indent = 2);
void print(const std::string& text);

// A key's text, printable; empty when it is missing or null. Numbers are written out.
[[nodiscard]] std::string text_of(const nlohmann::json& object, const char* key);

}  // namespace px::cli
