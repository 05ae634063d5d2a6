// SPDX-License-Identifier: MIT
#include "preload/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "plan/plan.h"

namespace px::shim {
namespace {

// What is read behind the end of a file is a SIGBUS.
bool is_large_enough(int fd, std::size_t size) {
  struct stat status;
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
         status.st_size >= static_cast<off_t>(size);
}

}  // namespace

int open_plan(const Settings& settings) {
  const std::string_view socket(settings.socket_path.data());
  const std::size_t slash = socket.rfind('/');
  const std::string_view directory =
      slash == std::string_view::npos ? "./" : std::string_view(socket.data(), slash + 1);
  std::array<char, sizeof settings.socket_path + sizeof plan::kPlanDirectory +
                       sizeof settings.profile + sizeof plan::kPlanSuffix>
      path{};
  char* end = path.data();
  for (const std::string_view part :
       {directory, std::string_view(plan::kPlanDirectory), std::string_view("/"),
        std::string_view(settings.profile.data()), std::string_view(plan::kPlanSuffix)}) {
    end = std::copy(part.begin(), part.end(), end);
  }
  return static_cast<int>(
      ::syscall(SYS_openat, AT_FDCWD, path.data(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
}

const void* map_plan(int fd) {
  if (!is_large_enough(fd, plan::kFileSize)) return nullptr;
  void* base = ::mmap(nullptr, plan::kFileSize, PROT_READ, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return nullptr;
  if (plan::Plan::from_mapping(base, plan::kFileSize)) return base;
  unmap_plan(base);
  return nullptr;
}

void unmap_plan(const void* base) {
  ::munmap(const_cast<void*>(base), plan::kFileSize);
}

plan::Counters* map_counters(int fd, plan::Counters* place) {
  if (!is_large_enough(fd, plan::kCountersSize)) return nullptr;
  const int fixed = place != nullptr ? MAP_FIXED : 0;
  void* page =
      ::mmap(place, plan::kCountersSize, PROT_READ | PROT_WRITE, MAP_SHARED | fixed, fd, 0);
  return page == MAP_FAILED ? nullptr : static_cast<plan::Counters*>(page);
}

void unmap_counters(plan::Counters* counters) {
  ::munmap(counters, plan::kCountersSize);
}

}  // namespace px::shim
