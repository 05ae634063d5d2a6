// SPDX-License-Identifier: MIT
// The plan file as programs see it: whole, kept over brokers, never half of two plans.
#include "broker/publish/plan_file.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "tests/unit/plan/plan_fixture.h"

namespace px::broker {
namespace {

class PlanFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "px-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<PlanFile> open() {
    auto file = PlanFile::open(directory_, "test");
    EXPECT_TRUE(file) << (file ? "" : file.error().message);
    return file ? std::move(*file) : nullptr;
  }

  void publish(PlanFile& file, const std::vector<Rule>& rules) {
    const auto prepared = file.prepare(plan_of(policy_of(profile_of(rules)), host()));
    ASSERT_TRUE(prepared) << prepared.error().message;
    file.commit();
  }

  std::filesystem::path directory_;
};

// As a program maps it.
class Mapping {
 public:
  explicit Mapping(const std::filesystem::path& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    base_ = mmap(nullptr, plan::kFileSize, PROT_READ, MAP_SHARED, fd.get(), 0);
    EXPECT_NE(base_, MAP_FAILED);
  }
  ~Mapping() { munmap(base_, plan::kFileSize); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  plan::Plan plan() const { return *plan::Plan::from_mapping(base_, plan::kFileSize); }

 private:
  void* base_;
};

TEST_F(PlanFileTest, NothingPublishedFailsClosed) {
  const auto file = open();
  EXPECT_EQ(file->plan().decide(call_to("8.8.8.8"), 0).reason, plan::Reason::kNoPlan);
  EXPECT_EQ(file->plan().decide(call_to("8.8.8.8"), 0).action, plan::Action::kFail);
}

TEST_F(PlanFileTest, ReadersSeeThePlanCommittedLast) {
  const auto file = open();
  publish(*file, {block("any")});
  const Mapping program(directory_ / "test.plan");
  EXPECT_EQ(program.plan().decide(call_to("8.8.8.8"), 0).action, plan::Action::kRefuse);
  publish(*file, {via("any", {"lan"})});
  EXPECT_EQ(program.plan().decide(call_to("8.8.8.8"), 0).action, plan::Action::kVia);
  EXPECT_EQ(program.plan().generation(), 2u);
}

TEST_F(PlanFileTest, WhatIsOnlyPreparedIsNotInForce) {
  const auto file = open();
  publish(*file, {block("any")});
  const auto prepared =
      file->prepare(plan_of(policy_of(profile_of({via("any", {"lan"})})), host()));
  ASSERT_TRUE(prepared && *prepared);
  EXPECT_EQ(file->plan().decide(call_to("8.8.8.8"), 0).action, plan::Action::kRefuse);
}

TEST_F(PlanFileTest, TheSamePlanIsNotPublishedAgain) {
  const auto file = open();
  publish(*file, {block("any")});
  publish(*file, {block("any")});
  EXPECT_EQ(file->plan().generation(), 1u);
}

TEST_F(PlanFileTest, AnotherBrokerGoesOnWithTheSameFile) {
  auto first = open();
  publish(*first, {block("any")});
  const Mapping program(directory_ / "test.plan");
  first.reset();
  EXPECT_EQ(program.plan().decide(call_to("8.8.8.8"), 0).action, plan::Action::kRefuse);
  const auto second = open();
  publish(*second, {via("any", {"lte"})});
  second->announce(77);
  EXPECT_EQ(program.plan().decide(call_to("8.8.8.8"), 0).action, plan::Action::kVia);
  EXPECT_EQ(program.plan().generation(), 2u);
  EXPECT_EQ(program.plan().broker_instance(), 77u);
}

TEST_F(PlanFileTest, WhatIsNoPlanFileIsReplaced) {
  std::ofstream(directory_ / "test.plan") << "something else";
  const auto file = open();
  publish(*file, {block("any")});
  EXPECT_EQ(file->plan().decide(call_to("8.8.8.8"), 0).action, plan::Action::kRefuse);
}

TEST_F(PlanFileTest, ALinkIsReplacedNotFollowed) {
  std::ofstream(directory_ / "victim") << "precious";
  std::filesystem::create_symlink(directory_ / "victim", directory_ / "test.plan");
  const auto file = open();
  publish(*file, {block("any")});
  EXPECT_EQ(std::filesystem::file_size(directory_ / "victim"), 8u);
  EXPECT_FALSE(std::filesystem::is_symlink(directory_ / "test.plan"));
}

TEST_F(PlanFileTest, OnLossIsNoticedByTheHeartbeat) {
  const auto file = open();
  Policy policy = policy_of(profile_of({via("any", {"lan"})}));
  const auto decide = [&](plan::OnLoss on_loss, std::uint64_t now) {
    policy.on_loss = on_loss;
    EXPECT_TRUE(file->prepare(plan_of(policy, host())));
    file->commit();
    file->beat(1000);
    EXPECT_EQ(file->plan().needs_time(), on_loss != plan::OnLoss::kLastKnown);
    return file->plan().decide(call_to("8.8.8.8"), now).action;
  };
  const std::uint64_t late = 1001 + plan::kHeartbeatLostMs;
  EXPECT_EQ(decide(plan::OnLoss::kLastKnown, late), plan::Action::kVia);
  EXPECT_EQ(decide(plan::OnLoss::kBlock, late), plan::Action::kFail);
  EXPECT_EQ(decide(plan::OnLoss::kSystem, late), plan::Action::kSystem);
  EXPECT_EQ(decide(plan::OnLoss::kBlock, late - 1), plan::Action::kVia);
}

// A broker that has begun to write into the half that is being read: whatever stands there may be
// half of two plans, so it must not be decided on.
TEST_F(PlanFileTest, AHalfThatIsBeingOverwrittenIsNotDecidedOn) {
  const auto file = open();
  publish(*file, {via("any", {"lan"})});
  const Fd fd(::open((directory_ / "test.plan").c_str(), O_RDWR | O_CLOEXEC));
  void* base = mmap(nullptr, plan::kHeaderSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  ASSERT_NE(base, MAP_FAILED);
  auto& header = *static_cast<plan::FileHeader*>(base);
  header.writing = header.published + 1;
  EXPECT_EQ(file->plan().decide(call_to("8.8.8.8"), 0).action, plan::Action::kVia);
  header.writing = header.published + 2;
  EXPECT_EQ(file->plan().decide(call_to("8.8.8.8"), 0).reason, plan::Reason::kNoPlan);
  munmap(base, plan::kHeaderSize);
}

// Two plans that differ in everything a decision reads. A mixture would show as a rule index of
// the one with an interface of the other.
TEST_F(PlanFileTest, DecisionsNeverMixTwoPlans) {
  const auto file = open();
  const auto small = plan_of(policy_of(profile_of({via("8.0.0.0/8", {"lan"})})), host());
  std::vector<Rule> many;
  for (int i = 0; i < 200; ++i) many.push_back(block("172." + std::to_string(i) + ".0.0/16"));
  many.push_back(via("8.8.0.0/16", {"lte"}));
  const auto large = plan_of(policy_of(profile_of(many)), host());
  ASSERT_TRUE(file->prepare(small));
  file->commit();

  std::atomic<bool> stop{false};
  std::atomic<unsigned> mixed{0};
  std::atomic<unsigned> decisions{0};
  std::vector<std::thread> programs;
  for (int i = 0; i < 3; ++i) {
    programs.emplace_back([&] {
      const Mapping program(directory_ / "test.plan");
      while (!stop) {
        const auto verdict = program.plan().decide(call_to("8.8.8.8"), 0);
        const std::string_view interface = verdict.entry.interface;
        const bool old_plan = verdict.rule == 0 && interface == "lan0";
        const bool new_plan = verdict.rule == 200 && interface == "lte0";
        if (!old_plan && !new_plan) ++mixed;
        ++decisions;
      }
    });
  }
  for (int i = 0; i < 5000 || decisions < 50000; ++i) {
    ASSERT_TRUE(file->prepare(i % 2 == 0 ? large : small));
    file->commit();
  }
  stop = true;
  for (std::thread& program : programs) program.join();
  EXPECT_EQ(mixed, 0u);
}

}  // namespace
}  // namespace px::broker
