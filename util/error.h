// SPDX-License-Identifier: MIT
// Errors of hosted code: what failed, and the system's word for why. Libraries return them,
// programs print them.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>
#include <tl/expected.hpp>
#include <utility>

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
