// SPDX-License-Identifier: MIT
#include "preload/names/answer_notes.h"

#include <netinet/in.h>
#include <pthread.h>
#include <resolv.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "dns/address_answers.h"
#include "libbundle/core/host_name.h"
#include "preload/process/system_calls.h"

namespace px::shim {
namespace {

// What no hints mean.
constexpr int kDefaultFlags = AI_V4MAPPED | AI_ADDRCONFIG;
// For a hostent; one that is larger is not looked at.
constexpr std::size_t kHostRoom = 4096;

// Nothing for what no rule can have, and for what libc takes for an address.
std::optional<dns::Name> asked_name(std::string_view text) {
  const auto name = dns::Name::from_text(text);
  if (!name || name->is_root() || bundle::ends_in_number(text)) return std::nullopt;
  return name;
}

std::optional<dns::Name> asked_of(const dns::NameChain& names) {
  auto rest = names.wire();
  return dns::next_name(&rest);
}

// Whether these are the names of a member, or of a bundle without members of its own.
bool was_looked_up(const dns::NameChain& names, const dns::Name& bundle,
                   std::span<const bundle::Member> members) {
  const auto asked = asked_of(names);
  if (!asked) return false;
  if (members.empty()) return asked->is_same(bundle);
  return std::ranges::any_of(members, [&](const bundle::Member& member) {
    const auto name = member.numeric ? std::nullopt : asked_name(member.text);
    return name && asked->is_same(*name);
  });
}

void add(dns::NameChain* names, const char* text) {
  const auto name = text == nullptr ? std::nullopt : dns::Name::from_text(text);
  if (name) names->add(*name);
}

std::optional<bundle::Address> address_of(int family, std::span<const std::byte> bytes) {
  if (bytes.size() != (family == AF_INET ? 4u : 16u)) return std::nullopt;
  bundle::Address address = bundle::ipv4_address(0);
  std::memcpy(address.bytes.data() + 16 - bytes.size(), bytes.data(), bytes.size());
  return address;
}

bool is_ascii(std::string_view text) {
  return std::ranges::none_of(text, [](char each) { return (each & 0x80) != 0; });
}

// How long this thread's resolver in libc waits, and how often it asks; programs may change both.
// Nothing of one that was never used.
struct ResolverTimes {
  int seconds = 0;
  int attempts = 0;
};

// From now on it asks each server once, and for a second.
ResolverTimes take_resolver_times() {
  struct __res_state& state = _res;
  if ((state.options & RES_INIT) == 0) return {};
  const ResolverTimes times{state.retrans, state.retry};
  state.retrans = 1;
  state.retry = 1;
  return times;
}

void give_back(void* kept) {
  const auto& times = *static_cast<const ResolverTimes*>(kept);
  if (times.seconds == 0) return;
  struct __res_state& state = _res;
  state.retrans = times.seconds;
  state.retry = times.attempts;
}

void free_cancelled(void* list) {
  ::freeaddrinfo(static_cast<addrinfo*>(list));
}

// The hints with which libc tells the canonical name as well.
addrinfo with_canonical_name(const addrinfo* hints) {
  addrinfo wanted{};
  wanted.ai_flags = kDefaultFlags;
  if (hints != nullptr) wanted = *hints;
  wanted.ai_flags |= AI_CANONNAME;
  return wanted;
}

bool wants_canonical_name(const addrinfo* hints) {
  return hints != nullptr && (hints->ai_flags & AI_CANONNAME) != 0;
}

// Whether there is a name to be noted for.
bool is_name(const char* node, const addrinfo* hints) {
  const bool numeric = hints != nullptr && (hints->ai_flags & AI_NUMERICHOST) != 0;
  return node != nullptr && !numeric && asked_name(node).has_value();
}

// A request as the program has it, and as libc gets it.
struct Request {
  const addrinfo* hints;
  addrinfo with_name;
};

// Requests of one call: they may be more than a small stack has room for.
class Requests {
 public:
  explicit Requests(std::size_t count) : size_(count * sizeof(Request)) {
    const KeepErrno keep;
    void* mapped =
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped != MAP_FAILED) all_ = static_cast<Request*>(mapped);
  }
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;
  ~Requests() {
    if (all_ != nullptr) ::munmap(all_, size_);
  }
  [[nodiscard]] Request* all() { return all_; }

 private:
  std::size_t size_;
  Request* all_ = nullptr;
};

// With a field for what is put there, as libc has it: in the first entry, and a block of its own.
void take_canonical_name(addrinfo* list) {
  std::free(list->ai_canonname);
  list->ai_canonname = nullptr;
  for (addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    entry->ai_flags &= ~AI_CANONNAME;
  }
}

}  // namespace

bool AnswerNotes::wanted() const {
  const auto plan = plan_.in_force();
  return plan && plan->has_name_rules();
}

int AnswerNotes::getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                             addrinfo** list) {
  if (!is_name(node, hints) || !wanted()) return libc_.getaddrinfo(node, service, hints, list);
  const addrinfo with_name = with_canonical_name(hints);
  const int error = libc_.getaddrinfo(node, service, &with_name, list);
  if (error != 0 || *list == nullptr) return error;
  // A thread can be cancelled while libc is asked once more: then nobody gets the list.
  pthread_cleanup_push(free_cancelled, *list);
  note(node, **list);
  pthread_cleanup_pop(0);
  if (!wants_canonical_name(hints)) take_canonical_name(*list);
  return 0;
}

// While libc waits it can be neither cancelled nor left: its own list of requests is on the stack.
int AnswerNotes::ask_with_names(std::span<gaicb*> requests, sigevent* event) {
  Requests asked(requests.size());
  const bool replaced = asked.all() != nullptr;
  for (std::size_t i = 0; replaced && i < requests.size(); ++i) {
    gaicb& one = *requests[i];
    Request& request = asked.all()[i];
    request = {.hints = one.ar_request, .with_name = with_canonical_name(one.ar_request)};
    if (is_name(one.ar_name, one.ar_request)) one.ar_request = &request.with_name;
  }
  const int error =
      libc_.getaddrinfo_a(GAI_WAIT, requests.data(), static_cast<int>(requests.size()), event);
  for (std::size_t i = 0; replaced && i < requests.size(); ++i) {
    requests[i]->ar_request = asked.all()[i].hints;
  }
  return error;
}

int AnswerNotes::getaddrinfo_a(std::span<gaicb*> requests, sigevent* event) {
  if (requests.empty() || !wanted()) {
    return libc_.getaddrinfo_a(GAI_WAIT, requests.data(), static_cast<int>(requests.size()), event);
  }
  const int error = ask_with_names(requests, event);
  for (const gaicb* one : requests) {
    if (one->__return != 0 || one->ar_result == nullptr) continue;
    if (!is_name(one->ar_name, one->ar_request)) continue;
    note(one->ar_name, *one->ar_result);
    if (!wants_canonical_name(one->ar_request)) take_canonical_name(one->ar_result);
  }
  return error;
}

void AnswerNotes::note(const char* asked, const addrinfo& list) {
  const auto canonical =
      list.ai_canonname == nullptr ? std::nullopt : dns::Name::from_text(list.ai_canonname);
  const bool ascii = is_ascii(asked);
  // libc has asked for another form of it: what the profile's servers said of that is noted.
  if (!ascii && names_.apply()) return;
  const auto name = ascii ? asked_name(asked) : canonical;
  const auto first = bundle::endpoint_from_sockaddr(list.ai_addr, list.ai_addrlen);
  if (!name || !first) return;
  dns::NameChain names;
  names.add(*name);
  // What the profile's servers have said is noted already.
  dns::NameChain known;
  const bool from_servers =
      names_.apply() && table_.find(first->address, &known) && asked_of(known) == asked_of(names);
  const bool ends_here = canonical && canonical->is_same(*name);
  const bool whole = !from_servers && (ends_here || add_aliases(asked, first->address, &names));
  if (canonical) names.add(*canonical);
  note(names, list, whole);
}

void AnswerNotes::note(const dns::NameChain& names, const addrinfo& list, bool all) {
  bundle::Address before{};
  std::size_t count = 0;
  for (const addrinfo* entry = &list; entry != nullptr; entry = entry->ai_next) {
    const auto endpoint = bundle::endpoint_from_sockaddr(entry->ai_addr, entry->ai_addrlen);
    // One address has an entry for each type of socket.
    if (!endpoint || endpoint->address == before) continue;
    if (++count > AnsweredNames::kMostOfAnswer) return;
    before = endpoint->address;
    remember(before, names, all);
  }
}

// By a server that has just answered: another one that says nothing is not worth the program's
// time. A function of its own: what is in a frame that a thread is cancelled in must not have
// changed.
const hostent* AnswerNotes::ask_impatiently(const char* asked, int family, hostent* entry,
                                            std::span<char> room) const {
  ResolverTimes times = take_resolver_times();
  hostent* found = nullptr;
  int error = 0;
  int failed = 0;
  pthread_cleanup_push(give_back, &times);
  failed = libc_.gethostbyname2_r(asked, family, entry, room.data(), room.size(), &found, &error);
  pthread_cleanup_pop(1);
  return failed == 0 ? found : nullptr;
}

bool AnswerNotes::add_aliases(const char* asked, const bundle::Address& address,
                              dns::NameChain* names) const {
  const KeepErrno keep;
  const int host_error = h_errno;
  std::array<char, kHostRoom> room;
  hostent entry{};
  const int family = address.is_ipv4() ? AF_INET : AF_INET6;
  const hostent* found = ask_impatiently(asked, family, &entry, room);
  h_errno = host_error;
  if (found == nullptr) return false;
  for (char** alias = found->h_aliases; *alias != nullptr; ++alias) add(names, *alias);
  add(names, found->h_name);
  return true;
}

void AnswerNotes::note(const char* asked, const hostent* answer) {
  if (answer == nullptr || !wanted()) return;
  const auto name = asked_name(asked);
  if (!name) return;
  dns::NameChain names;
  names.add(*name);
  for (char** alias = answer->h_aliases; *alias != nullptr; ++alias) add(&names, *alias);
  add(&names, answer->h_name);
  std::size_t count = 0;
  for (char** each = answer->h_addr_list; *each != nullptr; ++each) {
    const auto address =
        address_of(answer->h_addrtype,
                   std::as_bytes(std::span(*each, static_cast<std::size_t>(answer->h_length))));
    if (!address || ++count > AnsweredNames::kMostOfAnswer) return;
    remember(*address, names, !names_.apply());
  }
}

void AnswerNotes::note(const char* asked, std::span<const std::byte> packet) {
  if (!wanted()) return;
  dns::NameChain typed;
  add(&typed, asked);
  std::size_t count = 0;
  for (dns::AddressAnswers answers(packet, typed); const auto record = answers.next();) {
    const auto address = address_of(record->type == dns::kA ? AF_INET : AF_INET6, record->data);
    if (!address || ++count > AnsweredNames::kMostOfAnswer) return;
    table_.remember(*address, answers.names());
  }
}

void AnswerNotes::note(std::string_view asked, std::span<const bundle::Member> members,
                       const bundle::Bundle& bundle) {
  if (!wanted()) return;
  const auto name = asked_name(asked);
  if (!name || !name->is_host()) return;
  for (const bundle::Endpoint& member : bundle.members()) {
    dns::NameChain names;
    names.add(*name);
    dns::NameChain own;
    // Others are those of an earlier answer, which the program now has another for.
    if (table_.find(member.address, &own) && was_looked_up(own, *name, members)) {
      for (auto rest = own.wire(); const auto each = dns::next_name(&rest);) names.add(*each);
    }
    table_.remember(member.address, names);
  }
}

// Where the same name was asked before, more of its names may be there already: the profile's
// servers' reply, behind libc's answer, was noted before that.
void AnswerNotes::remember(const bundle::Address& address, const dns::NameChain& names, bool all) {
  dns::NameChain known;
  if (!all && table_.find(address, &known) && asked_of(known) == asked_of(names)) return;
  table_.remember(address, names);
}

}  // namespace px::shim
