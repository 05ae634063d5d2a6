// SPDX-License-Identifier: MIT
// What a name is that a program wants looked up: an ordinary one, which is libc's, or a bundle by
// notation, by the policy's name or by an alias. Asks nobody, except the broker for the plan, where
// that may matter. No heap; callable from any thread.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "libbundle/core/notation.h"
#include "plan/bundles.h"
#include "preload/session/broker_session.h"
#include "preload/session/current_plan.h"

namespace px::shim {

// Whether a hostent of this family can hold addresses of a bundle.
[[nodiscard]] constexpr bool is_ip(int family) {
  return family == AF_INET || family == AF_INET6;
}

class NameQuery {
 public:
  enum class Kind : std::uint8_t {
    kOrdinary,  // libc's, untouched
    kBad,       // meant as a bundle, and none: EAI_NONAME, and no resolver is asked
    kMembers,   // members() are the bundle
    kAlias,     // all addresses of this very name are
    kAny,       // likewise, under `alias: any`: the program is to notice as little as can be
  };
  // Room for a name that getnameinfo(3) gives back, and its NUL.
  static constexpr std::size_t kNameSize = 256;

  // `name` must outlive this.
  NameQuery(const CurrentPlan& plan, BrokerSession& session, const char* name);
  NameQuery(const NameQuery&) = delete;
  NameQuery& operator=(const NameQuery&) = delete;

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] std::string_view text() const { return text_; }
  // An alias of either kind, with members or without.
  [[nodiscard]] bool implicit() const { return implicit_; }
  // Whether the policy has this name.
  [[nodiscard]] bool named() const { return named_; }
  [[nodiscard]] std::span<const bundle::Member> members() const { return notation_.members(); }

  // What getnameinfo(3) may call the bundle: a name of the policy or an alias as it was asked for,
  // in lower case; a notation with its members sorted as in the canonical text, and names behind
  // the addresses. Empty where there is no name in it, or it is too long. Points into `buffer`.
  [[nodiscard]] std::string_view name(std::span<char, kNameSize> buffer) const;

 private:
  [[nodiscard]] Kind kind_of(const CurrentPlan& plan, BrokerSession& session);
  [[nodiscard]] Kind kind_by_policy(const CurrentPlan& plan, std::string_view name);

  std::string_view text_;
  bundle::Notation notation_;
  plan::BundleNotation of_policy_;
  bool named_ = false;  // by the policy
  bool implicit_ = false;
  Kind kind_ = Kind::kOrdinary;
};

}  // namespace px::shim
