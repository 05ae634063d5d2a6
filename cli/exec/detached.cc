// SPDX-License-Identifier: MIT
#include "cli/exec/detached.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

namespace px::cli {
namespace {

struct Pipe {
  Fd read;
  Fd write;
};

Expected<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno("cannot make a pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

// Made before the fork: between fork and execve, nothing is allocated.
struct Execution {
  std::vector<char*> arguments;
  std::vector<char*> variables;
  int null;
  int ready;
  int errors;
};

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) {
    if (number != SIGKILL && number != SIGSTOP) std::signal(number, SIG_DFL);
  }
  // Nobody reads its standard error any more once it serves.
  std::signal(SIGPIPE, SIG_IGN);
  // So that it can say that its plans are too big, rather than die of it.
  std::signal(SIGXFSZ, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The program's limits are not meant for its broker, which is larger and lives as long.
void raise_limits() {
  for (const auto resource : {RLIMIT_AS, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_NOFILE}) {
    rlimit limit{};
    if (getrlimit(resource, &limit) != 0) continue;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(resource, &limit);
  }
}

void print_failure(const char* file) {
  const int error = errno;
  for (const std::string_view part :
       {std::string_view("cannot run "), std::string_view(file), std::string_view(": "),
        std::string_view(strerrordesc_np(error)), std::string_view("\n")}) {
    if (write(STDERR_FILENO, part.data(), part.size()) < 0) return;
  }
}

[[noreturn]] void become(const Execution& execution) {
  raise_limits();
  umask(077);
  dup2(execution.null, STDIN_FILENO);
  dup2(execution.null, STDOUT_FILENO);
  dup2(execution.errors, STDERR_FILENO);
  // dup2 onto itself would leave it close-on-exec.
  if (execution.ready == kReadyDescriptor) {
    fcntl(execution.ready, F_SETFD, 0);
  } else {
    dup2(execution.ready, kReadyDescriptor);
  }
  syscall(SYS_close_range, kReadyDescriptor + 1, ~0U, 0);
  if (chdir("/") == 0)
    execve(execution.arguments[0], execution.arguments.data(), execution.variables.data());
  print_failure(execution.arguments[0]);
  _exit(127);
}

// fork() whose child's end sends no signal: a SIGCHLD could stay pending over the coming exec.
pid_t quiet_fork() {
  return static_cast<pid_t>(syscall(SYS_clone, 0, nullptr, nullptr, nullptr, 0));
}

// Closes all descriptors from 3 on but these two.
void close_all_but(std::array<int, 2> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned first = STDERR_FILENO + 1;
  for (const int fd : kept) {
    const auto number = static_cast<unsigned>(fd);
    if (number > first) syscall(SYS_close_range, first, number - 1, 0);
    first = number + 1;
  }
  syscall(SYS_close_range, first, ~0U, 0);
}

// Calls `work` in a process that is nobody's child, and returns in this one.
Expected<void> fork_twice(const std::function<void()>& work) {
  const pid_t child = quiet_fork();
  if (child < 0) return fail_errno("cannot fork");
  if (child == 0) {
    const pid_t grandchild = quiet_fork();
    if (grandchild == 0) {
      setsid();
      reset_signals();
      work();
      _exit(0);
    }
    _exit(grandchild < 0 ? 1 : 0);
  }
  int status = 0;
  pid_t waited = 0;
  do {
    waited = waitpid(child, &status, __WALL);
  } while (waited < 0 && errno == EINTR);
  if (waited < 0) return fail_errno("cannot wait for a child");
  if (status != 0) return fail("cannot fork");
  return {};
}

Expected<Fd> open_null() {
  Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return fail_errno("/dev/null");
  return null;
}

}  // namespace

Expected<Detached> start_detached(const std::vector<std::string>& words,
                                  const std::vector<std::string>& variables) {
  PX_ASSIGN_OR_RETURN(Pipe ready, make_pipe());
  PX_ASSIGN_OR_RETURN(Pipe errors, make_pipe());
  PX_ASSIGN_OR_RETURN(const Fd null, open_null());
  const Execution execution{pointers(words), pointers(variables), null.get(), ready.write.get(),
                            errors.write.get()};
  PX_TRY(fork_twice([&execution] { become(execution); }));
  return Detached{std::move(ready.read), std::move(errors.read)};
}

Expected<void> run_detached(std::array<int, 2> descriptors, const std::function<void()>& work) {
  PX_ASSIGN_OR_RETURN(const Fd null, open_null());
  return fork_twice([&] {
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
      dup2(null.get(), standard);
    close_all_but(descriptors);
    if (chdir("/") == 0) work();
  });
}

}  // namespace px::cli
