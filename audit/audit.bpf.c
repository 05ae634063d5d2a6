// SPDX-License-Identifier: MIT
// Counts what the sockets of a cgroup send, by the process that made them. Two hooks: one notes who
// makes a socket, one sees each packet that leaves. Neither changes or drops anything.
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "audit/abi.h"

// As libc's headers have them, which are not for BPF.
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1

// Written by the loader before the programs are loaded.
const volatile struct px_audit_settings settings = {0};

// What is read of the kernel's own structures: the loader finds where the running kernel has it.
struct upid {
  int nr;
} __attribute__((preserve_access_index));
struct pid {
  unsigned level;
  struct upid numbers[1];
} __attribute__((preserve_access_index));
struct task_struct {
  struct task_struct* real_parent;
  struct task_struct* group_leader;
  struct pid* thread_pid;
} __attribute__((preserve_access_index));

struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  // Sockets that a listener accepts are its process's, too.
  __uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
  __type(key, int);
  __type(value, struct px_audit_socket);
} sockets SEC(".maps");

// By cookie: those from before the audit.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, PX_AUDIT_FLOWS);
  __type(key, __u64);
  __type(value, struct px_audit_socket);
} earlier SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, PX_AUDIT_FLOWS);
  __type(key, __u32);
  __type(value, __u32);
} processes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, PX_AUDIT_FLOWS);
  __type(key, struct px_audit_flow);
  __type(value, struct px_audit_count);
} flows SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} events SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, PX_AUDIT_LOSSES);
  __type(key, __u32);
  __type(value, __u64);
} losses SEC(".maps");

static __always_inline void lose(__u32 what, __u64 count) {
  __u64* lost = bpf_map_lookup_elem(&losses, &what);
  if (lost) __sync_fetch_and_add(lost, count);
}

// As the auditor's /proc numbers it; 0 for a process of a pid namespace further down.
static __always_inline __u32 current_process(void) {
  if (settings.pid_namespace_inode == 0) return bpf_get_current_pid_tgid() >> 32;
  struct bpf_pidns_info numbers = {0};
  if (bpf_get_ns_current_pid_tgid(settings.pid_namespace_device, settings.pid_namespace_inode, &numbers,
                                  sizeof numbers) != 0)
    return 0;
  return numbers.tgid;
}

// The auditor may come too late to ask /proc. A process has a number in its own pid namespace, and in
// each above; the parent's is taken at the level at which the auditor numbers this one.
static __always_inline __u32 current_parent(void) {
  const struct task_struct* task = (const void*)bpf_get_current_task();
  const unsigned own_level = BPF_CORE_READ(task, thread_pid, level);
  const unsigned level = settings.pid_namespace_inode == 0 ? 0 : own_level;
  const struct pid* parent = BPF_CORE_READ(task, real_parent, group_leader, thread_pid);
  if (level > BPF_CORE_READ(parent, level)) return 0;
  struct upid number = {0};
  const __u64 at = bpf_core_field_offset(parent->numbers) + level * bpf_core_type_size(struct upid);
  if (bpf_probe_read_kernel(&number.nr, sizeof number.nr,
                            (const char*)parent + at + bpf_core_field_offset(number.nr)) != 0)
    return 0;
  return number.nr;
}

static __always_inline void tell_of_process(__u32 pid) {
  const __u32 told = 1;
  if (bpf_map_update_elem(&processes, &pid, &told, BPF_NOEXIST) != 0) return;
  struct px_audit_event event = {.kind = PX_AUDIT_PROCESS, .pid = pid, .parent = current_parent()};
  bpf_get_current_comm(event.command, sizeof event.command);
  if (bpf_ringbuf_output(&events, &event, sizeof event, 0) != 0) lose(PX_AUDIT_LOST_EVENTS, 1);
}

SEC("cgroup/sock_create")
int socket_is_made(struct bpf_sock* made) {
  if (made->family != AF_INET && made->family != AF_INET6) return 1;
  struct px_audit_socket* socket =
      bpf_sk_storage_get(&sockets, made, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!socket) return 1;
  socket->pid = current_process();
  if (bpf_get_netns_cookie(made) != settings.own_network) socket->flags |= PX_AUDIT_FOREIGN;
  if (made->type != SOCK_STREAM || made->protocol == IPPROTO_SCTP)
    socket->flags |= PX_AUDIT_ACTIVE;
  tell_of_process(socket->pid);
  return 1;
}

struct ipv4_start {
  __u8 version_and_length, service;
  __u16 size, identifier, fragment;
  __u8 hops, protocol;
  __u16 checksum;
  __u8 source[4], destination[4];
};

struct ipv6_start {
  __u32 version_and_label;
  __u16 size;
  __u8 next, hops;
  __u8 source[16], destination[16];
};

// Where the transport's header begins; 0: not in this packet.
static __always_inline __u32 read_ipv4(struct __sk_buff* packet, struct px_audit_flow* flow) {
  struct ipv4_start ip;
  if (bpf_skb_load_bytes(packet, 0, &ip, sizeof ip) != 0) return 0;
  flow->protocol = ip.protocol;
  __builtin_memcpy(flow->destination, ip.destination, sizeof ip.destination);
  const int is_later_fragment = (bpf_ntohs(ip.fragment) & 0x1fff) != 0;
  return is_later_fragment ? 0 : (ip.version_and_length & 0xfu) * 4u;
}

static __always_inline __u32 read_ipv6(struct __sk_buff* packet, struct px_audit_flow* flow) {
  struct ipv6_start ip;
  if (bpf_skb_load_bytes(packet, 0, &ip, sizeof ip) != 0) return 0;
  __builtin_memcpy(flow->destination, ip.destination, sizeof ip.destination);
  __u32 at = sizeof ip;
  __u8 next = ip.next;
  // As many further headers as RFC 8200 recommends at most.
  for (int i = 0; i < 7; ++i) {
    if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS &&
        next != IPPROTO_FRAGMENT)
      break;
    __u8 head[4];
    if (bpf_skb_load_bytes(packet, at, head, sizeof head) != 0) return 0;
    const int is_later_fragment =
        next == IPPROTO_FRAGMENT && (((__u32)head[2] << 8 | head[3]) & 0xfff8u) != 0;
    at += next == IPPROTO_FRAGMENT ? 8u : (head[1] + 1u) * 8u;
    next = head[0];
    if (is_later_fragment) {
      at = 0;
      break;
    }
  }
  flow->protocol = next;
  return at;
}

// Whether it is the packet that begins a TCP connection.
static __always_inline int begins_connection(struct __sk_buff* packet, __u32 transport) {
  __u8 flags = 0;
  if (bpf_skb_load_bytes(packet, transport + 13, &flags, sizeof flags) != 0) return 0;
  return (flags & 0x12) == 0x02;  // SYN without ACK
}

static __always_inline void count(struct __sk_buff* packet, const struct px_audit_flow* flow) {
  // Of a packet that is cut later, on its way out.
  const __u64 packets = packet->gso_segs > 1 ? packet->gso_segs : 1;
  const struct px_audit_count none = {0};
  struct px_audit_count* counted = bpf_map_lookup_elem(&flows, flow);
  if (!counted) {
    if (bpf_map_update_elem(&flows, flow, &none, BPF_NOEXIST) == 0) {
      struct px_audit_event event = {.kind = PX_AUDIT_FLOW, .pid = flow->pid, .flow = *flow};
      if (bpf_ringbuf_output(&events, &event, sizeof event, 0) != 0) lose(PX_AUDIT_LOST_EVENTS, 1);
    }
    counted = bpf_map_lookup_elem(&flows, flow);
  }
  if (!counted) {
    lose(PX_AUDIT_LOST_PACKETS, packets);
    return;
  }
  __sync_fetch_and_add(&counted->packets, packets);
  __sync_fetch_and_add(&counted->bytes, packet->len);
}

static __always_inline struct px_audit_socket* maker_of(struct __sk_buff* packet) {
  struct bpf_sock* sender = packet->sk;
  if (sender) sender = bpf_sk_fullsock(sender);
  struct px_audit_socket* socket = sender ? bpf_sk_storage_get(&sockets, sender, 0, 0) : 0;
  if (socket) return socket;
  const __u64 cookie = bpf_get_socket_cookie(packet);
  return bpf_map_lookup_elem(&earlier, &cookie);
}

SEC("cgroup_skb/egress")
int packet_leaves(struct __sk_buff* packet) {
  struct px_audit_socket* socket = maker_of(packet);
  if (!socket && !settings.count_unknown) return 1;
  struct px_audit_flow flow = {.interface_index = packet->ifindex};
  __u8 first = 0;
  if (bpf_skb_load_bytes(packet, 0, &first, sizeof first) != 0) return 1;
  flow.ip_version = first >> 4;
  const __u32 transport =
      flow.ip_version == 4 ? read_ipv4(packet, &flow) : read_ipv6(packet, &flow);
  const int has_ports = flow.protocol == IPPROTO_TCP || flow.protocol == IPPROTO_UDP ||
                        flow.protocol == IPPROTO_SCTP || flow.protocol == IPPROTO_UDPLITE;
  if (transport != 0 && has_ports) {
    __u16 port = 0;
    if (bpf_skb_load_bytes(packet, transport + 2, &port, sizeof port) == 0)
      flow.port = bpf_ntohs(port);
    if (socket && flow.protocol == IPPROTO_TCP && begins_connection(packet, transport))
      socket->flags |= PX_AUDIT_ACTIVE;
  }
  if (socket) {
    flow.pid = socket->pid;
    flow.flags = socket->flags;
  } else {
    flow.flags = PX_AUDIT_UNKNOWN;
  }
  count(packet, &flow);
  return 1;
}

// Some helpers are for programs under the GPL alone.
char license_name[] SEC("license") = "Dual MIT/GPL";
