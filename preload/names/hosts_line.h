// SPDX-License-Identifier: MIT
// The `hosts:` line of nsswitch.conf(5) for this process alone. Under a profile with name servers
// of its own, px stands in it where `dns` and `resolve` stood, so that libc's own code does
// everything but the question itself, and asks nobody else. Where only some names are the
// profile's, it stands before them. A program without such a profile is not touched. One static
// instance; callable wherever getaddrinfo(3) is, from any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "plan/names.h"
#include "preload/process/settings.h"

namespace px::shim {

inline constexpr std::size_t kHostsLineSize = 512;  // with its NUL
// libc's own, where the file has none.
inline constexpr std::string_view kDefaultHostsLine = "dns [!UNAVAIL=return] files";

// The services of a system's line that ask no name server, where they stand, and px in the place of
// the first of all others, or at the end; under kSomeOfProfile the others stay behind it. Ends with
// a NUL; empty where there is no room.
[[nodiscard]] std::string_view hosts_line_with_px(std::string_view line, plan::NamesFrom from,
                                                  std::span<char, kHostsLineSize> buffer);

class HostsLine {
 public:
  using Configure = int (*)(const char* database, const char* line);

  constexpr HostsLine(const Settings& settings, Configure configure, const char* file)
      : settings_(settings), configure_(configure), file_(file) {}

  // Has the line be px's, or for kHost the system's again; false where libc does not take it, and a
  // lookup would ask others.
  [[nodiscard]] bool follow(plan::NamesFrom from);

 private:
  [[nodiscard]] bool set(plan::NamesFrom from);

  const Settings& settings_;
  const Configure configure_;
  const char* const file_;
  std::atomic<plan::NamesFrom> line_{plan::NamesFrom::kHost};
};

}  // namespace px::shim
