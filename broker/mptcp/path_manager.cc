// SPDX-License-Identifier: MIT
#include "broker/mptcp/path_manager.h"

#include <fcntl.h>

#include <fstream>
#include <string>

#include "util/fd.h"

namespace px::broker {
namespace {

constexpr char kMemory[] = "mptcp-path-manager";

struct Setting {
  const char* file;
  const char* userspace;
};
// The first that the kernel has: Linux 6.16 has names, Linux 5.19 had numbers.
constexpr Setting kSettings[] = {{"/proc/sys/net/mptcp/path_manager", "userspace"},
                                 {"/proc/sys/net/mptcp/pm_type", "1"}};

const char* userspace_of(const std::filesystem::path& setting) {
  return setting == kSettings[0].file ? kSettings[0].userspace : kSettings[1].userspace;
}

std::string first_line(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

// A sysctl takes its value in one write, and says there what is wrong with it.
Expected<void> write_setting(const std::filesystem::path& file, const std::string& value) {
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return fail_errno("cannot open " + file.string());
  if (::write(fd.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
    return fail_errno("cannot set " + file.string() + " to " + value);
  }
  return {};
}

}  // namespace

MptcpPathManager::MptcpPathManager(const std::filesystem::path& directory, bool may_change)
    : memory_(directory / kMemory), may_change_(may_change) {
  for (const Setting& setting : kSettings) {
    std::error_code ignored;
    if (setting_.empty() && std::filesystem::exists(setting.file, ignored)) {
      setting_ = setting.file;
    }
  }
}

Expected<void> MptcpPathManager::take() {
  if (setting_.empty()) {
    return fail("this kernel's MPTCP leaves nothing to the broker (Linux 5.19 does)");
  }
  const std::string before = first_line(setting_);
  if (before == userspace_of(setting_)) return {};
  if (!may_change_) {
    return fail("a private broker leaves MPTCP's path manager as it is; run pxd, or set " +
                setting_.string() + " to " + userspace_of(setting_));
  }
  std::ofstream stream(memory_, std::ios::trunc);
  stream << before << '\n';
  stream.close();
  if (!stream) return fail_errno("cannot write " + memory_.string());
  auto set = write_setting(setting_, userspace_of(setting_));
  if (!set) {
    std::error_code ignored;
    std::filesystem::remove(memory_, ignored);
  }
  return set;
}

Expected<void> MptcpPathManager::give_back() {
  const std::string before = first_line(memory_);
  if (before.empty()) return {};
  if (first_line(setting_) == userspace_of(setting_)) {
    PX_TRY(write_setting(setting_, before));
  }
  std::error_code ignored;
  std::filesystem::remove(memory_, ignored);
  return {};
}

}  // namespace px::broker
