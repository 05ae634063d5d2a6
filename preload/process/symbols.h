// SPDX-License-Identifier: MIT
// libc's own calls behind the interposed ones. Until find_symbols() has run, and where libc lacks
// one, they are the bare system calls. Owned by lib.cc; written once, by the constructor, while the
// process has one thread; afterwards callable from any thread and from signal handlers.
#pragma once

#include <fcntl.h>
#include <netdb.h>
#include <resolv.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <ctime>
#include <type_traits>

#include "preload/process/bare_calls.h"

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

// That a result is to be looked at is no part of a signature.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"
#define PX_ALIAS(other_name, call)
#define PX_NAMES_ALIAS(other_name, call)
#define PX_SERVICE(name)
#define PX_NAMES(name, result, parameters)                                               \
  static_assert(std::is_same_v<SignatureOf<decltype(&::name)>::Type, result parameters>, \
                #name " is not declared like this by libc");
#define PX_CALL(name, number, result, parameters) PX_NAMES(name, result, parameters)
#include "preload/interposed.def"
#pragma GCC diagnostic pop

struct Symbols {
// NOLINTBEGIN(bugprone-macro-parentheses): these are declarations
#define PX_CALL(name, number, result, parameters) \
  result(*name) parameters = &BareCall<number, result parameters>::call;
#define PX_NAMES(name, result, parameters) \
  result(*name) parameters = &NoNames<result parameters>::call;
// NOLINTEND(bugprone-macro-parentheses)
#define PX_ALIAS(other_name, call)
#define PX_NAMES_ALIAS(other_name, call)
#define PX_SERVICE(name)
#include "preload/interposed.def"
};

// Looks up the next definition of each call after libpx.so's.
void find_symbols(Symbols* symbols);

}  // namespace px::shim
