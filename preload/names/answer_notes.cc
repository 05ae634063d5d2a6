// SPDX-License-Identifier: MIT
#include "preload/names/answer_notes.h"

#include <netinet/in.h>
#include <pthread.h>

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

void free_cancelled(void* list) {
  ::freeaddrinfo(static_cast<addrinfo*>(list));
}

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
  const bool numeric = hints != nullptr && (hints->ai_flags & AI_NUMERICHOST) != 0;
  const auto asked = node == nullptr || numeric || !wanted() ? std::nullopt : asked_name(node);
  if (!asked) return libc_.getaddrinfo(node, service, hints, list);
  addrinfo usual{};
  usual.ai_flags = kDefaultFlags;
  if (hints != nullptr) usual = *hints;
  const bool named = (usual.ai_flags & AI_CANONNAME) != 0;
  usual.ai_flags |= AI_CANONNAME;
  const int error = libc_.getaddrinfo(node, service, &usual, list);
  if (error != 0 || *list == nullptr) return error;
  // A thread can be cancelled while libc is asked once more: then nobody gets the list.
  pthread_cleanup_push(free_cancelled, *list);
  note(node, **list);
  pthread_cleanup_pop(0);
  if (!named) take_canonical_name(*list);
  return 0;
}

void AnswerNotes::note(const gaicb& request) {
  if (request.ar_name == nullptr || request.ar_result == nullptr || !wanted()) return;
  note(request.ar_name, *request.ar_result);
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

bool AnswerNotes::add_aliases(const char* asked, const bundle::Address& address,
                              dns::NameChain* names) const {
  const KeepErrno keep;
  const int host_error = h_errno;
  std::array<char, kHostRoom> room;
  hostent entry{};
  hostent* found = nullptr;
  int error = 0;
  const int family = address.is_ipv4() ? AF_INET : AF_INET6;
  const int failed =
      libc_.gethostbyname2_r(asked, family, &entry, room.data(), room.size(), &found, &error);
  h_errno = host_error;
  if (failed != 0 || found == nullptr) return false;
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

void AnswerNotes::note(std::string_view asked, const bundle::Bundle& bundle) {
  if (!wanted()) return;
  const auto name = asked_name(asked);
  if (!name || !name->is_host()) return;
  for (const bundle::Endpoint& member : bundle.members()) {
    dns::NameChain names;
    names.add(*name);
    dns::NameChain own;
    (void)table_.find(member.address, &own);
    for (auto rest = own.wire(); const auto each = dns::next_name(&rest);) names.add(*each);
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
