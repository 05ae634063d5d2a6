// SPDX-License-Identifier: MIT
#include "preload/confinement.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "preload/process/program_memory.h"

namespace px::shim {
namespace {

bool installs_filter(long number, const long (&arguments)[6]) {
  if (number == SYS_prctl) return arguments[0] == PR_SET_SECCOMP;
  return number == SYS_seccomp &&
         (arguments[0] == SECCOMP_SET_MODE_STRICT || arguments[0] == SECCOMP_SET_MODE_FILTER);
}

}  // namespace

bool Confinement::concerns(long number) {
  return number == SYS_seccomp || number == SYS_prctl || number == SYS_chroot ||
         number == SYS_pivot_root;
}

void Confinement::say_hello() {
  if (!decider_.is_passthrough()) (void)session_.ensure_session();
}

void Confinement::is_filtered_now() {
  set_filtered(&settings_);
  trust_memory();
}

int Confinement::chroot(const char* path) {
  say_hello();
  return libc_.chroot(path);
}

int Confinement::prctl(int option, const unsigned long (&arguments)[4]) {
  const bool filter = option == PR_SET_SECCOMP;
  if (filter) say_hello();
  const int result = libc_.prctl(option, arguments[0], arguments[1], arguments[2], arguments[3]);
  if (filter && result == 0) is_filtered_now();
  return result;
}

long Confinement::syscall(long number, const long (&arguments)[6]) {
  const bool filter = installs_filter(number, arguments);
  if (filter || number == SYS_chroot || number == SYS_pivot_root) say_hello();
  const long result = libc_.syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                                    arguments[4], arguments[5]);
  if (filter && result >= 0) is_filtered_now();
  return result;
}

}  // namespace px::shim
