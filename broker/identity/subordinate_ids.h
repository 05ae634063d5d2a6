// SPDX-License-Identifier: MIT
// Whose quota a user counts against: one person may run programs as any of the 65,536 subordinate
// users that subuid(5) lends to each account. Reads files alone, and again once they have changed:
// a name service could block. Owned by the daemon; single-threaded.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>

namespace px::broker {

class SubordinateIds {
 public:
  explicit SubordinateIds(std::filesystem::path ranges = "/etc/subuid",
                          std::filesystem::path names = "/etc/passwd");

  // The user whom this one is lent to; any other user itself. What is lent to root stays apart from
  // root, and is one user like what is lent to a name that the files do not know.
  [[nodiscard]] uid_t owner_of(uid_t user);

 private:
  struct Range {
    std::uint64_t end;  // behind the last
    uid_t owner;
  };
  struct Version {
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    std::uint64_t inode = 0;
    std::int64_t size = -1;
    friend bool operator==(const Version&, const Version&) = default;
  };
  [[nodiscard]] static Version version_of(const std::filesystem::path& file);
  void read();

  std::filesystem::path file_;
  std::filesystem::path names_;
  Version read_;
  std::map<uid_t, Range> ranges_;  // by the first
};

}  // namespace px::broker
