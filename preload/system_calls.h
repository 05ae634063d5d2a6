// SPDX-License-Identifier: MIT
// The system calls that prepare a socket, as a table of functions: the shim uses the bare ones, so
// that no hook is entered again and none is a cancellation point; the tests use their own. Results
// and errno as in libc. Callable from any thread and from signal handlers.
#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace px::shim {

struct SystemCalls {
  int (*connect)(int fd, const sockaddr* address, socklen_t length);
  int (*bind)(int fd, const sockaddr* address, socklen_t length);
  int (*setsockopt)(int fd, int level, int name, const void* value, socklen_t length);
  int (*getsockopt)(int fd, int level, int name, void* value, socklen_t* length);
  int (*getsockname)(int fd, sockaddr* address, socklen_t* length);
  int (*getpeername)(int fd, sockaddr* address, socklen_t* length);
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
};

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

}  // namespace px::shim
