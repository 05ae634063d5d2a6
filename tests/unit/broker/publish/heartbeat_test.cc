// SPDX-License-Identifier: MIT
#include "broker/publish/heartbeat.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <asio/io_context.hpp>

#include "broker/publish/publisher.h"
#include "plan/file_header.h"
#include "tests/unit/support/temporary_files.h"

namespace px::broker {
namespace {

TEST(Heartbeat, IsInEveryPlanAtItsInterval) {
  const TemporaryFiles files;
  auto publisher = Publisher::open(files.directory());
  ASSERT_TRUE(publisher);
  const auto policy = parse_policy("version: 1\nprofiles: { work: }\n", "px.yaml");
  ASSERT_TRUE(policy && publisher->publish(*policy, {}, {}));
  void* mapping = mmap(nullptr, plan::kHeaderSize, PROT_READ, MAP_SHARED,
                       publisher->find("work")->read_only_fd(), 0);
  ASSERT_NE(mapping, MAP_FAILED);
  const auto& beat = static_cast<const plan::FileHeader*>(mapping)->heartbeat;

  asio::io_context context;
  Heartbeat heartbeat(context, *publisher);
  EXPECT_EQ(beat.load(), 0u);
  heartbeat.start();
  const std::uint64_t first = beat.load();
  EXPECT_NE(first, 0u);
  EXPECT_EQ(context.run_one(), 1u);
  EXPECT_GE(beat.load(), first + plan::kHeartbeatIntervalMs / 2);
  munmap(mapping, plan::kHeaderSize);
}

}  // namespace
}  // namespace px::broker
