// SPDX-License-Identifier: MIT
// A flow in words: its destination, protocol and interface. Pure, but for the interface's name.
#pragma once

#include <string>

#include "audit/abi.h"

namespace px::cli {

[[nodiscard]] std::string destination_of(const px_audit_flow& flow);
// "tcp", "udp", "icmp", "sctp", or the number of another protocol.
[[nodiscard]] std::string protocol_of(const px_audit_flow& flow);
// As a policy's rules tell it apart: "tcp", "udp", "icmp" or "other".
[[nodiscard]] std::string transport_of(const px_audit_flow& flow);
// Its name now; "#5" where there is no such interface any more.
[[nodiscard]] std::string interface_of(const px_audit_flow& flow);
// "tcp to 203.0.113.80 port 80 by lan0"
[[nodiscard]] std::string flow_text(const px_audit_flow& flow, const std::string& interface);

}  // namespace px::cli
