// SPDX-License-Identifier: MIT
// Assignments of this process, and of a child of it where an ancestor counts.
#include "broker/sessions/profile_assignments.h"

#include <gmock/gmock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <cstddef>
#include <filesystem>
#include <vector>

#include "broker/publish/publisher.h"
#include "broker/sessions/session_table.h"
#include "tests/unit/support/temporary_files.h"

namespace px::broker {
namespace {

using testing::HasSubstr;

class ProfileAssignmentsTest : public testing::Test {
 protected:
  ProfileAssignmentsTest() { use("profiles: { work: , play: }"); }

  void use(const std::string& text) {
    policy_ = *parse_policy("version: 1\n" + text, "px.yaml");
    ASSERT_TRUE(publisher_.publish(policy_, {}, {}));
  }
  // The counters page of its hello.
  Fd begin_session(pid_t pid, const ProfileAssignment& assignment) {
    Peer peer{pid, getuid(), Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)))};
    auto page = sessions_.hello(peer, assignment, program_);
    EXPECT_TRUE(page);
    return page ? std::move(*page) : Fd();
  }
  static bool is_asked(const Fd& page) {
    std::uint64_t recheck = 0;
    EXPECT_EQ(pread(page.get(), &recheck, sizeof recheck, offsetof(plan::Counters, recheck)),
              ssize_t{sizeof recheck});
    return recheck != 0;
  }
  std::string chosen(const std::string& named) const {
    plan::Hello hello{};
    plan::fill_text(hello.profile, named);
    const auto assignment = assignments_.choose(getpid(), program_, hello);
    return assignment ? assignment->profile + " " + name_of(assignment->origin) : "refused";
  }
  std::string profile() const { return sessions_.find(getpid())->assignment.profile; }

  TemporaryFiles files_;
  const std::filesystem::path& directory_ = files_.directory();
  asio::io_context context_;
  Policy policy_;
  Program program_{"/usr/bin/git", getuid(), "/"};
  Publisher publisher_ = *Publisher::open(directory_);
  SessionTable sessions_{context_, {10, 10}, [](const Session&, SessionTable::Change) {}};
  ProfileAssignments assignments_{policy_, sessions_, publisher_};
};

TEST_F(ProfileAssignmentsTest, AProgramHasTheProfileThatItNames) {
  EXPECT_EQ(chosen("work"), "work environment");
  EXPECT_EQ(chosen("rest"), "refused");
}

TEST_F(ProfileAssignmentsTest, AChildInheritsItsParentsSession) {
  begin_session(getppid(), {"play", Origin::kMoved, "work"});
  EXPECT_EQ(chosen("work"), "play inherited");
  begin_session(getpid(), {"work", Origin::kLaunched, "work"});
  EXPECT_EQ(chosen("work"), "work launched") << "its own comes first";
}

TEST_F(ProfileAssignmentsTest, OneThatIsMovedIsAskedToSayHelloAgain) {
  begin_session(getpid(), {"work", Origin::kEnvironment, "work"});
  const auto before = publisher_.find("work")->recheck();
  EXPECT_EQ(assignments_.move(getpid(), "play", std::nullopt), "work");
  EXPECT_EQ(profile(), "play");
  EXPECT_EQ(sessions_.find(getpid())->assignment.named, "work");
  EXPECT_NE(publisher_.find("work")->recheck(), before);
}

TEST_F(ProfileAssignmentsTest, ItIsAskedByEachOfItsPagesAndNoOtherIs) {
  const ProfileAssignment assignment{"work", Origin::kEnvironment, "work"};
  const Fd others = begin_session(getppid(), assignment);
  std::vector<Fd> pages;
  for (int i = 0; i < 3; ++i) pages.push_back(begin_session(getpid(), assignment));
  EXPECT_FALSE(is_asked(pages.front()));
  ASSERT_TRUE(assignments_.move(getpid(), "play", std::nullopt));
  for (const Fd& page : pages) EXPECT_TRUE(is_asked(page));
  EXPECT_FALSE(is_asked(others));
  EXPECT_FALSE(is_asked(begin_session(getpid(), {"play", Origin::kMoved, "work"})));
}

// A forked child may use it, and is not told by another one.
TEST_F(ProfileAssignmentsTest, AHelloIsAskedByAPageThatIsGivenUp) {
  const ProfileAssignment assignment{"work", Origin::kEnvironment, "work"};
  const Fd first = begin_session(getpid(), assignment);
  for (int i = 0; i < 3; ++i) begin_session(getpid(), assignment);
  EXPECT_FALSE(is_asked(first));
  const Fd last = begin_session(getpid(), assignment);
  EXPECT_TRUE(is_asked(first));
  EXPECT_FALSE(is_asked(last));
  sessions_.forget(getpid());
  EXPECT_TRUE(is_asked(last));
}

TEST_F(ProfileAssignmentsTest, OnlyAnOwnersProgramIsMovedToAProfileThatThereIs) {
  const auto why_not = [&](const std::string& name, std::optional<uid_t> owner) {
    const auto moved = assignments_.move(getpid(), name, owner);
    return moved ? "moved" : moved.error().message;
  };
  EXPECT_THAT(why_not("play", std::nullopt), HasSubstr("no program of yours"));
  begin_session(getpid(), {"work", Origin::kEnvironment, "work"});
  EXPECT_THAT(why_not("play", getuid() + 1), HasSubstr("no program of yours"));
  EXPECT_EQ(why_not("rest", getuid()), "no profile named 'rest'; there are: work, play");
  EXPECT_EQ(profile(), "work");
  Peer peer{getpid(), getuid(), Fd(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)))};
  ASSERT_TRUE(sessions_.launch(peer, {"work"}, "statically linked"));
  EXPECT_EQ(why_not("play", getuid()),
            "px does not act in process " + std::to_string(getpid()) + ": statically linked");
}

TEST_F(ProfileAssignmentsTest, ANewPolicyMovesOnlyProgramsThatNobodyHasChosenFor) {
  const Fd page = begin_session(getpid(), {"play", Origin::kDefault, ""});
  use("profiles: { work: { match: [ { exe: /usr/bin/git } ] }, play: }");
  assignments_.choose_again();
  EXPECT_EQ(profile(), "work");
  EXPECT_TRUE(is_asked(page));
  EXPECT_EQ(sessions_.find(getpid())->assignment.origin, Origin::kMatched);
  begin_session(getpid(), {"play", Origin::kMoved, ""});
  assignments_.choose_again();
  EXPECT_EQ(profile(), "play");
}

}  // namespace
}  // namespace px::broker
