/* SPDX-License-Identifier: MIT
 *
 * The binary layout of a plan file, as C11 and as C++20: fixed-width fields in native byte order,
 * no pointers, no bit-fields, no hidden padding. It needs nothing but <stdint.h>, so that also a
 * BPF program can include it. The broker writes plans; any thread and any signal handler may read
 * them. C++ code includes layout.h or file_header.h, which give the same structures C++ names.
 */
#ifndef PX_PLAN_ABI_H
#define PX_PLAN_ABI_H

#include "plan/abi_file.h"
#include "plan/abi_half.h"
#include "plan/abi_values.h"

#ifdef __cplusplus
#define PX_ABI_ASSERT(condition) static_assert(condition, #condition)
namespace px::plan {
#else
#define PX_ABI_ASSERT(condition) _Static_assert(condition, #condition)
#endif
#define PX_ABI_SIZE(type, bytes) PX_ABI_ASSERT(sizeof(struct type) == (bytes))
#define PX_ABI_AT(type, field, bytes) \
  PX_ABI_ASSERT(__builtin_offsetof(struct type, field) == (bytes))

/* These bytes are what PX_LAYOUT_VERSION stands for: to change one is another version. */
PX_ABI_SIZE(px_section, 8);
PX_ABI_AT(px_section, offset, 0);
PX_ABI_AT(px_section, count, 4);
PX_ABI_SIZE(px_bundle_settings, 12);
PX_ABI_AT(px_bundle_settings, transports, 0);
PX_ABI_AT(px_bundle_settings, entries, 3);
PX_ABI_AT(px_bundle_settings, all_sockets, 4);
PX_ABI_AT(px_bundle_settings, reserved, 5);
PX_ABI_AT(px_bundle_settings, stagger_ms, 8);

PX_ABI_SIZE(px_name_settings, 4);
PX_ABI_AT(px_name_settings, from, 0);
PX_ABI_AT(px_name_settings, servers, 1);
PX_ABI_AT(px_name_settings, timeout_s, 2);
PX_ABI_AT(px_name_settings, attempts, 3);

PX_ABI_SIZE(px_plan_header, 168);
PX_ABI_AT(px_plan_header, size, 0);
PX_ABI_AT(px_plan_header, removed, 4);
PX_ABI_AT(px_plan_header, if_unavailable, 8);
PX_ABI_AT(px_plan_header, on_loss, 12);
PX_ABI_AT(px_plan_header, listen, 16);
PX_ABI_AT(px_plan_header, mark_mask, 20);
PX_ABI_AT(px_plan_header, listen_mark, 24);
PX_ABI_AT(px_plan_header, listen_first_via, 28);
PX_ABI_AT(px_plan_header, listen_via_count, 32);
PX_ABI_AT(px_plan_header, matching, 36);
PX_ABI_AT(px_plan_header, bundle, 40);
PX_ABI_AT(px_plan_header, names, 52);
PX_ABI_AT(px_plan_header, own, 56);
PX_ABI_AT(px_plan_header, on_link, 64);
PX_ABI_AT(px_plan_header, nodes, 72);
PX_ABI_AT(px_plan_header, segments, 80);
PX_ABI_AT(px_plan_header, rule_ids, 88);
PX_ABI_AT(px_plan_header, rules, 96);
PX_ABI_AT(px_plan_header, via_ids, 104);
PX_ABI_AT(px_plan_header, entries, 112);
PX_ABI_AT(px_plan_header, reach, 120);
PX_ABI_AT(px_plan_header, bundle_names, 128);
PX_ABI_AT(px_plan_header, text, 136);
PX_ABI_AT(px_plan_header, name_nodes, 144);
PX_ABI_AT(px_plan_header, name_servers, 152);
PX_ABI_AT(px_plan_header, redirected, 160);

PX_ABI_SIZE(px_range, 32);
PX_ABI_AT(px_range, low, 0);
PX_ABI_AT(px_range, high, 16);
PX_ABI_SIZE(px_node, 36);
PX_ABI_AT(px_node, network, 0);
PX_ABI_AT(px_node, prefix_length, 16);
PX_ABI_AT(px_node, child, 20);
PX_ABI_AT(px_node, first_segment, 28);
PX_ABI_AT(px_node, segment_count, 32);

PX_ABI_SIZE(px_name_node, 20);
PX_ABI_AT(px_name_node, domain, 0);
PX_ABI_AT(px_name_node, domain_length, 4);
PX_ABI_AT(px_name_node, below, 8);
PX_ABI_AT(px_name_node, first_segment, 12);
PX_ABI_AT(px_name_node, segment_count, 16);

PX_ABI_SIZE(px_name_server, 28);
PX_ABI_AT(px_name_server, address, 0);
PX_ABI_AT(px_name_server, port, 16);
PX_ABI_AT(px_name_server, first_via, 20);
PX_ABI_AT(px_name_server, via_count, 24);

PX_ABI_SIZE(px_segment, 12);
PX_ABI_AT(px_segment, key, 0);
PX_ABI_AT(px_segment, first_rule_id, 4);
PX_ABI_AT(px_segment, rule_id_count, 8);

PX_ABI_SIZE(px_rule, 12);
PX_ABI_AT(px_rule, action, 0);
PX_ABI_AT(px_rule, first_via, 4);
PX_ABI_AT(px_rule, via_count, 8);

PX_ABI_SIZE(px_entry, 56);
PX_ABI_AT(px_entry, source, 0);
PX_ABI_AT(px_entry, interface_index, 16);
PX_ABI_AT(px_entry, number, 20);
PX_ABI_AT(px_entry, flags, 24);
PX_ABI_AT(px_entry, mark, 28);
PX_ABI_AT(px_entry, first_reach, 32);
PX_ABI_AT(px_entry, reach_count, 36);
PX_ABI_AT(px_entry, interface, 40);

PX_ABI_SIZE(px_bundle_name, 20);
PX_ABI_AT(px_bundle_name, name, 0);
PX_ABI_AT(px_bundle_name, name_length, 4);
PX_ABI_AT(px_bundle_name, notation, 8);
PX_ABI_AT(px_bundle_name, notation_length, 12);
PX_ABI_AT(px_bundle_name, implicit, 16);

PX_ABI_SIZE(px_health_slot, 48);
PX_ABI_AT(px_health_slot, sequence, 0);
PX_ABI_AT(px_health_slot, address, 8);
PX_ABI_AT(px_health_slot, target, 24);
PX_ABI_AT(px_health_slot, owner, 32);
PX_ABI_AT(px_health_slot, until, 40);

PX_ABI_SIZE(px_health_table, 24584);
PX_ABI_AT(px_health_table, epoch, 0);
PX_ABI_AT(px_health_table, slots, 8);

PX_ABI_SIZE(px_file_header, 24696);
PX_ABI_AT(px_file_header, magic, 0);
PX_ABI_AT(px_file_header, layout_version, 4);
PX_ABI_AT(px_file_header, broker_instance, 8);
PX_ABI_AT(px_file_header, writing, 16);
PX_ABI_AT(px_file_header, published, 24);
PX_ABI_AT(px_file_header, recheck, 32);
PX_ABI_AT(px_file_header, heartbeat, 40);
PX_ABI_AT(px_file_header, profile, 48);
PX_ABI_AT(px_file_header, health, 112);
PX_ABI_ASSERT(sizeof(struct px_file_header) <= PX_HEADER_SIZE);

#undef PX_ABI_AT
#undef PX_ABI_SIZE
#undef PX_ABI_ASSERT
#ifdef __cplusplus
}  // namespace px::plan
#endif

#endif /* PX_PLAN_ABI_H */
