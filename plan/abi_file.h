/* SPDX-License-Identifier: MIT
 *
 * The header of a plan file (abi.h). Two halves of PX_HALF_SIZE bytes follow it, at PX_HEADER_SIZE,
 * each of which holds a plan (abi_half.h). A plan is written whole into the half that nobody reads,
 * then made current by one atomic store.
 */
#ifndef PX_PLAN_ABI_FILE_H
#define PX_PLAN_ABI_FILE_H

#include "plan/abi_values.h"

#ifdef __cplusplus
namespace px::plan {
#endif

/* What one user's programs know of one member of a bundle. */
struct px_health_slot {
  px_shared_uint64 sequence; /* odd while the slot is being written */
  px_shared_uint64 address[2];
  px_shared_uint64 target; /* interface << 32 | port << 16 | round trip << 3 | fact << 1 | alive */
  px_shared_uint64 owner;  /* user << 32 | epoch */
  px_shared_uint64 until;  /* CLOCK_BOOTTIME in milliseconds; 0: empty */
};

struct px_health_table {
  /* What was written in another epoch is forgotten, and so is what programs remember of names:
   * raised when the host's entries, the policy, name servers or the broker change. */
  px_shared_uint64 epoch;
  struct px_health_slot slots[PX_HEALTH_SETS * PX_HEALTH_SET_SIZE]; /* set by set */
};

struct px_file_header {
  uint32_t magic;          /* PX_MAGIC */
  uint32_t layout_version; /* PX_LAYOUT_VERSION */
  /* The running broker's own number, another one at each start, never 0: a program that sees it
   * change knows that its session is lost. */
  px_shared_uint64 broker_instance;
  /* Generation g stands in half g % 2. `writing` is raised before a half is touched and `published`
   * after it is complete, so a reader of generation p has read it whole if writing < p + 2 still
   * holds when it is done. */
  px_shared_uint64 writing;
  px_shared_uint64 published; /* 0: nothing yet */
  /* Raised when a program under this profile may belong under another one now (`pxctl move`, a
   * changed `match`): one without a counters page says hello before its next decision. */
  px_shared_uint64 recheck;
  /* CLOCK_MONOTONIC in milliseconds, stored every PX_HEARTBEAT_INTERVAL_MS by the broker; not
   * running for longer than PX_HEARTBEAT_LOST_MS, it is lost (px_on_loss). */
  px_shared_uint64 heartbeat;
  char profile[PX_PROFILE_NAME_SIZE]; /* NUL-terminated */
  struct px_health_table health;
};

#ifdef __cplusplus
}  // namespace px::plan
#endif

#endif /* PX_PLAN_ABI_FILE_H */
