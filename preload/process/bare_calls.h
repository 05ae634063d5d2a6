// SPDX-License-Identifier: MIT
// What the calls of interposed.def are until libc's own are known (symbols.h): the system calls of
// the same signatures, and for what asks others for names, a failure. Callable from any thread.
#pragma once

#include <netdb.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <type_traits>

namespace px::shim {

// libc's syscall(), the next one after libpx.so's.
[[nodiscard]] long (*next_syscall())(long, ...);

// The system call of that number with that signature.
template <long number, typename Signature>
struct BareCall;
template <long number, typename Result, typename... Parameters>
struct BareCall<number, Result(Parameters...)> {
  static Result call(Parameters... parameters) {
    return static_cast<Result>(::syscall(number, parameters...));
  }
};
// fcntl and ioctl.
template <long number, typename Command>
struct BareCall<number, int(int, Command, ...)> {
  static int call(int fd, Command command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    return static_cast<int>(::syscall(number, fd, command, argument));
  }
};
template <>
struct BareCall<SYS_prctl, int(int, ...)> {
  static int call(int option, ...) {
    unsigned long words[4];
    va_list arguments;
    va_start(arguments, option);
    for (unsigned long& word : words) word = va_arg(arguments, unsigned long);
    va_end(arguments);
    return static_cast<int>(::syscall(SYS_prctl, option, words[0], words[1], words[2], words[3]));
  }
};
// In libpx.so syscall() is its own: libc's has to be looked up.
template <>
struct BareCall<0, long(long, ...)> {
  static long call(long number, ...) {
    long words[6];
    va_list arguments;
    va_start(arguments, number);
    for (long& word : words) word = va_arg(arguments, long);
    va_end(arguments);
    return next_syscall()(number, words[0], words[1], words[2], words[3], words[4], words[5]);
  }
};
// send is a system call of few machines.
template <>
struct BareCall<SYS_sendto, ssize_t(int, const void*, size_t, int)> {
  static ssize_t call(int fd, const void* data, size_t size, int flags) {
    return ::syscall(SYS_sendto, fd, data, size, flags, nullptr, socklen_t{0});
  }
};
template <>
struct BareCall<SYS_recvfrom, ssize_t(int, void*, size_t, size_t, int, sockaddr*, socklen_t*)> {
  static ssize_t call(int fd, void* buffer, size_t size, size_t buffer_size, int flags,
                      sockaddr* address, socklen_t* length) {
    if (size > buffer_size) __builtin_trap();
    return ::syscall(SYS_recvfrom, fd, buffer, size, flags, address, length);
  }
};

// A call that asks others for names.
template <typename Signature>
struct NoNames;
template <typename Result, typename... Parameters>
struct NoNames<Result(Parameters...)> {
  static Result call(Parameters...) {
    errno = ENOSYS;
    if constexpr (std::is_pointer_v<Result>) {
      return nullptr;
    } else {
      return EAI_SYSTEM;
    }
  }
};

}  // namespace px::shim
