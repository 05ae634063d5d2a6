// SPDX-License-Identifier: MIT
// Errors of hosted code: what failed, and the system's word for why.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>
#include <tl/expected.hpp>
#include <utility>

// Which kind of error stands where:
//   a result    what a caller must tell apart (a refusal to a program, a bad line of a policy) is a
//               type of its own, tl::expected<Value, ThatType>. The caller handles each case.
//   an error    what a caller can only hand on is px::Error in Expected: passed up unchanged by
//               PX_TRY and PX_ASSIGN_OR_RETURN, printed or logged once, by the program.
//   a mistake   of px itself (a broken invariant) is an assertion. Nothing is made of it.
//   errno       where the caller decides by the number, it is an int: 0, or an errno.
// Exceptions come from libraries alone. A service catches those that a client's input can cause;
// the daemon logs any other, and goes on. What runs in foreign programs (libbundle, plan, preload)
// has small enums and errno instead of this header.
namespace px {

struct Error {
  std::string message;  // for people: what was attempted, and what to do where that is known
};

template <typename Value>
using Expected = tl::expected<Value, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(std::string message) {
  return tl::make_unexpected(Error{std::move(message)});
}

// `what`: errno's text.
[[nodiscard]] inline tl::unexpected<Error> fail_errno(const std::string& what, int error = errno) {
  return fail(what + ": " + std::generic_category().message(error));
}

}  // namespace px

#define PX_JOIN_(a, b) a##b
#define PX_JOIN(a, b) PX_JOIN_(a, b)

// Returns the error of an Expected, whatever its value, from the function that this stands in; goes
// on where there is none.
#define PX_TRY(expression)                                      \
  do {                                                          \
    if (auto px_result = (expression); !px_result) {            \
      return tl::make_unexpected(std::move(px_result).error()); \
    }                                                           \
  } while (false)

// The same, and assigns the value: PX_ASSIGN_OR_RETURN(const auto file, open_file(path));
#define PX_ASSIGN_OR_RETURN(target, expression) \
  PX_ASSIGN_OR_RETURN_(target, expression, PX_JOIN(px_result_, __LINE__))
// NOLINTBEGIN(bugprone-macro-parentheses): these are declarations
#define PX_ASSIGN_OR_RETURN_(target, expression, result)              \
  auto result = (expression);                                         \
  if (!result) return tl::make_unexpected(std::move(result).error()); \
  target = std::move(*result)
// NOLINTEND(bugprone-macro-parentheses)
