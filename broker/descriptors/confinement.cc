// SPDX-License-Identifier: MIT
#include "broker/descriptors/confinement.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace px::broker {
namespace {

constexpr unsigned kFirstToClose = 3;
constexpr char kName[] = "pxd-descriptors";

// Above those that it is about to put them in the place of.
int moved_up(int descriptor) {
  return fcntl(descriptor, F_DUPFD, static_cast<int>(kFirstToClose));
}

bool keep_descriptors(int tasks, int results) {
  const int moved_tasks = moved_up(tasks);
  const int moved_results = moved_up(results);
  return dup2(moved_tasks, STDIN_FILENO) == STDIN_FILENO &&
         dup2(moved_results, STDOUT_FILENO) == STDOUT_FILENO &&
         syscall(SYS_close_range, kFirstToClose, ~0U, 0) == 0;
}

// Plans, which whoever has mapped counts as a program that uses them, and counters pages.
void unmap_shared_files() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    char dash = 0;
    std::string access;
    fields >> std::hex >> first >> dash >> last >> access;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): /proc/self/maps gives addresses as text alone
    if (access.ends_with('s')) (void)munmap(reinterpret_cast<void*>(first), last - first);
  }
}

// The broker's handlers write into a pipe of its event loop. A terminal's ^C, and a service
// manager's SIGTERM, are the broker's to act on.
void reset_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) (void)std::signal(signal, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return false;
  const std::uint32_t kept = sets[0].permitted & (1U << CAP_NET_ADMIN);
  sets = {};
  sets[0].permitted = sets[0].effective = kept;
  (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(SYS_capset, &header, sets.data()) == 0;
}

// Whoever waits for the broker comes before whoever gives it descriptors.
void give_up_priority() {
  if (getpriority(PRIO_PROCESS, 0) < 0) (void)setpriority(PRIO_PROCESS, 0, 0);
}

// The parent may have ended before that was asked for.
bool end_with(pid_t parent) {
  return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

}  // namespace

bool confine_descriptor_process(int tasks, int results, pid_t parent) {
  (void)prctl(PR_SET_NAME, kName);
  reset_signals();
  unmap_shared_files();
  give_up_priority();
  return keep_descriptors(tasks, results) && drop_capabilities() && end_with(parent);
}

}  // namespace px::broker
