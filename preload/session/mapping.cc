// SPDX-License-Identifier: MIT
#include "preload/session/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "plan/plan.h"
#include "preload/process/file_state.h"

namespace px::shim {
namespace {

// The owner of a file that is large enough: a read behind the end of a mapped one is a SIGBUS.
std::optional<uid_t> owner_of(int fd, std::size_t size) {
  const auto state = file_state(fd);
  const bool fits = state && S_ISREG(state->st_mode) && state->st_size >= static_cast<off_t>(size);
  return fits ? std::optional(state->st_uid) : std::nullopt;
}

// Of a file in the directory of the plans, with its NUL.
using PlanPath = std::array<char, sizeof Settings::socket_path + sizeof plan::kPlanDirectory +
                                      sizeof Settings::profile + sizeof plan::kAllSocketsFile>;

PlanPath path_of(const Settings& settings, std::string_view name, std::string_view suffix) {
  const std::string_view socket(settings.socket_path.data());
  const std::size_t slash = socket.rfind('/');
  const std::string_view directory =
      slash == std::string_view::npos ? "./" : std::string_view(socket.data(), slash + 1);
  PlanPath path{};
  char* end = path.data();
  for (const std::string_view part :
       {directory, std::string_view(plan::kPlanDirectory), std::string_view("/"), name, suffix}) {
    end = std::copy(part.begin(), part.end(), end);
  }
  return path;
}

}  // namespace

int open_plan(const Settings& settings) {
  const auto path = path_of(settings, settings.profile.data(), plan::kPlanSuffix);
  return static_cast<int>(
      ::syscall(SYS_openat, AT_FDCWD, path.data(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
}

bool sockets_may_be_chosen(const Settings& settings) {
  const auto path = path_of(settings, plan::kAllSocketsFile, "");
  return ::syscall(SYS_faccessat, AT_FDCWD, path.data(), F_OK) == 0;
}

const void* map_plan(int fd, std::atomic<uid_t>* owner) {
  const auto found = owner_of(fd, plan::kFileSize);
  if (!found) return nullptr;
  void* base = ::mmap(nullptr, plan::kFileSize, PROT_READ, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return nullptr;
  if (plan::Plan::from_mapping(base, plan::kFileSize)) {
    owner->store(*found, std::memory_order_relaxed);
    return base;
  }
  unmap_plan(base);
  return nullptr;
}

void unmap_plan(const void* base) {
  ::munmap(const_cast<void*>(base), plan::kFileSize);
}

plan::Counters* map_counters(int fd, plan::Counters* place) {
  if (!owner_of(fd, plan::kCountersSize)) return nullptr;
  const int fixed = place != nullptr ? MAP_FIXED : 0;
  void* page =
      ::mmap(place, plan::kCountersSize, PROT_READ | PROT_WRITE, MAP_SHARED | fixed, fd, 0);
  return page == MAP_FAILED ? nullptr : static_cast<plan::Counters*>(page);
}

void unmap_counters(plan::Counters* counters) {
  ::munmap(counters, plan::kCountersSize);
}

}  // namespace px::shim
