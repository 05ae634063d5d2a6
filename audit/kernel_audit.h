// SPDX-License-Identifier: MIT
// Counting in the kernel what the sockets of a cgroup send: loads the BPF programs, attaches them,
// and reads what they have counted. The programs are gone when the object is, or its process. Needs
// CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN. For one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "audit/abi.h"
#include "util/error.h"

struct bpf_link;
struct bpf_map;
struct bpf_object;
struct ring_buffer;

namespace px::audit {

using Flow = px_audit_flow;
using Count = px_audit_count;
using Event = px_audit_event;

// Packets of sockets that no process was seen to make: the kernel's own, and those from before.
enum class UnknownSockets { kIgnored, kCounted };

class KernelAudit {
 public:
  using OnEvent = std::function<void(const Event& event)>;

  // From now on, for sockets that are made in the cgroup, or in one below it. `cgroup`: its
  // directory.
  [[nodiscard]] static Expected<KernelAudit> begin(int cgroup, UnknownSockets unknown,
                                                   OnEvent on_event);

  KernelAudit(KernelAudit&& other) noexcept;
  KernelAudit& operator=(KernelAudit&& other) noexcept;
  ~KernelAudit();

  // A socket from before, by its SO_COOKIE. Fails where there is no room.
  [[nodiscard]] Expected<void> add_earlier(std::uint64_t cookie, const px_audit_socket& socket);

  // Readable when an event is there.
  [[nodiscard]] int descriptor() const;
  // Calls on_event for each event that is there.
  void take_events();

  [[nodiscard]] std::vector<std::pair<Flow, Count>> flows() const;
  [[nodiscard]] std::uint64_t lost_packets() const;
  [[nodiscard]] std::uint64_t lost_events() const;

 private:
  struct Parts;
  explicit KernelAudit(std::unique_ptr<Parts> parts);
  [[nodiscard]] std::uint64_t loss(px_audit_loss what) const;

  std::unique_ptr<Parts> parts_;
};

}  // namespace px::audit
