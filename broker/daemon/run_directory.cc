// SPDX-License-Identifier: MIT
#include "broker/daemon/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "broker/routing/routing.h"
#include "plan/layout.h"

namespace px::broker {
namespace {

constexpr char kLockName[] = "pxd.lock";

bool maps(const std::filesystem::path& process, const std::string& path) {
  std::ifstream file(process / "maps");
  for (std::string line; std::getline(file, line);) {
    if (line.find(path) != std::string::npos) return true;
  }
  return false;
}

bool is_number(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Expected<RunDirectory> RunDirectory::acquire(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return fail("cannot make " + path.string() + ": " + error.message());
  const auto name = path / kLockName;
  Fd lock(open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return fail_errno("cannot open " + name.string());
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail("another broker is running in " + path.string());
    return fail_errno("cannot lock " + name.string());
  }
  return RunDirectory(path, std::move(lock));
}

bool RunDirectory::plans_in_use() const {
  const std::string plans = (path_ / plan::kPlanDirectory).string() + "/";
  const std::string self = std::to_string(getpid());
  std::error_code ignored;
  for (const auto& process : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto name = process.path().filename().string();
    if (is_number(name) && name != self && maps(process.path(), plans)) return true;
  }
  return false;
}

void RunDirectory::remove() const {
  std::error_code ignored;
  std::filesystem::remove_all(path_ / plan::kPlanDirectory, ignored);
  std::filesystem::remove(path_ / kMarksFile, ignored);
  std::filesystem::remove(path_ / kLockName, ignored);
  std::filesystem::remove(path_, ignored);
}

}  // namespace px::broker
