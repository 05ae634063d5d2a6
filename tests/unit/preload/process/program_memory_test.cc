// SPDX-License-Identifier: MIT
#include "preload/process/program_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <thread>

namespace px::shim {
namespace {

constexpr std::size_t kPage = 4096;

// Two pages, of which the second can be taken away.
class ProgramMemory : public testing::Test {
 protected:
  ProgramMemory() {
    void* pages =
        ::mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(pages, MAP_FAILED);
    pages_ = static_cast<char*>(pages);
    errno = 4711;
  }
  ~ProgramMemory() override {
    EXPECT_EQ(errno, 4711);
    ::munmap(pages_, 2 * kPage);
  }
  void protect_second(int protection) {
    EXPECT_EQ(::mprotect(pages_ + kPage, kPage, protection), 0);
  }
  char* pages_ = nullptr;
};

TEST_F(ProgramMemory, IsThere) {
  EXPECT_TRUE(can_read(pages_, 2 * kPage));
  EXPECT_TRUE(can_write(pages_, 2 * kPage));
  EXPECT_TRUE(can_read(pages_ + 1, 7));
  EXPECT_TRUE(can_write(pages_ + 2 * kPage - 1, 1));
}

TEST_F(ProgramMemory, IsLeftAsItWas) {
  for (std::size_t i = 0; i < 2 * kPage; ++i) pages_[i] = static_cast<char>(i * 7);
  EXPECT_TRUE(can_write(pages_, 2 * kPage));
  for (std::size_t i = 0; i < 2 * kPage; ++i) ASSERT_EQ(pages_[i], static_cast<char>(i * 7));
}

TEST_F(ProgramMemory, EndsAtAnEdge) {
  protect_second(PROT_NONE);
  EXPECT_TRUE(can_read(pages_, kPage));
  EXPECT_FALSE(can_read(pages_, kPage + 1));
  EXPECT_TRUE(can_write(pages_ + kPage - 4, 4));
  EXPECT_FALSE(can_write(pages_ + kPage - 4, 5));
  EXPECT_FALSE(can_read(pages_ + kPage, 1));
}

TEST_F(ProgramMemory, CanBeReadAndNotWritten) {
  protect_second(PROT_READ);
  EXPECT_TRUE(can_read(pages_, 2 * kPage));
  EXPECT_FALSE(can_write(pages_, 2 * kPage));
  EXPECT_FALSE(can_write(pages_ + kPage + 100, 4));
}

TEST_F(ProgramMemory, IsNowhere) {
  for (const std::uintptr_t place : {std::uintptr_t{0}, std::uintptr_t{1}, std::uintptr_t{16},
                                     std::uintptr_t{kPage - 1}, UINTPTR_MAX - kPage, UINTPTR_MAX}) {
    const auto* memory = reinterpret_cast<const void*>(place);
    EXPECT_FALSE(can_read(memory, 1)) << place;
    EXPECT_FALSE(can_write(memory, 1)) << place;
    EXPECT_FALSE(can_read(memory, 16)) << place;
  }
  EXPECT_FALSE(can_read(pages_, SIZE_MAX)) << "it would begin anew";
}

TEST_F(ProgramMemory, OfNoBytesIsAnywhere) {
  EXPECT_TRUE(can_read(nullptr, 0));
  EXPECT_TRUE(can_write(nullptr, 0));
}

TEST_F(ProgramMemory, IsTheStackOfAnyThread) {
  std::array<char, 3 * kPage> here;
  EXPECT_TRUE(can_write(here.data(), here.size()));
  std::thread([] {
    std::array<char, 3 * kPage> there;
    EXPECT_TRUE(can_write(there.data(), there.size()));
  }).join();
}

TEST_F(ProgramMemory, IsNotAskedForUnderAFilter) {
  protect_second(PROT_NONE);
  const pid_t child = ::fork();
  if (child == 0) {
    trust_memory();
    const bool trusts = can_read(pages_ + kPage, 1) && can_write(pages_, 2 * kPage);
    ::_exit(trusts && !can_read(nullptr, 1) && !can_write(nullptr, 8) ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  errno = 4711;
}

TEST_F(ProgramMemory, OfTheMainThreadEndsWithItsStack) {
  set_stack_end(environ);
  EXPECT_TRUE(can_read(environ, sizeof *environ));
  EXPECT_FALSE(can_read(environ, std::size_t{1} << 40));
  set_stack_end(nullptr);
}

}  // namespace
}  // namespace px::shim
