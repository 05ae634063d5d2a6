// SPDX-License-Identifier: MIT
#include "preload/names/name_service.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "preload/names/answer_records.h"
#include "preload/names/answer_room.h"
#include "preload/names/reverse_name.h"

namespace px::shim {
namespace {

using plan::LookupOutcome;

constexpr std::size_t kIpv4Size = 4;
constexpr std::size_t kIpv6Size = 16;

constexpr std::size_t address_size(std::uint16_t type) {
  return type == dns::kAaaa ? kIpv6Size : kIpv4Size;
}

nss_status fails(const ServiceCall& call, nss_status status, int error, int host_error) {
  *call.error = error;
  *call.host_error = host_error;
  return status;
}

// libc gives more room, and asks again.
nss_status needs_room(const ServiceCall& call) {
  return fails(call, NSS_STATUS_TRYAGAIN, ERANGE, NETDB_INTERNAL);
}

// As a service that is not there.
nss_status is_absent(const ServiceCall& call) {
  return fails(call, NSS_STATUS_UNAVAIL, ENOENT, NO_RECOVERY);
}

nss_status not_found(const ServiceCall& call, int host_error) {
  return fails(call, NSS_STATUS_NOTFOUND, ENOENT, host_error);
}

// Of a lookup without an answer. All that may be better later is EAI_AGAIN in getaddrinfo(3): mail
// bounces, and programs give up, where "no such name" means that there is no network.
nss_status status_of(LookupOutcome outcome, const ServiceCall& call) {
  switch (outcome) {
    case LookupOutcome::kNoSuchName:
      return not_found(call, HOST_NOT_FOUND);
    case LookupOutcome::kNoData:
      return not_found(call, NO_DATA);
    case LookupOutcome::kNoRecovery:
      return not_found(call, NO_RECOVERY);
    case LookupOutcome::kOfHost:
      return is_absent(call);
    case LookupOutcome::kAnswered:
    case LookupOutcome::kTryAgain:
      break;
  }
  return fails(call, NSS_STATUS_TRYAGAIN, EAGAIN, TRY_AGAIN);
}

// A reply that has records, and none of them is an address: a CNAME that leads nowhere, or records
// of other names. libc's own service for DNS says so.
nss_status without_address(const ServiceCall& call) {
  return fails(call, NSS_STATUS_TRYAGAIN, ENOENT, NO_RECOVERY);
}

void set_ttl(const ServiceCall& call, std::uint32_t ttl) {
  if (call.ttl != nullptr)
    *call.ttl = static_cast<std::int32_t>(std::min<std::uint32_t>(ttl, INT32_MAX));
}

bool can_be_host(std::string_view name) {
  const auto parsed = dns::Name::from_text(name);
  return parsed && parsed->is_host();
}

char* keep_name(AnswerRoom* room, const dns::Name& name) {
  std::array<char, dns::kNameTextSize> text;
  return room->keep(name.text(text));
}

// Appends the addresses of one reply to a list; the first entry may be libc's own.
struct TupleList {
  gaih_addrtuple** end;
  AnswerRoom room;
  bool is_empty = true;
  bool is_full = false;
  std::uint32_t ttl = UINT32_MAX;

  void add(std::span<const std::byte> packet, std::uint16_t type);
  [[nodiscard]] bool add(const AnswerRecords& records, const dns::Record& record,
                         std::uint16_t type);
};

bool TupleList::add(const AnswerRecords& records, const dns::Record& record, std::uint16_t type) {
  char* name = is_empty ? keep_name(&room, records.canonical()) : nullptr;
  if (is_empty && name == nullptr) return false;
  if (*end == nullptr) *end = room.take<gaih_addrtuple>();
  if (*end == nullptr) return false;
  gaih_addrtuple& tuple = **end;
  tuple.next = nullptr;
  tuple.name = name;
  tuple.family = type == dns::kAaaa ? AF_INET6 : AF_INET;
  tuple.scopeid = 0;
  std::memset(tuple.addr, 0, sizeof tuple.addr);
  std::memcpy(tuple.addr, record.data.data(), record.data.size());
  end = &tuple.next;
  is_empty = false;
  return true;
}

void TupleList::add(std::span<const std::byte> packet, std::uint16_t type) {
  AnswerRecords records(packet, type);
  while (!is_full) {
    const auto record = records.next();
    if (!record) break;
    if (record->data.size() != address_size(type)) continue;
    is_full = !add(records, *record, type);
  }
  ttl = std::min(ttl, records.ttl());
}

// How much of it a reply has.
struct Counts {
  std::size_t records = 0;
  std::size_t aliases = 0;
};

Counts counts_of(dns::Packet packet, std::uint16_t type) {
  Counts counts;
  AnswerRecords records(packet, type);
  while (const auto record = records.next_or_alias()) {
    ++(record->type == type ? counts.records : counts.aliases);
  }
  return counts;
}

// False where there is no room.
bool write_host(dns::Packet packet, std::uint16_t type, const Counts& counts, AnswerRoom room,
                hostent* host, std::uint32_t* ttl) {
  host->h_aliases = room.take<char*>(counts.aliases + 1);
  host->h_addr_list = room.take<char*>(counts.records + 1);
  if (host->h_aliases == nullptr || host->h_addr_list == nullptr) return false;
  host->h_addrtype = type == dns::kAaaa ? AF_INET6 : AF_INET;
  host->h_length = static_cast<int>(address_size(type));
  AnswerRecords records(packet, type);
  char** alias = host->h_aliases;
  for (char** place = host->h_addr_list; const auto record = records.next_or_alias();) {
    if (record->type != type) {
      *alias = keep_name(&room, record->owner);
      if (*alias++ == nullptr) return false;
      continue;
    }
    if (record->data.size() != address_size(type)) continue;
    // Aligned, as programs read them.
    *place = reinterpret_cast<char*>(room.take<std::uint32_t>(address_size(type) / 4));
    if (*place == nullptr) return false;
    std::memcpy(*place++, record->data.data(), record->data.size());
  }
  *ttl = records.ttl();
  host->h_name = keep_name(&room, records.canonical());
  return host->h_name != nullptr;
}

// The names of an address: the first, and further ones as aliases.
bool write_names(dns::Packet packet, const Counts& counts, std::span<const std::byte> address,
                 AnswerRoom room, hostent* host, std::uint32_t* ttl) {
  host->h_aliases = room.take<char*>(counts.records + 1);
  host->h_addr_list = room.take<char*>(2);
  auto* bytes = room.take<std::uint32_t>(kIpv6Size / 4);
  if (host->h_aliases == nullptr || host->h_addr_list == nullptr || bytes == nullptr) return false;
  std::memcpy(bytes, address.data(), address.size());
  host->h_addr_list[0] = reinterpret_cast<char*>(bytes);
  host->h_name = nullptr;
  AnswerRecords records(packet, dns::kPtr);
  for (char** alias = host->h_aliases; const auto record = records.next();) {
    std::size_t at = record->position;
    const auto name = dns::read_name(packet, &at);
    if (!name || !name->is_host()) continue;
    char* text = keep_name(&room, *name);
    if (text == nullptr) return false;
    if (host->h_name == nullptr) {
      host->h_name = text;
    } else {
      *alias++ = text;
    }
  }
  *ttl = records.ttl();
  return true;
}

}  // namespace

nss_status NameService::find_addresses(const char* name, gaih_addrtuple** list,
                                       const ServiceCall& call) {
  if (!names_.apply()) return is_absent(call);
  if (!can_be_host(name)) return not_found(call, HOST_NOT_FOUND);
  LookupReply reply;
  const ProfileNames::Questions questions{.types = {dns::kA, dns::kAaaa},
                                          .flags = plan::kLookupExtended};
  const LookupOutcome outcome = names_.search(name, questions, &reply);
  if (outcome != LookupOutcome::kAnswered) return status_of(outcome, call);
  TupleList tuples{.end = list, .room = AnswerRoom(call.room, call.size)};
  tuples.add(reply.packet(0), dns::kA);
  tuples.add(reply.packet(1), dns::kAaaa);
  if (tuples.is_full) return needs_room(call);
  if (tuples.is_empty) return not_found(call, HOST_NOT_FOUND);
  notes_.note(name, reply.packet(0));
  notes_.note(name, reply.packet(1));
  set_ttl(call, tuples.ttl);
  *call.host_error = NETDB_SUCCESS;
  return NSS_STATUS_SUCCESS;
}

nss_status NameService::find_host(const char* name, int family, hostent* host,
                                  const ServiceCall& call, char** canonical) {
  if (!names_.apply()) return is_absent(call);
  if (*name != '\0' && !can_be_host(name)) return not_found(call, HOST_NOT_FOUND);
  if (family != AF_INET && family != AF_INET6) {
    return fails(call, NSS_STATUS_UNAVAIL, EAFNOSUPPORT, NO_DATA);
  }
  if (*name == '\0') return not_found(call, NO_RECOVERY);
  const std::uint16_t type = family == AF_INET6 ? dns::kAaaa : dns::kA;
  LookupReply reply;
  const ProfileNames::Questions questions{.types = {type, 0}, .flags = plan::kLookupExtended};
  const LookupOutcome outcome = names_.search(name, questions, &reply);
  if (outcome != LookupOutcome::kAnswered) return status_of(outcome, call);
  const Counts counts = counts_of(reply.packet(0), type);
  std::uint32_t ttl = 0;
  const AnswerRoom room(call.room, call.size);
  if (!write_host(reply.packet(0), type, counts, room, host, &ttl)) return needs_room(call);
  if (host->h_addr_list[0] == nullptr) return without_address(call);
  notes_.note(name, reply.packet(0));
  if (canonical != nullptr) *canonical = host->h_name;
  set_ttl(call, ttl);
  *call.host_error = NETDB_SUCCESS;
  return NSS_STATUS_SUCCESS;
}

nss_status NameService::find_name(const void* address, std::size_t length, int family,
                                  hostent* host, const ServiceCall& call) {
  if (!names_.apply()) return is_absent(call);
  const auto asked = reverse_of({static_cast<const std::byte*>(address), length}, family);
  if (!asked) return fails(call, NSS_STATUS_UNAVAIL, EAFNOSUPPORT, NETDB_INTERNAL);
  LookupReply reply;
  const ProfileNames::Questions questions{.types = {dns::kPtr, 0}, .flags = plan::kLookupExtended};
  const LookupOutcome outcome = names_.look_up(asked->name, questions, &reply);
  if (outcome != LookupOutcome::kAnswered) return status_of(outcome, call);
  const Counts counts = counts_of(reply.packet(0), dns::kPtr);
  std::uint32_t ttl = 0;
  const AnswerRoom room(call.room, call.size);
  if (!write_names(reply.packet(0), counts, asked->address, room, host, &ttl)) {
    return needs_room(call);
  }
  if (host->h_name == nullptr) return not_found(call, HOST_NOT_FOUND);
  host->h_addrtype = asked->address.size() == kIpv4Size ? AF_INET : AF_INET6;
  host->h_length = static_cast<int>(asked->address.size());
  set_ttl(call, ttl);
  *call.host_error = NETDB_SUCCESS;
  return NSS_STATUS_SUCCESS;
}

}  // namespace px::shim
