// SPDX-License-Identifier: MIT
#include "preload/bundles/filter_program.h"

namespace px::shim {
namespace {

constexpr std::uint32_t kPass = 0xffffffff;  // bytes of the packet that are kept
constexpr std::uint32_t kDrop = 0;

// Negative offsets count from the network header, wherever the data begin.
constexpr std::uint32_t network_offset(std::uint32_t offset) {
  return static_cast<std::uint32_t>(SKF_NET_OFF) + offset;
}
constexpr std::uint32_t kIpv4Destination = network_offset(16);
constexpr std::uint32_t kIpv6Destination = network_offset(24);

constexpr std::uint16_t kLoadByte = BPF_LD | BPF_B | BPF_ABS;
constexpr std::uint16_t kLoadWord = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t kShiftRight = BPF_ALU | BPF_RSH | BPF_K;
constexpr std::uint16_t kIfEqual = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t kReturn = BPF_RET | BPF_K;

// In host byte order, as the filter's loads give it.
std::uint32_t word(const bundle::Address& address, std::size_t offset) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | address.bytes[offset + i];
  return value;
}

}  // namespace

FilterProgram::FilterProgram(const bundle::Bundle& set) {
  add(kLoadByte, network_offset(0));
  add(kShiftRight, 4);
  const std::size_t branch = size_;
  add(kIfEqual, 4);
  for (const bundle::Endpoint& member : set.members()) add_ipv4(member.address);
  add(kReturn, kDrop);
  code_[branch].jf = static_cast<std::uint8_t>(size_ - branch - 1);
  for (const bundle::Endpoint& member : set.members()) add_ipv6(member.address);
  add(kReturn, kDrop);
}

// `if_not`: instructions that are skipped where a comparison fails.
void FilterProgram::add(std::uint16_t operation, std::uint32_t operand, std::uint8_t if_not) {
  code_[size_++] = {.code = operation, .jt = 0, .jf = if_not, .k = operand};
}

void FilterProgram::add_ipv4(const bundle::Address& address) {
  if (address.is_unspecified()) {
    add(kReturn, kPass);
  } else if (address.is_ipv4()) {
    add(kLoadWord, kIpv4Destination);
    add(kIfEqual, word(address, 12), 1);
    add(kReturn, kPass);
  }
}

void FilterProgram::add_ipv6(const bundle::Address& address) {
  if (address.is_ipv4()) return;
  if (!address.is_unspecified()) {
    for (std::uint8_t i = 0; i < 4; ++i) {
      add(kLoadWord, kIpv6Destination + 4u * i);
      const auto rest = static_cast<std::uint8_t>(2 * (3 - i) + 1);
      add(kIfEqual, word(address, 4u * i), rest);
    }
  }
  add(kReturn, kPass);
}

}  // namespace px::shim
