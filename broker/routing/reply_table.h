// SPDX-License-Identifier: MIT
// The nftables table that has answers leave by the interface that the call came in by (PX-5): as
// text for nft, pure, and put into the kernel, which needs CAP_NET_ADMIN.
#pragma once

#include <cstdint>
#include <string>

#include "broker/paths/routing_demand.h"
#include "util/error.h"

namespace px::broker {

inline constexpr char kReplyTable[] = "inet px";

// The commands that put the table in place of whatever it was, in one transaction; without any
// received interface, that remove it. `marks` has the mark of every key of the demand.
[[nodiscard]] std::string reply_table_commands(const RoutingDemand& demand, const Marks& marks,
                                               std::uint32_t mask);

// Runs nft commands; the error is nft's own words.
[[nodiscard]] Expected<void> run_nft(const std::string& commands);
// The table as `nft list table inet px` shows it; empty where there is none.
[[nodiscard]] Expected<std::string> list_reply_table();

}  // namespace px::broker
