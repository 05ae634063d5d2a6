// SPDX-License-Identifier: MIT
// A file of memory that the tests of the shim map as the programs do. Owns its descriptor and its
// mapping; one thread.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>

namespace px::shim {

class SharedFile {
 public:
  explicit SharedFile(std::size_t size) : size_(size), fd_(::memfd_create("px-test", MFD_CLOEXEC)) {
    EXPECT_EQ(::ftruncate(fd_, static_cast<off_t>(size)), 0);
    base_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    EXPECT_NE(base_, MAP_FAILED);
  }
  SharedFile(const SharedFile&) = delete;
  SharedFile& operator=(const SharedFile&) = delete;
  ~SharedFile() {
    ::munmap(base_, size_);
    ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::byte* base() const { return static_cast<std::byte*>(base_); }

 private:
  std::size_t size_;
  int fd_;
  void* base_;
};

}  // namespace px::shim
