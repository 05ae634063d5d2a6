// SPDX-License-Identifier: MIT
// PX-8: what ELF headers say, and that no bytes at all do harm.
#include "cli/coverage/elf_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/coverage/elf_image.h"
#include "tests/unit/support/temporary_files.h"
#include "util/fd.h"

namespace px::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kLoader("/lib64/ld-linux-x86-64.so.2\0", 28);

class ElfFile : public testing::Test {
 protected:
  Expected<std::optional<ElfFacts>> read(std::string_view bytes) {
    return read_file(files_.write("program", bytes));
  }
  static Expected<std::optional<ElfFacts>> read_file(const std::string& file) {
    const Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(fd) << file;
    return read_elf(fd.get());
  }
  // The error's text; empty where there is none.
  std::string error(const ElfImage& image) {
    const auto facts = read(image.bytes());
    return facts ? "" : facts.error().message;
  }

  TemporaryFiles files_;
};

TEST_F(ElfFile, ReadsARealProgram) {
  const auto facts = read_file("/bin/true");
  ASSERT_TRUE(facts && *facts);
  EXPECT_TRUE((*facts)->own_machine);
  EXPECT_EQ((*facts)->bits, sizeof(void*) * 8);
  EXPECT_THAT((*facts)->interpreter.value_or(""), testing::HasSubstr("/ld-"));
  EXPECT_THAT((*facts)->needed, Contains("libc.so.6"));
  EXPECT_FALSE((*facts)->go);
}

TEST_F(ElfFile, OtherFilesAreNone) {
  for (const std::string_view bytes : {"", "#!/bin/sh\n", "\177EL", "plain text of some length"}) {
    const auto facts = read(bytes);
    ASSERT_TRUE(facts) << bytes;
    EXPECT_FALSE(*facts) << bytes;
  }
}

TEST_F(ElfFile, InterpreterAndGoNote) {
  ElfImage image;
  image.add(PT_INTERP, kLoader);
  image.add(PT_NOTE, elf_note(std::string_view("GNU\0text", 8), 4, 4) +
                         elf_note(std::string_view("Go\0\0id..", 8), 4, 4));
  const auto facts = read(image.bytes());
  ASSERT_TRUE(facts && *facts);
  EXPECT_EQ((*facts)->interpreter, "/lib64/ld-linux-x86-64.so.2");
  EXPECT_TRUE((*facts)->go);
  EXPECT_THAT((*facts)->needed, IsEmpty());
}

TEST_F(ElfFile, NeededThroughLoadSegments) {
  ElfImage image;
  std::string strings("\0liba.so\0libb.so\0", 17);
  const std::size_t headers = sizeof image.header + 2 * sizeof(ElfW(Phdr));
  image.add(PT_LOAD, strings);
  image.segments[0].p_vaddr = 0x10000;
  const ElfW(Dyn) table[] = {
      {DT_NEEDED, {1}}, {DT_STRTAB, {0x10000}}, {DT_NEEDED, {9}}, {DT_NULL, {0}}, {DT_NEEDED, {1}}};
  image.add(PT_DYNAMIC, {reinterpret_cast<const char*>(table), sizeof table});
  ASSERT_EQ(image.bytes().size(), headers + strings.size() + sizeof table);
  const auto facts = read(image.bytes());
  ASSERT_TRUE(facts && *facts);
  EXPECT_THAT((*facts)->needed, ElementsAre("liba.so", "libb.so"));
}

TEST_F(ElfFile, OtherClassOrByteOrderOrMachine) {
  ElfImage image;
  image.add(PT_INTERP, kLoader);
  std::string bytes = image.bytes();
  bytes[EI_CLASS] = ELFCLASS32;
  auto facts = read(bytes);
  ASSERT_TRUE(facts && *facts);
  EXPECT_EQ((*facts)->bits, 32U);
  EXPECT_FALSE((*facts)->own_machine);
  bytes = image.bytes();
  bytes[EI_DATA] = ELFDATA2MSB;
  facts = read(bytes);
  ASSERT_TRUE(facts && *facts);
  EXPECT_FALSE((*facts)->own_machine);
  image.header.e_machine = EM_S390;
  facts = read(image.bytes());
  ASSERT_TRUE(facts && *facts);
  EXPECT_FALSE((*facts)->own_machine);
}

TEST_F(ElfFile, EveryTruncationIsAnErrorOrNoElf) {
  ElfImage image;
  image.add(PT_NOTE, elf_note(std::string_view("Go\0\0id..", 8), 4, 4));
  image.add(PT_INTERP, kLoader);
  const std::string bytes = image.bytes();
  ASSERT_TRUE(read(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto facts = read(std::string_view(bytes).substr(0, size));
    EXPECT_TRUE(!facts || (size < EI_NIDENT && !*facts)) << size;
  }
}

TEST_F(ElfFile, RealProgramsTruncatedOrOverwrittenAreSurvived) {
  const std::string bytes = content_of("/bin/true");
  for (std::size_t size = 0; size < bytes.size(); size += bytes.size() / 64 + 1) {
    (void)read(std::string_view(bytes).substr(0, size));
  }
  // Header and program headers, one byte at a time.
  const Fd fd(open(files_.write("program", bytes).c_str(), O_RDWR | O_CLOEXEC));
  for (off_t i = EI_NIDENT; i < 1024; ++i) {
    ASSERT_EQ(pwrite(fd.get(), "\xff", 1, i), 1);
    (void)read_elf(fd.get());
    ASSERT_EQ(pwrite(fd.get(), &bytes[static_cast<std::size_t>(i)], 1, i), 1);
  }
  EXPECT_TRUE(read(bytes));
}

TEST_F(ElfFile, LyingHeaders) {
  const char* const outside = "damaged ELF file: a header points outside the file";
  ElfImage image;
  image.add(PT_INTERP, kLoader);
  ElfImage lying = image;
  lying.header.e_phnum = 0xffff;
  EXPECT_EQ(error(lying), outside);
  lying = image;
  lying.header.e_phoff = ~ElfW(Off){0} - 8;
  EXPECT_EQ(error(lying), outside);
  lying = image;
  lying.header.e_phentsize = 1;
  EXPECT_EQ(error(lying), "damaged ELF file: odd program headers");
  lying = image;
  lying.segments[0].p_filesz = ~ElfW(Xword){0};
  EXPECT_EQ(error(lying), outside);
  lying = image;
  lying.segments[0].p_offset = ~ElfW(Off){0} - 4096;
  EXPECT_EQ(error(lying), outside);
  lying = image;
  lying.segments[0].p_filesz = 1;
  EXPECT_EQ(error(lying), outside);
}

TEST_F(ElfFile, LyingNotesAndDynamicSections) {
  ElfImage image;
  image.add(PT_INTERP, kLoader);
  image.add(PT_NOTE, elf_note(std::string_view("Go\0\0", 4), 0xffffffff, 0xffffffff));
  const ElfW(Dyn) table[] = {{DT_NEEDED, {~ElfW(Xword){0}}}, {DT_STRTAB, {~ElfW(Addr){0}}}};
  image.add(PT_DYNAMIC, {reinterpret_cast<const char*>(table), sizeof table});
  image.add(PT_LOAD, "");
  image.segments.back().p_filesz = ~ElfW(Xword){0};
  image.segments.back().p_vaddr = 1;
  const auto facts = read(image.bytes());
  ASSERT_TRUE(facts && *facts);
  EXPECT_FALSE((*facts)->go);
  EXPECT_THAT((*facts)->needed, IsEmpty());
}

}  // namespace
}  // namespace px::cli
