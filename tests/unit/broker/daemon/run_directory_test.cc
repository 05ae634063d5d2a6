// SPDX-License-Identifier: MIT
#include "broker/daemon/run_directory.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/support/temporary_files.h"

namespace px::broker {
namespace {

using testing::HasSubstr;

class RunDirectoryTest : public testing::Test {
 protected:
  static std::string why_not(const std::filesystem::path& path) {
    const auto acquired = RunDirectory::acquire(path);
    return acquired ? "" : acquired.error().message;
  }

  TemporaryFiles files;
  const std::filesystem::path& top = files.directory();
};

TEST_F(RunDirectoryTest, IsMadeWithWhatIsAboveIt) {
  const auto path = top / "a" / "b";
  const auto acquired = RunDirectory::acquire(path);
  ASSERT_TRUE(acquired) << acquired.error().message;
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 022U, 0u);
  EXPECT_TRUE(std::filesystem::exists(path / "pxd.lock"));
}

TEST_F(RunDirectoryTest, HasOneBroker) {
  const auto first = RunDirectory::acquire(top);
  ASSERT_TRUE(first);
  EXPECT_THAT(why_not(top), HasSubstr("another broker is running"));
}

TEST_F(RunDirectoryTest, ALinkIsNotFollowed) {
  std::filesystem::create_directory(top / "real");
  std::filesystem::create_directory_symlink(top / "real", top / "link");
  EXPECT_THAT(why_not(top / "link"), HasSubstr("a link or a file"));
  EXPECT_TRUE(std::filesystem::is_empty(top / "real"));
  files.write("file", "");
  EXPECT_THAT(why_not(top / "file"), HasSubstr("a link or a file"));
}

TEST_F(RunDirectoryTest, NobodyElseMayWriteThere) {
  ASSERT_EQ(chmod(top.c_str(), 01777), 0);
  EXPECT_THAT(why_not(top), HasSubstr("every user may write"));
  EXPECT_TRUE(std::filesystem::is_empty(top));
}

TEST_F(RunDirectoryTest, AnotherUsersIsRefused) {
  if (getuid() != 0) GTEST_SKIP() << "needs root: no other user";
  ASSERT_EQ(chown(top.c_str(), 65534, 65534), 0);
  EXPECT_THAT(why_not(top), HasSubstr("another user's directory"));
  EXPECT_TRUE(std::filesystem::is_empty(top));
}

}  // namespace
}  // namespace px::broker
