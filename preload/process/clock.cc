// SPDX-License-Identifier: MIT
#include "preload/process/clock.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <string_view>

namespace px::shim {
namespace {

using Clock = int (*)(clockid_t clock, timespec* now);
using Place = std::uintptr_t;

constinit Clock vdso_clock = nullptr;

template <typename Type>
const Type* at(Place place) {
  return reinterpret_cast<const Type*>(place);  // NOLINT(performance-no-int-to-ptr): from auxv
}

// The shared object that the kernel maps into every process; of its dynamic section, what names
// functions.
struct Vdso {
  Place moved = 0;  // from the addresses in the object to those in memory
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  const std::uint32_t* hash = nullptr;  // of two words, the second counts the symbols
};

Vdso read_vdso(Place base) {
  Vdso vdso;
  Place dynamic = 0;
  const auto* header = at<ElfW(Ehdr)>(base);
  const auto* segments = at<ElfW(Phdr)>(base + header->e_phoff);
  for (std::size_t i = 0; i < header->e_phnum; ++i) {
    const auto& segment = segments[i];
    if (segment.p_type == PT_LOAD) vdso.moved = base + segment.p_offset - segment.p_vaddr;
    if (segment.p_type == PT_DYNAMIC) dynamic = base + segment.p_offset;
  }
  if (dynamic == 0) return vdso;
  for (const auto* entry = at<ElfW(Dyn)>(dynamic); entry->d_tag != DT_NULL; ++entry) {
    const Place value = vdso.moved + entry->d_un.d_ptr;
    if (entry->d_tag == DT_SYMTAB) vdso.symbols = at<ElfW(Sym)>(value);
    if (entry->d_tag == DT_STRTAB) vdso.names = at<char>(value);
    if (entry->d_tag == DT_HASH) vdso.hash = at<std::uint32_t>(value);
  }
  return vdso;
}

}  // namespace

void find_clock() {
  const Place base = ::getauxval(AT_SYSINFO_EHDR);
  if (base == 0) return;
  const Vdso vdso = read_vdso(base);
  if (vdso.symbols == nullptr || vdso.names == nullptr || vdso.hash == nullptr) return;
  for (std::uint32_t i = 0; i < vdso.hash[1]; ++i) {
    const auto& symbol = vdso.symbols[i];
    const std::string_view name(vdso.names + symbol.st_name);
    // As the architectures have it.
    if (symbol.st_shndx == SHN_UNDEF ||
        (name != "__vdso_clock_gettime" && name != "__kernel_clock_gettime")) {
      continue;
    }
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of the kernel's
    vdso_clock = reinterpret_cast<Clock>(vdso.moved + symbol.st_value);
  }
}

std::int64_t clock_ms(clockid_t clock) {
  timespec now{};
  if (vdso_clock == nullptr || vdso_clock(clock, &now) != 0) {
    ::syscall(SYS_clock_gettime, clock, &now);
  }
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

}  // namespace px::shim
