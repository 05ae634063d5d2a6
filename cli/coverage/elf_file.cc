// SPDX-License-Identifier: MIT
#include "cli/coverage/elf_file.h"

#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

// This program's own header, put there by the linker: the machine that libpx.so was built for.
extern "C" const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

namespace px::cli {
namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Dynamic = ElfW(Dyn);

constexpr std::size_t kLargestRead = 64 * 1024;  // as the kernel bounds the program headers
constexpr std::size_t kLongestName = 4096;
constexpr char kOutside[] = "damaged ELF file: a header points outside the file";

// Exactly `into.size()` bytes from `offset`, or false.
bool read_at(int fd, std::uint64_t offset, std::span<char> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    std::uint64_t position = 0;
    if (__builtin_add_overflow(offset, done, &position) || position > INT64_MAX) return false;
    const ssize_t count =
        pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(position));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

template <typename Element>
std::optional<std::vector<Element>> read_table(int fd, std::uint64_t offset, std::uint64_t bytes) {
  if (bytes > kLargestRead) return std::nullopt;
  std::vector<Element> table(bytes / sizeof(Element));
  if (!read_at(fd, offset, {reinterpret_cast<char*>(table.data()), table.size() * sizeof(Element)}))
    return std::nullopt;
  return table;
}

// A NUL-terminated string; the file may end soon after it.
std::optional<std::string> read_string(int fd, std::uint64_t offset) {
  std::string text;
  char piece[256];
  while (text.size() < kLongestName) {
    std::uint64_t position = 0;
    if (__builtin_add_overflow(offset, text.size(), &position) || position > INT64_MAX)
      return std::nullopt;
    const ssize_t count = pread(fd, piece, sizeof piece, static_cast<off_t>(position));
    if (count <= 0) return std::nullopt;
    char* const end = std::find(piece, piece + count, '\0');
    text.append(piece, end);
    if (end != piece + count) return text;
  }
  return std::nullopt;
}

const Segment* find_segment(const std::vector<Segment>& segments, ElfW(Word) type) {
  const auto found = std::find_if(segments.begin(), segments.end(), [type](const Segment& segment) {
    return segment.p_type == type;
  });
  return found == segments.end() ? nullptr : &*found;
}

// Where the file holds what the program sees at `address`.
std::optional<std::uint64_t> file_offset(const std::vector<Segment>& segments,
                                         std::uint64_t address) {
  for (const Segment& segment : segments) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
    const std::uint64_t within = address - segment.p_vaddr;
    std::uint64_t offset = 0;
    if (within < segment.p_filesz && !__builtin_add_overflow(segment.p_offset, within, &offset))
      return offset;
  }
  return std::nullopt;
}

std::uint64_t padded(std::uint64_t size) {
  return (size + 3) & ~std::uint64_t{3};
}

bool has_go_note(std::span<const char> notes) {
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes.data(), sizeof note);
    notes = notes.subspan(sizeof note);
    const std::uint64_t name_size = padded(note.n_namesz);
    const std::uint64_t size = name_size + padded(note.n_descsz);
    if (size > notes.size()) return false;
    const std::string_view name(notes.data(), note.n_namesz);
    if (name.substr(0, name.find('\0')) == "Go") return true;
    notes = notes.subspan(size);
  }
  return false;
}

// DT_NEEDED's names. A dynamic section that does not add up names nothing: the loader will say so.
std::vector<std::string> needed_libraries(int fd, const std::vector<Segment>& segments) {
  const Segment* dynamic = find_segment(segments, PT_DYNAMIC);
  if (dynamic == nullptr) return {};
  const auto table = read_table<Dynamic>(fd, dynamic->p_offset, dynamic->p_filesz);
  if (!table) return {};
  const auto end = std::find_if(table->begin(), table->end(),
                                [](const Dynamic& entry) { return entry.d_tag == DT_NULL; });
  const auto strings = std::find_if(table->begin(), end,
                                    [](const Dynamic& entry) { return entry.d_tag == DT_STRTAB; });
  if (strings == end) return {};
  const auto base = file_offset(segments, strings->d_un.d_ptr);
  std::vector<std::string> names;
  for (auto entry = table->begin(); base && entry != end; ++entry) {
    std::uint64_t position = 0;
    if (entry->d_tag != DT_NEEDED || __builtin_add_overflow(*base, entry->d_un.d_val, &position))
      continue;
    if (auto name = read_string(fd, position)) names.push_back(std::move(*name));
  }
  return names;
}

Expected<void> read_segments(int fd, const Header& header, ElfFacts& facts) {
  if (header.e_phentsize != sizeof(Segment)) return fail("damaged ELF file: odd program headers");
  const auto segments =
      read_table<Segment>(fd, header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Segment));
  if (!segments) return fail(kOutside);
  if (const Segment* interpreter = find_segment(*segments, PT_INTERP)) {
    if (interpreter->p_filesz < 2 || interpreter->p_filesz > kLongestName) return fail(kOutside);
    std::string text(interpreter->p_filesz, '\0');
    if (!read_at(fd, interpreter->p_offset, text)) return fail(kOutside);
    facts.interpreter = text.substr(0, text.find('\0'));
  }
  for (const Segment& segment : *segments) {
    if (segment.p_type != PT_NOTE) continue;
    const auto notes = read_table<char>(fd, segment.p_offset, segment.p_filesz);
    if (!notes) return fail(kOutside);
    facts.go = facts.go || has_go_note(*notes);
  }
  facts.needed = needed_libraries(fd, *segments);
  return {};
}

}  // namespace

Expected<std::optional<ElfFacts>> read_elf(int fd) {
  unsigned char identity[EI_NIDENT];
  if (!read_at(fd, 0, {reinterpret_cast<char*>(identity), sizeof identity}) ||
      std::memcmp(identity, ELFMAG, SELFMAG) != 0) {
    return std::nullopt;
  }
  const unsigned char elf_class = identity[EI_CLASS];
  if (elf_class != ELFCLASS32 && elf_class != ELFCLASS64)
    return fail("damaged ELF file: neither 32-bit nor 64-bit");
  ElfFacts facts;
  facts.bits = elf_class == ELFCLASS32 ? 32 : 64;
  if (elf_class != __ehdr_start.e_ident[EI_CLASS] ||
      identity[EI_DATA] != __ehdr_start.e_ident[EI_DATA]) {
    return facts;
  }
  Header header;
  if (!read_at(fd, 0, {reinterpret_cast<char*>(&header), sizeof header})) return fail(kOutside);
  facts.own_machine = header.e_machine == __ehdr_start.e_machine;
  if (!facts.own_machine) return facts;
  PX_TRY(read_segments(fd, header, facts));
  return facts;
}

}  // namespace px::cli
