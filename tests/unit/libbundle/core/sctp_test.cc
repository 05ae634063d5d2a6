// SPDX-License-Identifier: MIT
#include "libbundle/core/sctp.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstddef>

// It wants libc's sockaddr_storage before it.
// clang-format off
#include <linux/sctp.h>
// clang-format on

namespace px::bundle {
namespace {

TEST(Sctp, NumbersAreTheKernels) {
  EXPECT_EQ(kSolSctp, IPPROTO_SCTP);
  EXPECT_EQ(kSctpRtoInfo, SCTP_RTOINFO);
  EXPECT_EQ(kSctpInitMessage, SCTP_INITMSG);
  EXPECT_EQ(kSctpNoDelay, SCTP_NODELAY);
  EXPECT_EQ(kSctpPrimaryAddress, SCTP_PRIMARY_ADDR);
  EXPECT_EQ(kSctpBindxAdd, SCTP_SOCKOPT_BINDX_ADD);
  EXPECT_EQ(kSctpPeerAddresses, SCTP_GET_PEER_ADDRS);
  EXPECT_EQ(kSctpLocalAddresses, SCTP_GET_LOCAL_ADDRS);
  EXPECT_EQ(kSctpConnectx, SCTP_SOCKOPT_CONNECTX);
}

TEST(Sctp, StructuresAreTheKernels) {
  EXPECT_EQ(sizeof(SctpRtoInfo), sizeof(sctp_rtoinfo));
  EXPECT_EQ(offsetof(SctpRtoInfo, initial), offsetof(sctp_rtoinfo, srto_initial));
  EXPECT_EQ(offsetof(SctpRtoInfo, most), offsetof(sctp_rtoinfo, srto_max));
  EXPECT_EQ(offsetof(SctpRtoInfo, least), offsetof(sctp_rtoinfo, srto_min));
  EXPECT_EQ(sizeof(SctpInitMessage), sizeof(sctp_initmsg));
  EXPECT_EQ(offsetof(SctpInitMessage, attempts), offsetof(sctp_initmsg, sinit_max_attempts));
  EXPECT_EQ(offsetof(SctpInitMessage, most_ms), offsetof(sctp_initmsg, sinit_max_init_timeo));
  EXPECT_EQ(sizeof(SctpPrimaryAddress), sizeof(sctp_prim));
  EXPECT_EQ(offsetof(SctpPrimaryAddress, address), offsetof(sctp_prim, ssp_addr));
}

}  // namespace
}  // namespace px::bundle
