// SPDX-License-Identifier: MIT
#include "preload/process/text_file.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace px::shim {

TextFile::TextFile(const char* path)
    : fd_(static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC))) {}

TextFile::~TextFile() {
  if (fd_ >= 0) ::syscall(SYS_close, fd_);
}

bool TextFile::fill() {
  if (at_ < end_) return true;
  if (fd_ < 0) return false;
  const long count = ::syscall(SYS_read, fd_, buffer_.data(), buffer_.size());
  at_ = 0;
  end_ = count > 0 ? static_cast<std::size_t>(count) : 0;
  return end_ != 0;
}

std::optional<std::string_view> TextFile::next_line() {
  std::size_t length = 0;
  bool any = false;
  while (fill()) {
    any = true;
    const char c = buffer_[at_++];
    if (c == '\n') break;
    if (length + 1 < line_.size()) line_[length++] = c;
  }
  if (!any) return std::nullopt;
  return std::string_view(line_.data(), length);
}

std::string_view take_word(std::string_view* text) {
  constexpr std::string_view kSpace = " \t";
  const std::size_t begin = text->find_first_not_of(kSpace);
  if (begin == text->npos) {
    *text = {};
    return {};
  }
  text->remove_prefix(begin);
  const std::string_view word = text->substr(0, text->find_first_of(kSpace));
  text->remove_prefix(word.size());
  return word;
}

}  // namespace px::shim
