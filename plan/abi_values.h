/* SPDX-License-Identifier: MIT
 *
 * The values and the field types of a plan (abi.h), as C11 and as C++20. A value that stands in a
 * plan, once given, keeps its meaning.
 */
#ifndef PX_PLAN_ABI_VALUES_H
#define PX_PLAN_ABI_VALUES_H

#include <stdint.h>

#ifdef __cplusplus
namespace px::plan {
#endif

/* C++ code brings its own types for these fields (abi_types.h), of the same size and alignment. */
#ifndef PX_PLAN_FIELD_TYPES
typedef struct px_address {
  uint8_t bytes[16]; /* network byte order; IPv4 as ::ffff:a.b.c.d */
} px_address;
typedef uint64_t px_shared_uint64; /* written while others read it: one atomic access each */
typedef uint32_t px_if_unavailable;
typedef uint32_t px_on_loss;
typedef uint32_t px_listen_mode;
typedef uint32_t px_rule_action;
typedef uint8_t px_bundle_transport;
typedef uint8_t px_bundle_entries;
typedef uint8_t px_names_from;
#endif

/* px_if_unavailable: what a rule does whose entries cannot be used. */
#define PX_IF_UNAVAILABLE_BLOCK 0
#define PX_IF_UNAVAILABLE_NEXT 1
#define PX_IF_UNAVAILABLE_SYSTEM 2

/* px_on_loss: what becomes of a rule's decision while no broker runs. */
#define PX_ON_LOSS_LAST_KNOWN 0
#define PX_ON_LOSS_BLOCK 1
#define PX_ON_LOSS_SYSTEM 2

/* px_listen_mode: by which interface a server answers (PX-5). */
#define PX_LISTEN_SYSTEM 0
#define PX_LISTEN_RECEIVED_INTERFACE 1 /* the one that the call came in by */
#define PX_LISTEN_RECEIVED_SOURCE 2    /* that of an entry: listen_first_via */

/* px_rule_action */
#define PX_RULE_VIA 0
#define PX_RULE_BLOCK 1
#define PX_RULE_SYSTEM 2 /* as the host routes it; a reader that does not know it refuses */

/* What a rule's `proto` can tell apart, in px_segment.key. */
#define PX_TRANSPORT_TCP 0
#define PX_TRANSPORT_UDP 1
#define PX_TRANSPORT_OTHER 2
#define PX_TRANSPORT_ICMP 3 /* ICMPv6 too; to a reader that does not know it, it is OTHER */
#define PX_TRANSPORTS 4
#define PX_SEGMENT_TRANSPORT_SHIFT 16

/* px_entry.flags */
#define PX_ENTRY_USABLE 1u /* link up, source address valid */
#define PX_ENTRY_IPV4 2u   /* else IPv6 */
/* The source is what the kernel would take on that interface by itself: usable also for a socket
 * whose source can no longer be bound. */
#define PX_ENTRY_KERNEL_SOURCE 4u
/* The policy named an interface, not a source: of adjacent such entries of one interface, the one
 * whose source shares the longest prefix with the destination is taken (RFC 6724, rule 8). */
#define PX_ENTRY_ANY_SOURCE 8u
/* The source is another interface's, where answers may come in: the mark alone chooses the
 * interface, and the socket takes no device. */
#define PX_ENTRY_NO_DEVICE 16u
/* Without the mark, a device leads by this entry as well. */
#define PX_ENTRY_MARK_OPTIONAL 32u
/* The interface's routes stand in tables that only the source is sent to. The mark, if there is
 * one, is for sockets whose source can no longer be bound; without it they have no route. */
#define PX_ENTRY_ROUTED_BY_SOURCE 64u

/* px_bundle_transport: what carries a socket with several addresses. */
#define PX_BUNDLE_TRANSPORT_NONE 0
#define PX_BUNDLE_TRANSPORT_SCTP 1
#define PX_BUNDLE_TRANSPORT_MPTCP 2
#define PX_BUNDLE_TRANSPORT_TCP 3
#define PX_BUNDLE_TRANSPORTS 3 /* that a profile can list */

/* px_bundle_entries: whether programs are given bundle entries by getaddrinfo(3). */
#define PX_BUNDLE_ENTRIES_BY_PROGRAM 0
#define PX_BUNDLE_ENTRIES_ALWAYS 1
#define PX_BUNDLE_ENTRIES_NEVER 2

/* px_names_from: whom a program asks for what its hosts file does not know. */
#define PX_NAMES_HOST 0
#define PX_NAMES_PROFILE 1 /* the servers of its profile, by the broker, and nobody else */
#define PX_NAMES_SOME 2    /* likewise, of the names that are its servers'; of others the host's */

/* px_name_settings, px_name_server */
#define PX_NAME_SERVERS 8
#define PX_NAME_LONGEST_TIMEOUT_S 30
#define PX_NAME_MOST_ATTEMPTS 5
#define PX_NAME_SERVER_PORT 53 /* of the host's servers, whose questions are redirected */

/* px_bundle_settings.stagger_ms (RFC 8305) */
#define PX_STAGGER_SHORTEST_MS 10
#define PX_STAGGER_LONGEST_MS 5000
#define PX_STAGGER_EXPLICIT_MS 100 /* where the policy gives none: inside a written bundle, */
#define PX_STAGGER_IMPLICIT_MS 250 /* and inside one that an alias made */

#define PX_NO_NODE 0xffffffffu
#define PX_ADDRESS_BITS 128
#define PX_IPV4_PREFIX_BITS 96 /* of the 128, before an IPv4 address's own */
/* Nodes from the root to a leaf, at most: each has a longer prefix than the one before. */
#define PX_DEEPEST_WALK (PX_ADDRESS_BITS + 1)

/* The plan file. */
#define PX_LAYOUT_VERSION 3u
#define PX_MAGIC 0x4e4c5850u      /* "PXLN" */
#define PX_PROFILE_NAME_SIZE 64   /* with its NUL */
#define PX_INTERFACE_NAME_SIZE 16 /* IFNAMSIZ */
#define PX_HEADER_SIZE 0x8000u    /* whole pages */
#define PX_HALF_SIZE 0x800000u
#define PX_HEARTBEAT_INTERVAL_MS 1000u
#define PX_HEARTBEAT_LOST_MS 5000u

/* The health table of the file's header. */
#define PX_HEALTH_SETS 64
#define PX_HEALTH_SET_SIZE 8
#define PX_HEALTH_ALIVE_MS 10000u /* how long a report is believed */
#define PX_HEALTH_DEAD_MS 60000u
#define PX_HEALTH_ROUND_TRIP_MS 600000u
#define PX_HEALTH_MOST_ROUND_TRIP 1000u /* what a longer one is told as; ms */
/* What a slot tells. Of a round trip, `alive` is 0. */
#define PX_HEALTH_FACT_STREAMS 0u /* whether the member answers over TCP and MPTCP */
#define PX_HEALTH_FACT_SCTP 1u
#define PX_HEALTH_FACT_ROUND_TRIP 2u /* how long an answer over TCP or MPTCP took; ms, 13 bits */

#ifdef __cplusplus
}  // namespace px::plan
#endif

#endif /* PX_PLAN_ABI_VALUES_H */
