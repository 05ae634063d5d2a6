// SPDX-License-Identifier: MIT
#include "cli/ctl/subject.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "cli/coverage/coverage.h"
#include "cli/locations.h"

namespace px::cli {
namespace {

std::optional<int> parse_pid(const std::string& text) {
  int pid = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, pid);
  if (error != std::errc() || stopped != end || pid <= 0) return std::nullopt;
  return pid;
}

// Whether libpx.so is in the process; nothing where we may not look.
std::optional<bool> has_library(const std::string& process) {
  std::ifstream maps(process + "/maps");
  if (!maps) return std::nullopt;
  bool any = false;
  for (std::string line; std::getline(maps, line); any = true) {
    if (line.ends_with("/libpx.so") || line.ends_with("/libpx.so (deleted)")) return true;
  }
  // Another user's process opens, and reads as empty.
  return any ? std::optional(false) : std::nullopt;
}

// Permitted ones, in whichever user namespace. False for a process that has gone.
bool has_capabilities(int pid) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = pid};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return false;
  return (sets[0].permitted | sets[1].permitted) != 0;
}

void examine_file(Subject& subject, const std::string& file) {
  const auto examination = examine(file, std::getenv("PATH"), current_caller());
  if (!examination) {
    subject.why = examination.error().message;
    return;
  }
  subject.covered = examination->covered();
  subject.why = examination->why;
}

Expected<Subject> running(const std::string& named, int pid) {
  const std::string process = "/proc/" + named;
  std::error_code error;
  if (!std::filesystem::exists(process, error)) return fail("there is no process " + named);
  Subject subject{named, pid, {}, {}, {}, has_capabilities(pid)};
  const auto file = std::filesystem::read_symlink(process + "/exe", error);
  if (!error) subject.file = file.string();
  subject.covered = has_library(process);
  if (!subject.covered) subject.why = "its memory map may not be looked at";
  if (subject.covered == false) {
    examine_file(subject, process + "/exe");
    subject.covered = false;
    if (subject.why.empty()) subject.why = "it was not started by px-exec";
  }
  return subject;
}

}  // namespace

Expected<Subject> find_subject(const std::string& named) {
  if (const auto pid = parse_pid(named)) return running(named, *pid);
  Subject subject;
  subject.named = named;
  const auto file = find_program(named, std::getenv("PATH"));
  if (file) {
    subject.file = absolute_path(*file);
    examine_file(subject, *file);
  } else {
    subject.why = file.error().message;
  }
  return subject;
}

nlohmann::json coverage_report(const Subject& subject) {
  using nlohmann::json;
  return {{"file", subject.file.empty() ? json() : json(subject.file)},
          {"covered", subject.covered ? json(*subject.covered) : json()},
          {"why", subject.why.empty() ? json() : json(subject.why)}};
}

std::string coverage_text(const Subject& subject, const Terminal& terminal) {
  std::string text = printable(subject.named);
  if (!subject.file.empty() && subject.file != subject.named)
    text += " (" + printable(subject.file) + ")";
  const std::string why = printable(subject.why);
  if (!subject.covered) {
    return text + ": " + toned("cannot be examined", Tone::kWarning, terminal) + " (" + why +
           "). Where px acts in it:\n";
  }
  const std::string library = subject.pid ? "runs with libpx.so" : "px can act in it";
  if (*subject.covered) return text + ": " + library + ".\n";
  return text + ": " + toned("px does not act in it", Tone::kBad, terminal) + ": " + why +
         ". It goes as the host routes it.\nFor a program that px acts in:\n";
}

}  // namespace px::cli
