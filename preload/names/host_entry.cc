// SPDX-License-Identifier: MIT
#include "preload/names/host_entry.h"

#include <cstdint>
#include <cstring>

namespace px::shim {
namespace {

// Takes bytes off the caller's room, which may begin anywhere.
class Room {
 public:
  explicit Room(std::span<char> room) : rest_(room) {
    const auto misplaced = reinterpret_cast<std::uintptr_t>(room.data()) % alignof(char*);
    (void)take(misplaced == 0 ? 0 : alignof(char*) - misplaced);
  }

  // nullptr where there is not as much left.
  char* take(std::size_t size) {
    if (size > rest_.size()) {
      rest_ = {};
      return nullptr;
    }
    char* taken = rest_.data();
    rest_ = rest_.subspan(size);
    return taken;
  }

 private:
  std::span<char> rest_;
};

}  // namespace

bool write_host_entry(const bundle::Bundle& bundle, int family, std::string_view name,
                      std::span<char> room, hostent* entry) {
  const bool ipv4 = family == AF_INET;
  const std::size_t length = ipv4 ? 4 : 16;
  std::size_t count = 0;
  for (const bundle::Endpoint& endpoint : bundle.members()) {
    if (endpoint.address.is_ipv4() == ipv4) ++count;
  }
  Room left(room);
  // The addresses, a null; and a null alone, since a bundle has no aliases.
  char* pointers = left.take((count + 2) * sizeof(char*));
  char* addresses = left.take(count * length);
  char* text = left.take(name.size() + 1);
  if (pointers == nullptr || addresses == nullptr || text == nullptr) return false;
  auto** list = reinterpret_cast<char**>(pointers);
  for (const bundle::Endpoint& endpoint : bundle.members()) {
    if (endpoint.address.is_ipv4() != ipv4) continue;
    std::memcpy(addresses, endpoint.address.bytes.data() + 16 - length, length);
    *list++ = addresses;
    addresses += length;
  }
  list[0] = list[1] = nullptr;
  name.copy(text, name.size());
  text[name.size()] = '\0';
  entry->h_name = text;
  entry->h_aliases = list + 1;
  entry->h_addrtype = family;
  entry->h_length = static_cast<int>(length);
  entry->h_addr_list = list - count;
  return true;
}

int host_error(int error) {
  switch (error) {
    case EAI_AGAIN:
      return TRY_AGAIN;
    case EAI_FAIL:
      return NO_RECOVERY;
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
      return NO_DATA;
    case EAI_MEMORY:
    case EAI_SYSTEM:
      return NETDB_INTERNAL;
    default:
      return HOST_NOT_FOUND;
  }
}

}  // namespace px::shim
