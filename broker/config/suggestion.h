// SPDX-License-Identifier: MIT
// Words for messages: the user's own text, made safe for terminals and JSON, and the word that a
// misspelt one stands for. Pure, and quick on hostile input: callable from any thread of the
// broker.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace px::broker {

// The text as ASCII alone, all else as \xNN: one line, and no orders to a terminal.
[[nodiscard]] std::string printable(std::string_view text);

// The same in quotes, cut when it is very long.
[[nodiscard]] std::string in_quotes(std::string_view text);

// "a, b or c"; cut when there are very many.
[[nodiscard]] std::string enumerated(std::span<const std::string_view> words);

// The word that was most likely meant: a few slips of the typing hand away, or alike but for case.
[[nodiscard]] std::optional<std::string_view> closest(std::string_view wrong,
                                                      std::span<const std::string_view> words);

// "; did you mean 'b'?", or else "; expected a, b or c", or nothing where there are no words.
[[nodiscard]] std::string hint(std::string_view wrong, std::span<const std::string_view> words);

}  // namespace px::broker
