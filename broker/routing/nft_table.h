// SPDX-License-Identifier: MIT
// px's nftables table: it has answers leave by the interface that the call came in by (PX-5), and
// rejects what has the mark of a next hop and would leave by another (PX-2). As text for nft,
// pure, and put into the kernel, which needs CAP_NET_ADMIN.
#pragma once

#include <cstdint>
#include <string>

#include "broker/routing/routing_demand.h"
#include "util/error.h"

namespace px::broker {

inline constexpr char kNftTable[] = "inet px";

// Whether the demand needs the table.
[[nodiscard]] bool needs_nft_table(const RoutingDemand& demand);

// The commands that put the table in place of whatever it was, in one transaction; that remove it
// where the demand does not need it. `marks` has the mark of every key of the demand.
[[nodiscard]] std::string nft_table_commands(const RoutingDemand& demand, const Marks& marks,
                                             std::uint32_t mask);

// Runs nft commands; the error is nft's own words.
[[nodiscard]] Expected<void> run_nft(const std::string& commands);
// Whether the kernel has a table of this family and name.
[[nodiscard]] bool has_nft_table(const std::string& table);
// The table as `nft list table inet px` shows it; empty where there is none.
[[nodiscard]] Expected<std::string> list_nft_table();

}  // namespace px::broker
