// SPDX-License-Identifier: MIT
#include "preload/bundles/listener_filters.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/unit/preload/shim_plan_fixture.h"

namespace px::shim {
namespace {

bundle::Bundle set_of(const std::vector<const char*>& members) {
  bundle::Bundle set;
  for (const char* member : members) {
    set.endpoints[set.count++] = {.address = address(member), .port = 8000};
  }
  return set;
}

bool admitted(const bundle::Bundle& set, const char* called, std::uint32_t scope = 0) {
  return admits(set, {.address = address(called), .scope = scope});
}

TEST(Admits, TheSetAndNothingElse) {
  const auto set = set_of({"10.0.0.1", "fd00::1"});
  EXPECT_TRUE(admitted(set, "10.0.0.1"));
  EXPECT_TRUE(admitted(set, "fd00::1"));
  EXPECT_TRUE(admitted(set, "::ffff:10.0.0.1"));
  EXPECT_FALSE(admitted(set, "10.0.0.2"));
  EXPECT_FALSE(admitted(set, "fd00::2"));
}

TEST(Admits, AWildcardStandsForItsFamily) {
  EXPECT_TRUE(admitted(set_of({"0.0.0.0", "fd00::1"}), "10.0.0.2"));
  EXPECT_FALSE(admitted(set_of({"0.0.0.0", "fd00::1"}), "fd00::2"));
  EXPECT_TRUE(admitted(set_of({"::", "10.0.0.1"}), "fd00::2"));
}

TEST(Admits, ALinkLocalAddressOnItsLink) {
  auto set = set_of({"fe80::1", "fd00::1"});
  EXPECT_TRUE(admitted(set, "fe80::1", 2));
  set.endpoints[0].scope = 3;
  EXPECT_FALSE(admitted(set, "fe80::1", 2));
  EXPECT_TRUE(admitted(set, "fe80::1", 3));
}

class ListenerFiltersTest : public testing::Test {
 protected:
  ~ListenerFiltersTest() override {
    for (const int fd : open_) ::close(fd);
  }

  int bound(const bundle::Bundle& set, bool* full = nullptr) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_GE(fd, 0);
    open_.push_back(fd);
    fds_->forget(fd);
    fds_->set_notes(fd, {.role = BundleRole::kBound});
    const auto place = listener_filters_->reserve();
    if (full != nullptr) *full = !place;
    if (place) listener_filters_->fill(*place, listener_filters_->cookie_of(fd), {.set = set});
    return fd;
  }

  std::unique_ptr<FdTable> fds_ = std::make_unique<FdTable>();
  std::unique_ptr<ListenerFilters> listener_filters_ =
      std::make_unique<ListenerFilters>(kBareSystemCalls, *fds_);
  std::vector<int> open_;
};

TEST_F(ListenerFiltersTest, KeepsEveryPartOfASet) {
  EXPECT_TRUE(listener_filters_->empty());
  auto set = set_of({"10.0.0.1", "fe80::1"});
  set.endpoints[1].scope = 0xfffffffe;
  const int fd = bound(set);
  EXPECT_FALSE(listener_filters_->empty());
  errno = 4711;
  const auto found = listener_filters_->find(fd);
  EXPECT_EQ(errno, 4711);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->set.count, 2u);
  EXPECT_EQ(found->set.endpoints[0].address, address("10.0.0.1"));
  EXPECT_EQ(found->set.endpoints[0].port, 8000);
  EXPECT_EQ(found->set.endpoints[1].address, address("fe80::1"));
  EXPECT_EQ(found->set.endpoints[1].scope, 0xfffffffe);
  EXPECT_FALSE(found->in_kernel);
}

TEST_F(ListenerFiltersTest, TheSocketCountsNotTheNumber) {
  const int fd = bound(set_of({"10.0.0.1", "10.0.0.2"}));
  const int copy = ::dup(fd);
  const int other = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_TRUE(listener_filters_->find(copy));
  ASSERT_EQ(::dup2(other, fd), fd);
  EXPECT_FALSE(listener_filters_->find(fd));
  EXPECT_FALSE(listener_filters_->find(-1));
  EXPECT_TRUE(listener_filters_->find(copy));
  ::close(copy);
  ::close(other);
}

TEST_F(ListenerFiltersTest, AForkedChildHasThemToo) {
  const int fd = bound(set_of({"10.0.0.1", "10.0.0.2"}));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(listener_filters_->find(fd) ? 0 : 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(ListenerFiltersTest, AFullTableTakesNoMoreUntilOneIsClosed) {
  bool full = false;
  for (std::size_t i = 0; i < ListenerFilters::kSize; ++i) {
    bound(set_of({"10.0.0.1", "10.0.0.2"}), &full);
    ASSERT_FALSE(full) << i;
  }
  const int first = open_.front();
  const int copy = ::dup(first);
  fds_->duplicated(first, copy);
  bound(set_of({"10.0.0.3", "10.0.0.4"}), &full);
  EXPECT_TRUE(full);

  ::close(first);
  const int without = bound(set_of({"10.0.0.3", "10.0.0.4"}), &full);  // has the number of `first`
  EXPECT_EQ(without, first);
  EXPECT_TRUE(full) << "a copy is still there";
  ::close(copy);
  fds_->forget(copy);
  const int with = bound(set_of({"10.0.0.3", "10.0.0.4"}), &full);
  EXPECT_FALSE(full);
  EXPECT_EQ(listener_filters_->find(with)->set.endpoints[0].address, address("10.0.0.3"));
  EXPECT_TRUE(listener_filters_->find(open_[1]));
  std::erase(open_, first);
}

TEST_F(ListenerFiltersTest, WhatIsLeftIsFree) {
  for (std::size_t i = 0; i < 2 * ListenerFilters::kSize; ++i) {
    const auto place = listener_filters_->reserve();
    ASSERT_TRUE(place);
    listener_filters_->leave(*place);
  }
}

TEST_F(ListenerFiltersTest, ThreadsFindTheirOwn) {
  std::atomic<int> wrong{0};
  const auto work = [&](const char* own) {
    for (int i = 0; i < 500; ++i) {
      const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
      fds_->set_notes(fd, {.role = BundleRole::kBound});
      const auto place = listener_filters_->reserve();
      if (place)
        listener_filters_->fill(*place, listener_filters_->cookie_of(fd), {.set = set_of({own})});
      const auto found = listener_filters_->find(fd);
      if (!found || found->set.endpoints[0].address != address(own)) ++wrong;
      fds_->forget(fd);
      ::close(fd);
    }
  };
  std::thread first(work, "10.0.0.1");
  std::thread second(work, "10.0.0.2");
  first.join();
  second.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace px::shim
