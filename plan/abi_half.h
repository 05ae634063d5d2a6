/* SPDX-License-Identifier: MIT
 *
 * One plan, in one half of a plan file (abi.h): a header, and tables at offsets from the start of
 * the half.
 */
#ifndef PX_PLAN_ABI_HALF_H
#define PX_PLAN_ABI_HALF_H

#include "plan/abi_values.h"

#ifdef __cplusplus
namespace px::plan {
#endif

/* `count` elements of the section's type at `offset` bytes from the start of the half. Eight bytes,
 * eight-aligned: read in one load. */
struct px_section {
  uint32_t offset;
  uint32_t count;
} __attribute__((aligned(8)));

/* How a profile's sockets use bundles. */
struct px_bundle_settings {
  px_bundle_transport
      transports[PX_BUNDLE_TRANSPORTS]; /* most preferred first; NONE after the last */
  px_bundle_entries entries;
  /* 1: not bundles alone, every stream socket of the program takes the first transport that the
   * kernel has (`bundle: { sockets: all }`). */
  uint8_t all_sockets;
  uint8_t reserved[3];
  /* Until the next member is tried; 0: PX_STAGGER_EXPLICIT_MS or PX_STAGGER_IMPLICIT_MS. */
  uint32_t stagger_ms;
};

/* How a program's names are looked up. */
struct px_name_settings {
  px_names_from from;
  uint8_t servers;   /* of PX_NAMES_PROFILE: how many there are, at most PX_NAME_SERVERS */
  uint8_t timeout_s; /* that the first server is waited for */
  uint8_t attempts;  /* how often all servers are asked, if none answers */
};

struct px_plan_header {
  uint32_t size;    /* bytes of this plan, this header included */
  uint32_t removed; /* 1: the policy no longer has this profile; every rule lookup fails closed */
  px_if_unavailable if_unavailable;
  px_on_loss on_loss;
  px_listen_mode listen;
  uint32_t mark_mask;   /* SO_MARK's bits that are px's, host byte order; 0: no marks are set */
  uint32_t listen_mark; /* SO_MARK of a stream socket before it listens; 0: none */
  uint32_t listen_first_via; /* PX_LISTEN_RECEIVED_SOURCE: into via_ids, as a rule's */
  uint32_t listen_via_count;
  /* 1: some profile claims programs by `match`, so that a program may belong under another one than
   * it was started with: hello comes before its first decision. */
  uint32_t matching;
  struct px_bundle_settings bundle;
  struct px_name_settings names;
  struct px_section own;      /* px_range, sorted, disjoint: the host's own addresses; unsteered */
  struct px_section on_link;  /* px_range, likewise: directly connected, if not under rules */
  struct px_section nodes;    /* px_node; [0] is the root; empty: the profile has no rules */
  struct px_section segments; /* px_segment */
  struct px_section rule_ids; /* uint32_t, index into rules */
  struct px_section rules;    /* px_rule, in the policy's order */
  struct px_section via_ids;  /* uint32_t, index into entries */
  struct px_section entries;  /* px_entry */
  struct px_section reach;    /* px_range: what each interface has a route to */
  struct px_section bundle_names; /* px_bundle_name, sorted by name; alike in every profile */
  struct px_section text;         /* char: what bundle_names and name_nodes point into */
  struct px_section name_nodes;   /* px_name_node, sorted by domain, then by `below` */
  struct px_section name_servers; /* px_name_server, most preferred first */
  /* px_range, sorted, disjoint: for PX_NAME_SERVER_PORT there, name_servers are called instead */
  struct px_section redirected;
};

/* An inclusive range of addresses. */
struct px_range {
  px_address low;
  px_address high;
};

/* A node of the path-compressed binary trie over destination networks: the network, and the
 * segments of the rules whose `to` is exactly this network. */
struct px_node {
  px_address network;
  uint32_t prefix_length; /* 0 to PX_ADDRESS_BITS; of IPv4, PX_IPV4_PREFIX_BITS and its own */
  uint32_t child[2];      /* by the bit after the prefix; PX_NO_NODE for none */
  uint32_t first_segment;
  uint32_t segment_count;
};

/* The segments of the rules whose `to` has exactly this name, or this pattern of names. */
struct px_name_node {
  uint32_t domain;        /* into text: labels as DNS has them, the root's too; lower case */
  uint32_t domain_length; /* bytes */
  uint32_t below;         /* 0: the domain itself; 1: all names below it, however deep */
  uint32_t first_segment;
  uint32_t segment_count;
};

/* A server that answers plain DNS, and the egress by which programs call it, too. */
struct px_name_server {
  px_address address;
  uint32_t port;
  uint32_t first_via; /* into via_ids, as a rule's */
  uint32_t via_count; /* 0: it cannot be asked now */
};

/* One node's rules by transport and port. The segments of a node are sorted by key, the first key
 * is 0, and each segment holds from its key up to the next one's. Its rule ids ascend, and end at
 * the first rule that always decides. */
struct px_segment {
  uint32_t key; /* transport << PX_SEGMENT_TRANSPORT_SHIFT | lowest port */
  uint32_t first_rule_id;
  uint32_t rule_id_count;
};

struct px_rule {
  px_rule_action action;
  uint32_t first_via; /* into via_ids: the entries in order of preference */
  uint32_t via_count;
};

/* A source address on an interface, towards a next hop. */
struct px_entry {
  px_address source;
  uint32_t interface_index;
  uint32_t number; /* as `pxctl paths` shows it */
  uint32_t flags;  /* PX_ENTRY_* */
  /* SO_MARK that the broker sets on a socket for this entry's next hop, under mark_mask; 0: the
   * next hop is the interface's own. */
  uint32_t mark;
  uint32_t first_reach; /* into reach, sorted, disjoint */
  uint32_t reach_count;
  char interface[PX_INTERFACE_NAME_SIZE]; /* NUL-terminated */
};

/* A name that is a bundle: `NAME.bundle` of the policy's `bundles`, or an alias. */
struct px_bundle_name {
  uint32_t name;            /* into text; lower case; "*" for `alias: any` */
  uint32_t name_length;     /* bytes */
  uint32_t notation;        /* into text: `<a,b>` */
  uint32_t notation_length; /* 0: all addresses of the name itself */
  uint32_t implicit;        /* 1: an alias */
};

#ifdef __cplusplus
}  // namespace px::plan
#endif

#endif /* PX_PLAN_ABI_HALF_H */
