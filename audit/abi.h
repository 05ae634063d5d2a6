/* SPDX-License-Identifier: MIT
 *
 * What the audit's BPF programs and their loader share: the keys, values and events of their maps, as
 * C11 and as C++20, without hidden padding. Written by the kernel, read by px-audit alone.
 */
#ifndef PX_AUDIT_ABI_H
#define PX_AUDIT_ABI_H

#include <linux/types.h>

#define PX_AUDIT_COMMAND_SIZE 16
#define PX_AUDIT_FLOWS 65536

/* What the programs are told before they are loaded. */
struct px_audit_settings {
  __u64 own_network;          /* the cookie of the auditor's network namespace */
  __u64 pid_namespace_device; /* of the auditor; 0, 0: the first, whose numbers need no helper */
  __u64 pid_namespace_inode;
  __u32 count_unknown; /* 1: also packets of sockets that nobody was seen to make */
  __u32 unused;
};

/* Of a socket, and so of all its flows. */
#define PX_AUDIT_FOREIGN 1u /* made in another network namespace than the auditor's */
#define PX_AUDIT_ACTIVE 2u  /* sends of its own accord: not a TCP connection that came in */
#define PX_AUDIT_EARLIER 4u /* made before the audit began */
#define PX_AUDIT_UNKNOWN 8u /* not seen being made: a subflow of MPTCP, or a socket from before */

struct px_audit_socket {
  __u32 pid; /* of the process that made it; 0: the kernel did */
  __u32 flags;
};

/* What is counted together. */
struct px_audit_flow {
  __u32 pid;
  __u32 interface_index;
  __u32 flags;
  __u16 port;       /* host byte order; 0: the protocol has none, or it was not in the packet */
  __u8 protocol;    /* IPPROTO_* */
  __u8 ip_version;  /* 4 or 6 */
  __u8 destination[16]; /* of IPv4, the first four */
};

struct px_audit_count {
  __u64 packets; /* as they leave: each segment of a large one */
  __u64 bytes;   /* with IP headers */
};

enum px_audit_event_kind {
  PX_AUDIT_PROCESS = 1, /* a process made its first socket */
  PX_AUDIT_FLOW = 2,    /* the first packet of a flow */
};

struct px_audit_event {
  __u32 kind;
  __u32 pid;
  __u32 parent; /* of PX_AUDIT_PROCESS; 0: in another pid namespace */
  char command[PX_AUDIT_COMMAND_SIZE]; /* of PX_AUDIT_PROCESS */
  struct px_audit_flow flow;           /* of PX_AUDIT_FLOW */
};

enum px_audit_loss {
  PX_AUDIT_LOST_PACKETS = 0, /* of flows for which there was no room */
  PX_AUDIT_LOST_EVENTS = 1,  /* not told at once; the flows are counted all the same */
  PX_AUDIT_LOSSES = 2,
};

#endif /* PX_AUDIT_ABI_H */
