// SPDX-License-Identifier: MIT
// PX-8: which file the kernel runs for a name, scripts and env included.
#include "cli/coverage/program.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/support/temporary_files.h"

namespace px::cli {
namespace {

class Program : public testing::Test {
 protected:
  // The last interpreter of a script with this first line; the error's text where there is none.
  std::string runs(const std::string& line) {
    const auto found = follow_interpreters(files_.write("script", line + "\n"), "/usr/bin:/bin");
    return found ? found->binary : found.error().message;
  }

  TemporaryFiles files_;
};

TEST_F(Program, FirstExecutableOfPath) {
  std::filesystem::create_directory(files_.path("a"));
  std::filesystem::create_directory(files_.path("b"));
  std::filesystem::create_directory(files_.path("a/tool-dir"));
  files_.write("a/tool", "x", 0644);
  const std::string wanted = files_.write("b/tool", "x");
  const std::string path = files_.path("missing") + ":" + files_.path("a") + ":" + files_.path("b");
  EXPECT_EQ(find_program("tool", path.c_str()).value(), wanted);
  const auto directory = find_program("tool-dir", path.c_str());
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().status, 126);
}

TEST_F(Program, StatusesAreTheShells) {
  const std::string plain = files_.write("plain", "x", 0644);
  EXPECT_EQ(find_program(plain, "").error().status, 126);
  EXPECT_EQ(find_program(files_.path("missing"), "").error().status, 127);
  EXPECT_EQ(find_program("px-no-such-program", "/bin").error().status, 127);
  EXPECT_EQ(find_program("", "/bin").error().status, 127);
  EXPECT_EQ(find_program(plain + "/below", "").error().status, 126);
}

TEST_F(Program, NamesWithASlashAreNotLookedUp) {
  EXPECT_EQ(find_program("/bin/sh", "/nowhere").value(), "/bin/sh");
}

TEST_F(Program, WithoutPathTheSystemsIsUsed) {
  const auto found = find_program("sh", nullptr);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->ends_with("/sh"));
}

TEST_F(Program, EmptyComponentIsTheWorkingDirectory) {
  files_.write("here", "x");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(files_.path(""));
  EXPECT_EQ(find_program("here", "/nowhere:").value_or(""), "./here");
  std::filesystem::current_path(before);
}

TEST_F(Program, ScriptsAreFollowed) {
  EXPECT_EQ(runs("#!/bin/sh"), "/bin/sh");
  EXPECT_EQ(runs("#! \t/bin/sh -e "), "/bin/sh");
  EXPECT_EQ(runs("echo no first line"), "/bin/sh");
  EXPECT_EQ(runs(""), "/bin/sh");
  const std::string inner = files_.write("inner", "#!/bin/cat\n");
  EXPECT_EQ(runs("#!" + inner), "/bin/cat");
}

TEST_F(Program, EnvIsFollowed) {
  EXPECT_EQ(runs("#!/usr/bin/env sh"), "/usr/bin/sh");
  EXPECT_EQ(runs("#!/usr/bin/env -S LANG=C cat -n"), "/usr/bin/cat");
  EXPECT_EQ(runs("#!/usr/bin/env"), "/usr/bin/env");
  EXPECT_EQ(runs("#!/usr/bin/env px-no-such-program"),
            files_.path("script") + ": run by env: px-no-such-program: No such file or directory");
}

TEST_F(Program, MissingInterpreterIsNamed) {
  const auto found = follow_interpreters(files_.write("script", "#!/px/nowhere\n"), "/bin");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().status, 127);
  EXPECT_EQ(found.error().message,
            files_.path("script") + ": its interpreter /px/nowhere: No such file or directory");
}

TEST_F(Program, ACarriageReturnInItsNameIsSeen) {
  const auto found = follow_interpreters(files_.write("script", "#!/bin/sh\r\n"), "/bin");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message,
            files_.path("script") + ": its interpreter /bin/sh\\r: No such file or directory");
}

TEST_F(Program, InterpretersInACircleEnd) {
  const std::string script = files_.path("script");
  const auto found = follow_interpreters(files_.write("script", "#!" + script + "\n"), "/bin");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().status, 126);
}

TEST(ScriptLine, Parts) {
  EXPECT_EQ(parse_script_line("no script").interpreter, "");
  EXPECT_EQ(parse_script_line("#!").interpreter, "");
  EXPECT_EQ(parse_script_line("#!\n/bin/sh\n").interpreter, "");
  const auto line = parse_script_line("#!/bin/x  a b \nmore");
  EXPECT_EQ(line.interpreter, "/bin/x");
  EXPECT_EQ(line.argument, "a b");
  EXPECT_EQ(parse_script_line("#!/bin/x").interpreter, "/bin/x");
}

TEST(ScriptLine, ANameThatMayBeCutIsNone) {
  const std::string cut = "#!/" + std::string(253, 'x');
  ASSERT_EQ(cut.size(), 256U);
  EXPECT_EQ(parse_script_line(cut).interpreter, "");
  EXPECT_EQ(parse_script_line(cut.substr(0, 200) + "\n" + cut).interpreter, cut.substr(2, 198));
}

struct EnvCase {
  const char* argument;
  const char* program;
  bool clears;
};

TEST(EnvArgument, Parts) {
  const EnvCase cases[] = {
      {"python3", "python3", false},
      {"python3 -u", "python3 -u", false},  // one word, as env gets it
      {"-S python3 -u", "python3", false},
      {"-Spython3 -u", "python3", false},
      {"-S A=1 B=2 perl -w", "perl", false},
      {"-S -i perl", "perl", true},
      {"-iS perl", "perl", true},
      {"-S - perl", "perl", true},
      {"-S --ignore-environment perl", "perl", true},
      {"-S -u NAME perl", "perl", false},
      {"-S -uNAME perl", "perl", false},
      {"-S -C /tmp perl", "perl", false},
      {"--split-string=perl -w", "perl", false},
      {"-v -S perl", "perl", false},
      {"-i", "", true},
      {"", "", false},
  };
  for (const EnvCase& each : cases) {
    const EnvCommand command = parse_env_argument(each.argument);
    EXPECT_EQ(command.program, each.program) << each.argument;
    EXPECT_EQ(command.clears_environment, each.clears) << each.argument;
  }
}

}  // namespace
}  // namespace px::cli
