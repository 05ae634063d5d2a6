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
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // C1 controls are two bytes in UTF-8: c2 80 to c2 9f.
    const bool second_of_c1 = byte >= 0x80 && byte <= 0x9f && i > 0 && text[i - 1] == '\xc2';
    const bool first_of_c1 = byte == 0xc2 && i + 1 < text.size() &&
                             static_cast<unsigned char>(text[i + 1]) >= 0x80 &&
                             static_cast<unsigned char>(text[i + 1]) <= 0x9f;
    if (byte >= 0x20 && byte != 0x7f && !first_of_c1 && !second_of_c1) {
      safe += text[i];
      continue;
    }
    std::array<char, 5> escaped{};
    std::snprintf(escaped.data(), escaped.size(), "\\x%02x", byte);
    safe += escaped.data();
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
