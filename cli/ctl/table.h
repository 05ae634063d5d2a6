// SPDX-License-Identifier: MIT
// Text for people: aligned tables, colour where a terminal shows it, and foreign text made harmless
// (a program's name may hold terminal escapes). Pure but for Terminal::of_stdout().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace px::cli {

struct Terminal {
  bool colour = false;
  std::size_t width = 0;  // columns; 0: unlimited, no terminal

  // Colour only on a terminal, and never with NO_COLOR set to anything (no-color.org).
  [[nodiscard]] static Terminal of_stdout();
};

enum class Tone { kPlain, kHeading, kGood, kWarning, kBad };

// The text in its tone's colour, where the terminal shows colours.
[[nodiscard]] std::string toned(std::string_view text, Tone tone, const Terminal& terminal);

// Controls, and characters that change the direction or the lines of text, as \xNN for each byte.
[[nodiscard]] std::string printable(std::string_view text);

// Characters, for UTF-8 text.
[[nodiscard]] std::size_t text_width(std::string_view text);

enum class Align { kLeft, kRight };

struct Column {
  std::string heading;
  Align align = Align::kLeft;
};

struct Cell {
  std::string text;
  Tone tone = Tone::kPlain;

  Cell(std::string content, Tone in_tone = Tone::kPlain)
      : text(std::move(content)), tone(in_tone) {}
  Cell(const char* content) : text(content) {}
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns.
  void add(std::vector<Cell> row);
  // Lines without trailing blanks. Where a row is wider than the terminal, its last cell is
  // shortened at its beginning: last cells hold paths, whose ends tell more.
  [[nodiscard]] std::string text(const Terminal& terminal) const;
  [[nodiscard]] bool empty() const { return rows_.empty(); }

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;
  [[nodiscard]] std::string line(const std::vector<Cell>& row,
                                 const std::vector<std::size_t>& widths,
                                 const Terminal& terminal) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// "2026-01-31 12:00:00" in local time.
[[nodiscard]] std::string time_text(std::int64_t unix_seconds);

// "1 rule", "2 rules".
[[nodiscard]] std::string counted(std::uint64_t count, const std::string& noun);

}  // namespace px::cli
