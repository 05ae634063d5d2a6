// SPDX-License-Identifier: MIT
#include "broker/daemon/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>

#include "broker/routing/routing.h"
#include "plan/layout.h"
#include "util/process_id.h"

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

// What is written there must be nobody else's to replace, and nowhere else: no link is followed.
Expected<Fd> open_own(const std::filesystem::path& path) {
  if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    return fail_errno("cannot make " + path.string());
  }
  Fd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!directory) {
    if (errno == ELOOP || errno == ENOTDIR) {
      return fail(path.string() +
                  " is no directory of its own, but a link or a file; say where to "
                  "serve with --socket");
    }
    return fail_errno("cannot open " + path.string());
  }
  struct stat status {};
  if (fstat(directory.get(), &status) != 0) return fail_errno(path.string());
  if (status.st_uid != geteuid() && status.st_uid != 0) {
    return fail(path.string() + " is another user's directory (" + std::to_string(status.st_uid) +
                "); serve elsewhere with --socket");
  }
  if ((status.st_mode & S_IWOTH) != 0) {
    return fail("every user may write to " + path.string() +
                "; serve in a directory of the broker's own with --socket");
  }
  return directory;
}

}  // namespace

Expected<RunDirectory> RunDirectory::acquire(const std::filesystem::path& path) {
  std::error_code error;
  const auto above = path.parent_path();
  if (!above.empty()) std::filesystem::create_directories(above, error);
  if (error) return fail("cannot make " + above.string() + ": " + error.message());
  PX_ASSIGN_OR_RETURN(const Fd directory, open_own(path));
  const auto name = path / kLockName;
  Fd lock(openat(directory.get(), kLockName, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
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
    if (is_process_id(name) && name != self && maps(process.path(), plans)) return true;
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
