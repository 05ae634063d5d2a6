// SPDX-License-Identifier: MIT
#include "cli/ctl/table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace px::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 12;  // that a last cell is shortened to

const char* escape_of(Tone tone) {
  switch (tone) {
    case Tone::kHeading:
      return "\033[1m";
    case Tone::kGood:
      return "\033[32m";
    case Tone::kWarning:
      return "\033[33m";
    case Tone::kBad:
      return "\033[31m";
    case Tone::kPlain:
      break;
  }
  return "";
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// Of the character that the text begins with, in UTF-8; 0 where it begins with none.
std::size_t character_size(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0x80   ? 1
                           : first < 0xc2 ? 0
                           : first < 0xe0 ? 2
                           : first < 0xf0 ? 3
                                          : 4;
  if (first >= 0xf5 || size > text.size()) return 0;
  const auto rest = text.substr(1, size == 0 ? 0 : size - 1);
  return std::all_of(rest.begin(), rest.end(), is_continuation) ? size : 0;
}

char32_t code_point(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return first;
  char32_t code = first & (0x7fU >> character.size());
  for (const char byte : character.substr(1)) {
    code = code << 6 | (static_cast<unsigned char>(byte) & 0x3fU);
  }
  return code;
}

// Whether a terminal does something else with it than show it where it stands: controls (C0, C1),
// and what changes the direction or the lines of text.
bool steers(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c ||
         (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

std::string escaped(char byte) {
  std::array<char, 5> text{};
  std::snprintf(text.data(), text.size(), "\\x%02x", static_cast<unsigned char>(byte));
  return text.data();
}

// The last `width` characters of the text, with dots for what is gone.
std::string shortened(const std::string& text, std::size_t width) {
  std::size_t excess = text_width(text) + 3 - width;
  std::size_t begin = 0;
  while (begin < text.size() && (excess > 0 || is_continuation(text[begin]))) {
    if (!is_continuation(text[begin])) --excess;
    ++begin;
  }
  return "..." + text.substr(begin);
}

}  // namespace

Terminal Terminal::of_stdout() {
  if (isatty(STDOUT_FILENO) != 1) return {};
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return {std::getenv("NO_COLOR") == nullptr, known ? size.ws_col : std::size_t{80}};
}

std::string toned(std::string_view text, Tone tone, const Terminal& terminal) {
  if (!terminal.colour || tone == Tone::kPlain || text.empty()) return std::string(text);
  return escape_of(tone) + std::string(text) + "\033[0m";
}

std::string printable(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(size, 1));
    // What is no UTF-8 stays as it is, but for what is a control in other encodings.
    const char32_t code =
        size == 0 ? static_cast<unsigned char>(text.front()) : code_point(character);
    const bool shown = !steers(code);
    for (const char byte : character) safe += shown ? std::string(1, byte) : escaped(byte);
    text.remove_prefix(character.size());
  }
  return safe;
}

std::size_t text_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

void Table::add(std::vector<Cell> row) {
  for (Cell& cell : row) cell.text = printable(cell.text);
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = text_width(columns_[i].heading);
    for (const auto& row : rows_) widest = std::max(widest, text_width(row[i].text));
    widths.push_back(widest);
  }
  return widths;
}

std::string Table::line(const std::vector<Cell>& row, const std::vector<std::size_t>& widths,
                        const Terminal& terminal) const {
  std::string line;
  std::size_t used = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    std::string text = row[i].text;
    const bool last = i + 1 == row.size();
    if (last && terminal.width > used + kNarrowest && used + text_width(text) > terminal.width)
      text = shortened(text, terminal.width - used);
    const std::string blanks(widths[i] - std::min(widths[i], text_width(text)), ' ');
    if (columns_[i].align == Align::kRight) line += blanks;
    line += toned(text, row[i].tone, terminal);
    if (columns_[i].align == Align::kLeft) line += blanks;
    line.append(kGap, ' ');
    used += widths[i] + kGap;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string Table::text(const Terminal& terminal) const {
  const auto widths = this->widths();
  std::vector<Cell> headings;
  for (const Column& column : columns_) headings.emplace_back(column.heading, Tone::kHeading);
  std::string text = line(headings, widths, terminal);
  for (const auto& row : rows_) text += line(row, widths, terminal);
  return text;
}

std::string time_text(std::int64_t unix_seconds) {
  const std::time_t time = unix_seconds;
  std::tm local{};
  localtime_r(&time, &local);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
  return text.data();
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace px::cli
