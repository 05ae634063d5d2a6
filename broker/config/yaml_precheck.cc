// SPDX-License-Identifier: MIT
#include "broker/config/yaml_precheck.h"

#include <cstdint>

namespace px::broker {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

unsigned char byte_at(std::string_view text, std::size_t position) {
  return position < text.size() ? static_cast<unsigned char>(text[position]) : 0;
}

// Length of the UTF-8 sequence at `position` (RFC 3629: shortest form, no surrogates); 0 for none.
std::size_t sequence_length(std::string_view text, std::size_t position) {
  const unsigned char lead = byte_at(text, position);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  std::uint32_t code = lead & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned char next = byte_at(text, position + i);
    if ((next & 0xc0) != 0x80) return 0;
    code = code << 6 | (next & 0x3fu);
  }
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  const bool too_long = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  return surrogate || too_long || code > 0x10ffff ? 0 : length;
}

bool is_control(unsigned char byte) {
  return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
}

std::string hexadecimal(unsigned char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

}  // namespace

std::optional<Problem> precheck_yaml(std::string_view text) {
  if (text.size() > kLargestText) {
    return Problem{{}, "larger than 2 MiB, the largest policy file there can be"};
  }
  int line = 1;
  const std::size_t begin = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  std::size_t line_start = begin;
  for (std::size_t i = begin; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    const unsigned char byte = byte_at(text, i);
    const Place place{line, static_cast<int>(i - line_start) + 1};
    if (length == 0) return Problem{place, "byte " + hexadecimal(byte) + " is not UTF-8 text"};
    if (is_control(byte)) {
      return Problem{place, "control character " + hexadecimal(byte) + " in the text"};
    }
    i += length;
    if (byte == '\n') {
      ++line;
      line_start = i;
    }
  }
  return std::nullopt;
}

bool quote_ends(std::string_view text, std::size_t position) {
  if (text.starts_with(kByteOrderMark)) position += kByteOrderMark.size();
  if (byte_at(text, position) == '&') {
    position = text.find_first_of(" \t\r\n", position);
    position = text.find_first_not_of(" \t\r\n", position);
  }
  const unsigned char quote = byte_at(text, position);
  if (quote != '\'' && quote != '"') return true;
  for (std::size_t i = position + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (byte_at(text, i) == quote) {
      if (quote != '\'' || byte_at(text, i + 1) != quote) return true;
      ++i;
    }
  }
  return false;
}

}  // namespace px::broker
