// SPDX-License-Identifier: MIT
// PX-8: which programs px can act in, on real files.
#include "cli/coverage/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "tests/unit/cli/coverage/elf_image.h"
#include "tests/unit/support/temporary_files.h"

namespace px::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr Caller kNobody{65534, 65534, false};

class CoverageOf : public testing::Test {
 protected:
  static Examination look(const std::string& file, const Caller& caller = kNobody) {
    const auto examination = examine(file, "/usr/bin:/bin", caller);
    EXPECT_TRUE(examination) << file;
    return examination.value_or(Examination{});
  }
  [[nodiscard]] std::string copy_of_true(mode_t mode) const {
    return files_.write("copy", content_of("/bin/true"), mode);
  }
  [[nodiscard]] bool bits_take_effect() const {
    struct statvfs mount {};
    return statvfs(files_.path("").c_str(), &mount) == 0 && (mount.f_flag & ST_NOSUID) == 0;
  }

  TemporaryFiles files_;
};

TEST_F(CoverageOf, OrdinaryPrograms) {
  const Examination examination = look("/bin/true");
  EXPECT_TRUE(examination.covered()) << examination.why;
  EXPECT_EQ(examination.binary, "/bin/true");
  EXPECT_THAT(examination.why, IsEmpty());
  EXPECT_THAT(examination.sanitizers, IsEmpty());
}

#ifdef PX_SAMPLE_DYNAMIC
TEST_F(CoverageOf, FreshlyLinkedPrograms) {
  EXPECT_TRUE(look(PX_SAMPLE_DYNAMIC).covered());
}
#endif

TEST_F(CoverageOf, StaticPrograms) {
#ifdef PX_SAMPLE_STATIC
  const Examination examination = look(PX_SAMPLE_STATIC);
  EXPECT_EQ(examination.obstacle, Obstacle::kStatic);
  EXPECT_THAT(examination.why, HasSubstr("statically linked"));
#else
  GTEST_SKIP() << "cc -static does not link here";
#endif
}

TEST_F(CoverageOf, MuslPrograms) {
#if defined(PX_SAMPLE_MUSL) && defined(PX_SAMPLE_MUSL_STATIC)
  const Examination examination = look(PX_SAMPLE_MUSL);
  EXPECT_EQ(examination.obstacle, Obstacle::kOtherLibc);
  EXPECT_THAT(examination.why, HasSubstr("ld-musl"));
  EXPECT_EQ(look(PX_SAMPLE_MUSL_STATIC).obstacle, Obstacle::kStatic);
#else
  GTEST_SKIP() << "musl-gcc is not here (Debian: musl-tools)";
#endif
}

TEST_F(CoverageOf, SanitizedProgramsNameTheirRuntime) {
#ifdef PX_SAMPLE_ASAN
  const Examination examination = look(PX_SAMPLE_ASAN);
  EXPECT_TRUE(examination.covered()) << examination.why;
  ASSERT_EQ(examination.sanitizers.size(), 1U);
  EXPECT_THAT(examination.sanitizers[0], testing::StartsWith("libasan.so."));
#else
  GTEST_SKIP() << "cc -fsanitize=address does not link here";
#endif
}

TEST_F(CoverageOf, OtherWordSizesAndProcessors) {
  std::string bytes = content_of("/bin/true");
  bytes[EI_CLASS] = ELFCLASS32;
  const Examination examination = look(files_.write("small", bytes));
  EXPECT_EQ(examination.obstacle, Obstacle::kOtherMachine);
  EXPECT_EQ(examination.why, "it is a 32-bit program, and libpx.so is 64-bit only");
  ElfImage foreign;
  foreign.header.e_machine = EM_S390;
  EXPECT_EQ(look(files_.write("foreign", foreign.bytes())).obstacle, Obstacle::kOtherMachine);
}

TEST_F(CoverageOf, GoPrograms) {
  ElfImage image;
  image.add(PT_INTERP, std::string_view("/lib64/ld-linux-x86-64.so.2\0", 28));
  EXPECT_TRUE(look(files_.write("c", image.bytes())).covered());
  image.add(PT_NOTE, elf_note(std::string_view("Go\0\0id..", 8), 4, 4));
  const Examination examination = look(files_.write("go", image.bytes()));
  EXPECT_EQ(examination.obstacle, Obstacle::kGo);
  EXPECT_THAT(examination.why, HasSubstr("Go program"));
}

TEST_F(CoverageOf, SetIdProgramsThatChangeTheId) {
  if (!bits_take_effect()) GTEST_SKIP() << "temporary files are on a nosuid mount";
  const Caller other{getuid() + 1, getgid() + 1, false};
  const std::string user = copy_of_true(04755);
  EXPECT_EQ(look(user, other).obstacle, Obstacle::kChangesIds);
  EXPECT_THAT(look(user, other).why, HasSubstr("set-user-ID"));
  EXPECT_TRUE(look(user, {getuid(), getgid(), false}).covered());
  EXPECT_TRUE(look(user, {other.user, other.group, true}).covered());
  const std::string group = copy_of_true(02755);
  EXPECT_THAT(look(group, other).why, HasSubstr("set-group-ID"));
  EXPECT_TRUE(look(copy_of_true(02745), other).covered());
}

TEST_F(CoverageOf, ProgramsWithCapabilities) {
  if (!bits_take_effect()) GTEST_SKIP() << "temporary files are on a nosuid mount";
  const std::string file = copy_of_true(0755);
  const vfs_cap_data capabilities{VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
                                  {{1U << CAP_NET_RAW, 0}, {0, 0}}};
  if (setxattr(file.c_str(), "security.capability", &capabilities, sizeof capabilities, 0) != 0)
    GTEST_SKIP() << "only root may give capabilities to a file";
  EXPECT_EQ(look(file).obstacle, Obstacle::kCapabilities);
  EXPECT_TRUE(look(file, {0, 0, false}).covered());
  EXPECT_TRUE(look(file, {kNobody.user, kNobody.group, true}).covered());
}

TEST_F(CoverageOf, ScriptsAreAsTheirInterpreter) {
  const std::string script = files_.write("script", "#!/bin/sh\n");
  const Examination examination = look(script);
  EXPECT_TRUE(examination.covered());
  EXPECT_EQ(examination.file, script);
  EXPECT_EQ(examination.binary, "/bin/sh");
#ifdef PX_SAMPLE_STATIC
  const std::string uncovered = files_.write("uncovered", "#!" PX_SAMPLE_STATIC "\n");
  EXPECT_EQ(look(uncovered).obstacle, Obstacle::kStatic);
#endif
  EXPECT_EQ(look(files_.write("env", "#!/usr/bin/env -S -i sh\n")).obstacle,
            Obstacle::kClearsEnvironment);
}

TEST_F(CoverageOf, DamagedPrograms) {
  const Examination damaged = look(files_.write("damaged", content_of("/bin/true").substr(0, 100)));
  EXPECT_EQ(damaged.obstacle, Obstacle::kUnreadable);
  EXPECT_THAT(damaged.why, HasSubstr("damaged ELF file"));
}

TEST_F(CoverageOf, UnreadablePrograms) {
  const std::string file = copy_of_true(0111);
  const uid_t user = geteuid();
  if (user == 0) {
    ASSERT_EQ(chmod(files_.path("").c_str(), 0755), 0);
    if (seteuid(kNobody.user) != 0) GTEST_SKIP() << "root can read everything";
  }
  const Examination examination = look(file);
  ASSERT_EQ(seteuid(user), 0);
  EXPECT_EQ(examination.obstacle, Obstacle::kUnreadable);
  EXPECT_THAT(examination.why, HasSubstr("not readable"));
}

}  // namespace
}  // namespace px::cli
