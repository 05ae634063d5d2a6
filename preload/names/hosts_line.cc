// SPDX-License-Identifier: MIT
#include "preload/names/hosts_line.h"

#include <algorithm>

#include "preload/process/system_calls.h"
#include "preload/process/text_file.h"

namespace px::shim {
namespace {

// A failure for the moment ends it: a later service's "not found" would say that there is no such
// name.
constexpr std::string_view kPx = "px [TRYAGAIN=return]";
// What is the profile's is asked of nobody else, whatever px says of it.
constexpr std::string_view kPxFirst = "px [!UNAVAIL=return]";
constexpr std::string_view kSpace = " \t";

// Services that ask no name server: what this host knows, and its own link.
bool stays(std::string_view service) {
  constexpr std::string_view kStay[] = {"files",      "db",      "myhostname",
                                        "mymachines", "libvirt", "libvirt_guest"};
  return service.starts_with("mdns") ||
         std::find(std::begin(kStay), std::end(kStay), service) != std::end(kStay);
}

// The next service with the actions behind it: "resolve [!UNAVAIL=return]".
std::string_view take_service(std::string_view* line) {
  line->remove_prefix(std::min(line->find_first_not_of(kSpace), line->size()));
  const std::string_view all = *line;
  std::size_t end = std::min(all.find_first_of(" \t["), all.size());
  for (;;) {
    const std::size_t next = all.find_first_not_of(kSpace, end);
    if (next == all.npos || all[next] != '[') break;
    const std::size_t close = all.find(']', next);
    end = close == all.npos ? all.size() : close + 1;
  }
  line->remove_prefix(end);
  return all.substr(0, end);
}

// A line in the making.
class Writer {
 public:
  explicit Writer(std::span<char, kHostsLineSize> buffer) : buffer_(buffer) {}

  void add(std::string_view service) {
    const bool first = length_ == 0;
    fits_ = fits_ && length_ + service.size() + 2 <= buffer_.size();
    if (!fits_) return;
    if (!first) buffer_[length_++] = ' ';
    service.copy(buffer_.data() + length_, service.size());
    length_ += service.size();
  }
  std::string_view finish() {
    if (!fits_) length_ = 0;
    buffer_[length_] = '\0';
    return {buffer_.data(), length_};
  }

 private:
  std::span<char, kHostsLineSize> buffer_;
  std::size_t length_ = 0;
  bool fits_ = true;
};

// The services behind "hosts:" in the system's file.
std::string_view system_line(const char* path, std::span<char, kHostsLineSize> buffer) {
  TextFile file(path);
  std::string_view found = kDefaultHostsLine;
  while (auto line = file.next_line()) {
    std::string_view text = line->substr(0, line->find('#'));
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    if (!text.starts_with("hosts")) continue;
    text.remove_prefix(std::string_view("hosts").size());
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    if (!text.starts_with(':')) continue;
    text.remove_prefix(1);
    text.copy(buffer.data(), text.size());
    found = {buffer.data(), text.size()};
  }
  return found;
}

}  // namespace

std::string_view hosts_line_with_px(std::string_view line, plan::NamesFrom from,
                                    std::span<char, kHostsLineSize> buffer) {
  const bool some = from == plan::NamesFrom::kSomeOfProfile;
  const std::string_view px = some ? kPxFirst : kPx;
  Writer writer(buffer);
  bool has_px = false;
  for (std::string_view service = take_service(&line); !service.empty();
       service = take_service(&line)) {
    if (stays(service.substr(0, service.find_first_of(" \t[")))) {
      writer.add(service);
      continue;
    }
    if (!has_px) writer.add(px);
    has_px = true;
    if (some) writer.add(service);
  }
  if (!has_px) writer.add(px);
  return writer.finish();
}

bool HostsLine::follow(plan::NamesFrom from) {
  if (line_.load(std::memory_order_acquire) == from) return true;
  const KeepErrno keep;
  if (!set(from)) return false;
  line_.store(from, std::memory_order_release);
  return true;
}

bool HostsLine::set(plan::NamesFrom from) {
  std::array<char, kHostsLineSize> system{};
  std::array<char, kHostsLineSize> text{};
  // A filter of system calls may not let the file be read.
  std::string_view line =
      is_filtered(settings_) ? std::string_view("files dns") : system_line(file_, system);
  if (from != plan::NamesFrom::kHost) {
    line = hosts_line_with_px(line, from, text);
    return !line.empty() && configure_("hosts", line.data()) == 0;
  }
  const std::size_t length = std::min(line.size(), text.size() - 1);
  line.copy(text.data(), length);
  return configure_("hosts", text.data()) == 0;
}

}  // namespace px::shim
