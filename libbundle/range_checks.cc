// SPDX-License-Identifier: MIT
// What libstdc++'s headers call when a range check fails. There is no libstdc++ here to throw, and
// no program to catch: a check that optimization did not prove away stops the process.
namespace std {

[[noreturn]] void __throw_out_of_range_fmt(const char*, ...);
[[noreturn]] void __glibcxx_assert_fail(const char*, int, const char*, const char*) noexcept;

void __throw_out_of_range_fmt(const char*, ...) {
  __builtin_trap();
}

void __glibcxx_assert_fail(const char*, int, const char*, const char*) noexcept {
  __builtin_trap();
}

}  // namespace std

// What stands in the table of an abstract class.
extern "C" [[noreturn, gnu::visibility("hidden")]] void __cxa_pure_virtual() {
  __builtin_trap();
}
