// SPDX-License-Identifier: MIT
#include "audit/kernel_audit.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "audit/programs.h"
#include "util/fd.h"
#include "util/socket_option.h"

namespace px::audit {
namespace {

// /proc/self/ns/pid of the first pid namespace (linux/proc_ns.h).
constexpr ino_t kFirstPidNamespace = 0xEFFFFFFC;

using Settings = px_audit_settings;

struct CloseObject {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};
struct DestroyLink {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
struct FreeRing {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};

// The kernel tells of devices as it numbers them itself (new_encode_dev).
std::uint64_t kernel_device(dev_t device) {
  const std::uint64_t low = minor(device);
  return (low & 0xff) | (std::uint64_t{major(device)} << 8) | ((low & ~0xffULL) << 12);
}

Expected<Settings> settings_here(UnknownSockets unknown) {
  Settings settings{};
  settings.count_unknown = unknown == UnknownSockets::kCounted ? 1 : 0;
  const Fd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto network = socket_option<std::uint64_t>(any.get(), SOL_SOCKET, SO_NETNS_COOKIE);
  if (!network) return fail_errno("the kernel does not name this network namespace");
  settings.own_network = *network;
  struct stat pids {};
  if (stat("/proc/self/ns/pid", &pids) != 0) return fail_errno("/proc/self/ns/pid");
  if (pids.st_ino != kFirstPidNamespace) {
    settings.pid_namespace_device = kernel_device(pids.st_dev);
    settings.pid_namespace_inode = pids.st_ino;
  }
  return settings;
}

int keep_silent(libbpf_print_level /*level*/, const char* /*format*/, va_list /*arguments*/) {
  return 0;
}

Expected<void> fail_loading(int error) {
  if (error == EPERM || error == EACCES) {
    return fail(
        "the kernel lets nobody count packets but root (CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN): "
        "run it as root, for example by sudo");
  }
  return fail_errno("the kernel does not take the programs that count (it takes Linux 5.14 or later, with BTF)", error);
}

}  // namespace

struct KernelAudit::Parts {
  OnEvent on_event;
  std::unique_ptr<bpf_object, CloseObject> object{};
  std::unique_ptr<bpf_link, DestroyLink> links[2]{};
  std::unique_ptr<ring_buffer, FreeRing> ring{};

  [[nodiscard]] int map(const char* name) const {
    return bpf_object__find_map_fd_by_name(object.get(), name);
  }

  Expected<void> load(const Settings& settings) {
    libbpf_set_print(keep_silent);
    bpf_object_open_opts options{};
    options.sz = sizeof options;
    options.object_name = "px_audit";
    object.reset(bpf_object__open_mem(kProgramBytes, kProgramSize, &options));
    if (!object) return fail_errno("the programs that count cannot be read");
    bpf_map* constants = bpf_object__find_map_by_name(object.get(), ".rodata");
    std::size_t size = 0;
    // What it gives is libbpf's copy, which is to be written to (later versions say so in the type).
  void* place = constants == nullptr
                        ? nullptr
                        : const_cast<void*>(bpf_map__initial_value(constants, &size));
    if (place == nullptr || size < sizeof settings) return fail("the constants are missing");
    std::memcpy(place, &settings, sizeof settings);
    if (const int error = bpf_object__load(object.get()); error != 0) return fail_loading(-error);
    return {};
  }

  Expected<void> attach(int cgroup) {
    std::size_t index = 0;
    for (const char* name : {"packet_leaves", "socket_is_made"}) {
      bpf_program* program = bpf_object__find_program_by_name(object.get(), name);
      auto& link = links[index++];
      link.reset(bpf_program__attach_cgroup(program, cgroup));
      if (!link && (errno == EPERM || errno == EACCES)) return fail_loading(errno);
      if (!link) return fail_errno("cannot watch the cgroup");
    }
    return {};
  }
};

KernelAudit::KernelAudit(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
KernelAudit::KernelAudit(KernelAudit&& other) noexcept = default;
KernelAudit& KernelAudit::operator=(KernelAudit&& other) noexcept = default;
KernelAudit::~KernelAudit() = default;

Expected<KernelAudit> KernelAudit::begin(int cgroup, UnknownSockets unknown, OnEvent on_event) {
  PX_ASSIGN_OR_RETURN(const Settings settings, settings_here(unknown));
  auto parts = std::make_unique<Parts>(Parts{std::move(on_event)});
  PX_TRY(parts->load(settings));
  const auto take = [](void* context, void* data, std::size_t size) {
    Event event;
    if (size < sizeof event) return 0;
    std::memcpy(&event, data, sizeof event);
    static_cast<Parts*>(context)->on_event(event);
    return 0;
  };
  parts->ring.reset(ring_buffer__new(parts->map("events"), take, parts.get(), nullptr));
  if (!parts->ring) return fail_errno("cannot hear of what is counted");
  PX_TRY(parts->attach(cgroup));
  return KernelAudit(std::move(parts));
}

Expected<void> KernelAudit::add_earlier(std::uint64_t cookie, const px_audit_socket& socket) {
  if (bpf_map_update_elem(parts_->map("earlier"), &cookie, &socket, BPF_ANY) != 0)
    return fail_errno("cannot remember an open socket");
  return {};
}

int KernelAudit::descriptor() const {
  return ring_buffer__epoll_fd(parts_->ring.get());
}

void KernelAudit::take_events() {
  ring_buffer__consume(parts_->ring.get());
}

std::vector<std::pair<Flow, Count>> KernelAudit::flows() const {
  std::vector<std::pair<Flow, Count>> all;
  const int map = parts_->map("flows");
  Flow flow{};
  Flow* before = nullptr;
  Flow next{};
  while (bpf_map_get_next_key(map, before, &next) == 0) {
    Count count{};
    if (bpf_map_lookup_elem(map, &next, &count) == 0) all.emplace_back(next, count);
    flow = next;
    before = &flow;
  }
  return all;
}

std::uint64_t KernelAudit::loss(px_audit_loss what) const {
  const std::uint32_t key = what;
  std::uint64_t lost = 0;
  if (bpf_map_lookup_elem(parts_->map("losses"), &key, &lost) != 0) return 0;
  return lost;
}

std::uint64_t KernelAudit::lost_packets() const {
  return loss(PX_AUDIT_LOST_PACKETS);
}

std::uint64_t KernelAudit::lost_events() const {
  return loss(PX_AUDIT_LOST_EVENTS);
}

}  // namespace px::audit
