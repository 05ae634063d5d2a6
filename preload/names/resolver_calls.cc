// SPDX-License-Identifier: MIT
#include "preload/names/resolver_calls.h"

#include <netdb.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "preload/names/resolver_servers.h"

namespace px::shim {
namespace {

using plan::LookupOutcome;

constexpr std::byte kTruncated{0x02};  // of the header's third byte

int host_error_of(LookupOutcome outcome) {
  switch (outcome) {
    case LookupOutcome::kNoSuchName:
      return HOST_NOT_FOUND;
    case LookupOutcome::kNoData:
      return NO_DATA;
    case LookupOutcome::kNoRecovery:
      return NO_RECOVERY;
    case LookupOutcome::kAnswered:
    case LookupOutcome::kTryAgain:
    case LookupOutcome::kOfHost:
      break;
  }
  return TRY_AGAIN;
}

int failed(res_state state, int error) {
  state->res_h_errno = error;
  h_errno = error;
  return -1;
}

// What libc would have got by a datagram is cut without a sign. What is larger comes as a stream:
// as much as there is room for, the sign that it is not all, and the length of all of it.
int copy_reply(std::span<const std::byte> reply, std::uint16_t flags, AnswerSpace space) {
  constexpr std::size_t kPlain = 512;
  constexpr std::size_t kExtended = 1200;
  const bool extended = (flags & plan::kLookupExtended) != 0;
  const std::size_t datagram = extended ? std::clamp(space.size(), kPlain, kExtended) : kPlain;
  const bool is_datagram = (flags & plan::kLookupStream) == 0 && reply.size() <= datagram;
  const std::size_t count = std::min(reply.size(), space.size());
  std::copy_n(reply.begin(), count, space.begin());
  if (is_datagram) return static_cast<int>(count);
  if (count < reply.size() && count > 2) space[2] |= kTruncated;
  return static_cast<int>(reply.size());
}

// What the program has told libc's resolver.
std::uint16_t flags_of(const struct __res_state& state) {
  const unsigned long options = state.options;
  const bool dnssec = (options & RES_USE_DNSSEC) != 0;
  std::uint16_t flags = 0;
  if (dnssec || (options & RES_USE_EDNS0) != 0) flags |= plan::kLookupExtended;
  if (dnssec) flags |= plan::kLookupDnssec;
  if ((options & RES_TRUSTAD) != 0) flags |= plan::kLookupAuthentic;
  if ((options & RES_USEVC) != 0) flags |= plan::kLookupStream;
  return flags;
}

ProfileNames::Questions questions_of(const ResolverCalls::Asked& asked, std::uint16_t flags) {
  return {.types = {static_cast<std::uint16_t>(asked.type), 0},
          .query_class = static_cast<std::uint16_t>(asked.query_class),
          .flags = flags};
}

// No question has type 0, and no reply fits into less than a header.
bool can_ask(const ResolverCalls::Asked& asked, AnswerSpace space) {
  return asked.type > 0 && asked.type <= UINT16_MAX && asked.query_class >= 0 &&
         asked.query_class <= UINT16_MAX && space.size() >= dns::kHeaderSize;
}

}  // namespace

ResolverCalls::Result ResolverCalls::answer(res_state state, LookupOutcome outcome,
                                            const LookupReply& reply, AnswerSpace space) {
  if (outcome == LookupOutcome::kOfHost) return std::nullopt;
  const int size = copy_reply(reply.packet(0), flags_of(*state), space);
  if (outcome != LookupOutcome::kAnswered) return failed(state, host_error_of(outcome));
  state->res_h_errno = NETDB_SUCCESS;
  return size;
}

ResolverCalls::Result ResolverCalls::query(res_state state, const char* name, const Asked& asked,
                                           AnswerSpace space) {
  const auto parsed = dns::Name::from_text(name);
  if (!parsed) return failed(state, NO_RECOVERY);
  if (!can_ask(asked, space)) return failed(state, TRY_AGAIN);
  LookupReply reply;
  const LookupOutcome outcome =
      names_.look_up(*parsed, questions_of(asked, flags_of(*state)), &reply);
  return answer(state, outcome, reply, space);
}

ResolverCalls::Result ResolverCalls::search(res_state state, const char* name, const Asked& asked,
                                            AnswerSpace space) {
  if (!can_ask(asked, space)) return failed(state, TRY_AGAIN);
  LookupReply reply;
  const LookupOutcome outcome = names_.search(name, questions_of(asked, flags_of(*state)), &reply);
  return answer(state, outcome, reply, space);
}

ResolverCalls::Result ResolverCalls::query_domain(res_state state, const char* name,
                                                  const char* domain, const Asked& asked,
                                                  AnswerSpace space) {
  // libc puts a dot between them, whatever the name ends with.
  const bool two_dots = domain != nullptr && std::string_view(name).ends_with('.');
  const auto own = two_dots ? std::nullopt : dns::Name::from_text(name);
  const auto above = dns::Name::from_text(domain == nullptr ? "" : domain);
  const auto whole = own && above ? own->below(*above) : std::nullopt;
  if (!whole) return failed(state, NO_RECOVERY);
  if (!can_ask(asked, space)) return failed(state, TRY_AGAIN);
  LookupReply reply;
  const LookupOutcome outcome =
      names_.look_up(*whole, questions_of(asked, flags_of(*state)), &reply);
  return answer(state, outcome, reply, space);
}

void ResolverCalls::put_servers(res_state state) const {
  std::array<bundle::Endpoint, MAXNS> servers;
  const auto count = names_.servers(servers);
  if (count) shim::put_servers(std::span(servers).first(*count), state);
}

ResolverCalls::Result ResolverCalls::send(std::span<const std::byte> question, AnswerSpace space) {
  const auto query = dns::parse_query(question);
  if (!query || query->question.type == 0 || space.size() < dns::kHeaderSize) {
    errno = EINVAL;
    return -1;
  }
  std::uint16_t flags = 0;
  if (query->extended) flags |= plan::kLookupExtended;
  if (query->dnssec) flags |= plan::kLookupDnssec;
  if (query->authentic) flags |= plan::kLookupAuthentic;
  if (query->unchecked) flags |= plan::kLookupUnchecked;
  LookupReply reply;
  const Asked asked{query->question.query_class, query->question.type};
  const LookupOutcome outcome =
      names_.look_up(query->question.name, questions_of(asked, flags), &reply);
  if (outcome == LookupOutcome::kOfHost) return std::nullopt;
  if (outcome == LookupOutcome::kTryAgain) {
    errno = ETIMEDOUT;
    return -1;
  }
  const int size = copy_reply(reply.packet(0), flags, space);
  // The broker has asked by another number.
  std::copy_n(question.begin(), 2, space.begin());
  return size;
}

}  // namespace px::shim
