// SPDX-License-Identifier: MIT
// The system calls that prepare and connect sockets, as a table of functions: what runs inside
// programs uses the bare ones, so that no hook is entered again and none is a cancellation point;
// the tests use their own. Results and errno as in libc. Callable from any thread and from signal
// handlers.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

namespace px::bundle {

using SignalMask = std::uint64_t;  // as the kernel has it: bit n - 1 is signal n

// What the kernel does at a signal (struct sigaction of the kernel, not libc's).
struct SignalAction {
  std::uintptr_t handler;  // SIG_DFL, SIG_IGN or a function
  unsigned long flags;     // SA_*
  std::uintptr_t restorer;
  SignalMask mask;
};

struct SystemCalls {
  int (*connect)(int fd, const sockaddr* address, socklen_t length) = nullptr;
  int (*bind)(int fd, const sockaddr* address, socklen_t length) = nullptr;
  int (*setsockopt)(int fd, int level, int name, const void* value, socklen_t length) = nullptr;
  int (*getsockopt)(int fd, int level, int name, void* value, socklen_t* length) = nullptr;
  int (*getsockname)(int fd, sockaddr* address, socklen_t* length) = nullptr;
  int (*getpeername)(int fd, sockaddr* address, socklen_t* length) = nullptr;
  int (*socket)(int domain, int type, int protocol) = nullptr;
  int (*close)(int fd) = nullptr;
  int (*fcntl)(int fd, int command, int argument) = nullptr;
  // The kernel's: writes the time that is left back, and takes a mask of 8 bytes.
  int (*ppoll)(pollfd* fds, unsigned count, timespec* timeout, const SignalMask* mask,
               std::size_t mask_size) = nullptr;
  int (*clock_gettime)(clockid_t clock, timespec* now) = nullptr;
  int (*sigprocmask)(int how, const SignalMask* mask, SignalMask* before,
                     std::size_t mask_size) = nullptr;
  int (*sigpending)(SignalMask* pending, std::size_t mask_size) = nullptr;
  int (*sigaction)(int signal, const SignalAction* action, SignalAction* before,
                   std::size_t mask_size) = nullptr;
};

template <long number, typename... Parameters>
int bare_system_call(Parameters... parameters) {
  return static_cast<int>(::syscall(number, parameters...));
}

inline constexpr SystemCalls kBareSystemCalls = {
    .connect = &bare_system_call<SYS_connect, int, const sockaddr*, socklen_t>,
    .bind = &bare_system_call<SYS_bind, int, const sockaddr*, socklen_t>,
    .setsockopt = &bare_system_call<SYS_setsockopt, int, int, int, const void*, socklen_t>,
    .getsockopt = &bare_system_call<SYS_getsockopt, int, int, int, void*, socklen_t*>,
    .getsockname = &bare_system_call<SYS_getsockname, int, sockaddr*, socklen_t*>,
    .getpeername = &bare_system_call<SYS_getpeername, int, sockaddr*, socklen_t*>,
    .socket = &bare_system_call<SYS_socket, int, int, int>,
    .close = &bare_system_call<SYS_close, int>,
    .fcntl = &bare_system_call<SYS_fcntl, int, int, int>,
    .ppoll =
        &bare_system_call<SYS_ppoll, pollfd*, unsigned, timespec*, const SignalMask*, std::size_t>,
    .clock_gettime = &bare_system_call<SYS_clock_gettime, clockid_t, timespec*>,
    .sigprocmask =
        &bare_system_call<SYS_rt_sigprocmask, int, const SignalMask*, SignalMask*, std::size_t>,
    .sigpending = &bare_system_call<SYS_rt_sigpending, SignalMask*, std::size_t>,
    .sigaction =
        &bare_system_call<SYS_rt_sigaction, int, const SignalAction*, SignalAction*, std::size_t>,
};

// CLOCK_MONOTONIC.
[[nodiscard]] inline std::int64_t monotonic_ms(const SystemCalls& system) {
  timespec now{};
  (void)system.clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// errno as it was, at the end of the scope.
class KeepErrno {
 public:
  KeepErrno() : errno_(errno) {}
  KeepErrno(const KeepErrno&) = delete;
  KeepErrno& operator=(const KeepErrno&) = delete;
  ~KeepErrno() { errno = errno_; }

 private:
  int errno_;
};

}  // namespace px::bundle
