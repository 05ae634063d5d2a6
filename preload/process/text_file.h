// SPDX-License-Identifier: MIT
// The lines of a small text file, read as libc's resolver reads its own, by bare system calls: they
// are no cancellation points. Closed at the end of the scope. Callable from any thread; may change
// errno.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace px::shim {

class TextFile {
 public:
  // A file that cannot be read has no lines.
  explicit TextFile(const char* path);
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  ~TextFile();

  // The next line, without its end and cut after 511 bytes, until the next call; nothing behind the
  // last.
  [[nodiscard]] std::optional<std::string_view> next_line();

 private:
  [[nodiscard]] bool fill();

  int fd_;
  std::array<char, 512> buffer_{};
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::array<char, 512> line_{};
};

// Takes the first word off the text; empty where there is none. Words stand between spaces and
// tabs.
[[nodiscard]] std::string_view take_word(std::string_view* text);

}  // namespace px::shim
