// SPDX-License-Identifier: MIT
// An ELF program made by hand, for tests: a header, and segments with what they hold behind them.
#pragma once

#include <elf.h>
#include <link.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace px {

struct ElfImage {
  ElfW(Ehdr) header{};
  std::vector<ElfW(Phdr)> segments;
  std::string content;  // after header and program headers

  // As the running test's own.
  ElfImage() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
#if defined(__x86_64__)
    header.e_machine = EM_X86_64;
#elif defined(__aarch64__)
    header.e_machine = EM_AARCH64;
#else
#error "the machine of this test is not known to it"
#endif
    header.e_type = ET_DYN;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(ElfW(Phdr));
  }

  // Offsets are set by bytes(); until then they count from the content's start.
  void add(ElfW(Word) type, std::string_view bytes) {
    ElfW(Phdr) segment{};
    segment.p_type = type;
    segment.p_offset = content.size();
    segment.p_filesz = bytes.size();
    segments.push_back(segment);
    content += bytes;
  }

  [[nodiscard]] std::string bytes() const {
    ElfW(Ehdr) whole = header;
    if (whole.e_phnum == 0) whole.e_phnum = static_cast<ElfW(Half)>(segments.size());
    std::string text(reinterpret_cast<const char*>(&whole), sizeof whole);
    for (ElfW(Phdr) segment : segments) {
      segment.p_offset += sizeof whole + segments.size() * sizeof segment;
      text.append(reinterpret_cast<const char*>(&segment), sizeof segment);
    }
    return text + content;
  }
};

inline std::string elf_note(std::string_view name, ElfW(Word) name_size, ElfW(Word) text_size) {
  const ElfW(Nhdr) note{name_size, text_size, 4};
  return std::string(reinterpret_cast<const char*>(&note), sizeof note) + std::string(name);
}

}  // namespace px
