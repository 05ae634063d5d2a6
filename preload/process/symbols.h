// SPDX-License-Identifier: MIT
// libc's own calls behind the interposed ones. Until find_symbols() has run, and where libc lacks
// one, they are the bare system calls. Owned by lib.cc; written once, by the constructor, while the
// process has one thread; afterwards callable from any thread and from signal handlers.
#pragma once

#include <fcntl.h>
#include <netdb.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <ctime>
#include <type_traits>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36's lacks this
// What recvfrom is under _FORTIFY_SOURCE; libc declares it only there.
ssize_t __recvfrom_chk(int fd, void* buffer, size_t size, size_t buffer_size, int flags,
                       sockaddr* address, socklen_t* length);
}

namespace px::shim {

// A function pointer's type as a plain signature.
template <typename Pointer>
struct SignatureOf;
template <typename Result, typename... Parameters>
struct SignatureOf<Result (*)(Parameters...)> {
  using Type = Result(Parameters...);
};
template <typename Result, typename... Parameters>
struct SignatureOf<Result (*)(Parameters...) noexcept> {
  using Type = Result(Parameters...);
};
template <typename Result, typename... Parameters>
struct SignatureOf<Result (*)(Parameters..., ...)> {
  using Type = Result(Parameters..., ...);
};
template <typename Result, typename... Parameters>
struct SignatureOf<Result (*)(Parameters..., ...) noexcept> {
  using Type = Result(Parameters..., ...);
};

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

// That a result is to be looked at is no part of a signature.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"
#define PX_ALIAS(other_name, call)
#define PX_NAMES(name, result, parameters)                                               \
  static_assert(std::is_same_v<SignatureOf<decltype(&::name)>::Type, result parameters>, \
                #name " is not declared like this by libc");
#define PX_CALL(name, number, result, parameters) PX_NAMES(name, result, parameters)
#include "preload/interposed.def"
#undef PX_CALL
#undef PX_NAMES
#pragma GCC diagnostic pop

struct Symbols {
// NOLINTBEGIN(bugprone-macro-parentheses): these are declarations
#define PX_CALL(name, number, result, parameters) \
  result(*name) parameters = &BareCall<number, result parameters>::call;
#define PX_NAMES(name, result, parameters) \
  result(*name) parameters = &NoNames<result parameters>::call;
// NOLINTEND(bugprone-macro-parentheses)
#include "preload/interposed.def"
#undef PX_NAMES
#undef PX_CALL
};
#undef PX_ALIAS

// Looks up the next definition of each call after libpx.so's.
void find_symbols(Symbols* symbols);

}  // namespace px::shim
