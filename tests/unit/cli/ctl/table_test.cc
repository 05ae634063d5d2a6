// SPDX-License-Identifier: MIT
#include "cli/ctl/table.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace px::cli {
namespace {

Table two_rows() {
  Table table({{"NO", Align::kRight}, {"NAME"}, {"COUNT", Align::kRight}, {"PATH"}});
  table.add({"1", "first", "10", "/usr/bin/a"});
  table.add({"12", "", "9", Cell("/b", Tone::kBad)});
  return table;
}

TEST(Table, Aligned) {
  EXPECT_EQ(two_rows().text({}),
            "NO  NAME   COUNT  PATH\n"
            " 1  first     10  /usr/bin/a\n"
            "12             9  /b\n");
}

TEST(Table, NoBlanksAtTheEndOfLines) {
  Table table({{"A"}, {"LONG HEADING"}});
  table.add({"x", ""});
  EXPECT_EQ(table.text({}), "A  LONG HEADING\nx\n");
}

TEST(Table, ColourOnlyWhereShown) {
  const std::string coloured = two_rows().text({true, 80});
  EXPECT_NE(coloured.find("\033[31m/b\033[0m\n"), std::string::npos);
  EXPECT_EQ(two_rows().text({false, 80}).find('\033'), std::string::npos);
}

TEST(Table, LastCellIsShortenedToTheTerminal) {
  Table table({{"PID"}, {"PROGRAM"}});
  table.add({"1", "/usr/lib/some/where/deep/program"});
  EXPECT_EQ(table.text({false, 20}), "PID  PROGRAM\n1    ...deep/program\n");
  EXPECT_EQ(table.text({false, 37}), "PID  PROGRAM\n1    /usr/lib/some/where/deep/program\n");
  EXPECT_EQ(table.text({}), "PID  PROGRAM\n1    /usr/lib/some/where/deep/program\n");
}

TEST(Table, ShorteningCutsNoCharacterInTwo) {
  Table table({{"PROGRAM"}});
  table.add({"/äöü/äöü/äöü/äöü/äöü"});
  EXPECT_EQ(table.text({false, 13}), "PROGRAM\n...öü/äöü/äöü\n");
}

TEST(Table, WidthsCountCharacters) {
  Table table({{"NAME"}, {"X"}});
  table.add({"ä", "1"});
  table.add({"abcd", "2"});
  EXPECT_EQ(table.text({}), "NAME  X\nä     1\nabcd  2\n");
}

TEST(Printable, ControlCharactersAreShownNotSent) {
  EXPECT_EQ(printable("plain ä"), "plain ä");
  EXPECT_EQ(printable("a\033[31mb\nc\177"), "a\\x1b[31mb\\x0ac\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m\xc2\xa0"),
            "\\xc2\\x9b31m\xc2\xa0");
  EXPECT_EQ(printable("\xc2"), "\xc2");
  EXPECT_EQ(printable("caf\xe9 \x9b"), "caf\xe9 \\x9b") << "no UTF-8";
  EXPECT_EQ(printable("\xf0\x9f\x98\x80 \xe2\x82\xac"), "\xf0\x9f\x98\x80 \xe2\x82\xac");
  Table table({{"A"}});
  table.add({"\033c"});
  EXPECT_EQ(table.text({}), "A\n\\x1bc\n");
}

TEST(Printable, WhatTurnsTextAroundIsShownNotSent) {
  EXPECT_EQ(printable("a\xe2\x80\xaetxt.sh"), "a\\xe2\\x80\\xaetxt.sh");
  EXPECT_EQ(printable("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");
  EXPECT_EQ(printable("\xe2\x80\x8f"), "\\xe2\\x80\\x8f");
  EXPECT_EQ(printable("\xd8\x9c"), "\\xd8\\x9c");
  EXPECT_EQ(printable("\xe2\x80\xa8"), "\\xe2\\x80\\xa8") << "a line's end";
  EXPECT_EQ(printable("\xe2\x80\x93"), "\xe2\x80\x93") << "a dash";
}

TEST(Toned, NothingForNoText) {
  EXPECT_EQ(toned("", Tone::kBad, {true, 80}), "");
}

TEST(Counted, OneAndMany) {
  EXPECT_EQ(counted(1, "rule"), "1 rule");
  EXPECT_EQ(counted(0, "rule"), "0 rules");
  EXPECT_EQ(counted(2, "rule"), "2 rules");
}

TEST(TimeText, LocalTime) {
  setenv("TZ", "UTC", 1);
  EXPECT_EQ(time_text(1700000000), "2023-11-14 22:13:20");
  unsetenv("TZ");
}

}  // namespace
}  // namespace px::cli
