// SPDX-License-Identifier: MIT
// libpx.so: the interposed calls, and the constructor that brings them to life. Before it has run
// each is libc's own.
#include "preload/lib.h"

#include <linux/sockios.h>
#include <sys/mman.h>

#include <cstdarg>
#include <optional>

#include "preload/addressing.h"
#include "preload/bundles/accepting.h"
#include "preload/bundles/binding.h"
#include "preload/bundles/connecting.h"
#include "preload/bundles/listener_filters.h"
#include "preload/bundles/socket_addresses.h"
#include "preload/bundles/sockets.h"
#include "preload/confinement.h"
#include "preload/datagrams/datagrams.h"
#include "preload/datagrams/local_address_cache.h"
#include "preload/datagrams/receiving.h"
#include "preload/datagrams/redirecting.h"
#include "preload/datagrams/route_probe.h"
#include "preload/names/address_names.h"
#include "preload/names/bundle_cache.h"
#include "preload/names/host_names.h"
#include "preload/process/clock.h"
#include "preload/process/privileges.h"
#include "preload/process/program_memory.h"
#include "preload/process/settings.h"
#include "preload/process/symbols.h"
#include "preload/process/system_calls.h"
#include "preload/sending.h"
#include "preload/session/answered_names.h"
#include "preload/session/broker_session.h"
#include "preload/session/counters_page.h"
#include "preload/session/current_plan.h"
#include "preload/session/decider.h"
#include "preload/session/hello.h"
#include "preload/session/mark_request.h"
#include "preload/session/marker.h"
#include "preload/session/member_health.h"
#include "preload/session/process_state.h"
#include "preload/sockets/call_address.h"
#include "preload/sockets/fd_table.h"
#include "preload/sockets/given_sources.h"
#include "preload/sockets/kernel_transports.h"
#include "preload/sockets/program_choices.h"
#include "preload/streams/connector.h"
#include "preload/streams/listening.h"
#include "preload/streams/tcp_compatibility.h"

namespace px::shim {

constinit Symbols libc;
constinit bool active = false;

namespace {

constinit Settings settings;  // written once, before the program has threads

constinit ProcessState process_state;
constinit CurrentPlan current_plan;
constinit CountersPage counters(process_state);
constinit BrokerSession session(settings, process_state, current_plan, counters, &say_hello);
constinit AnsweredNames answered_names;
constinit Decider decider(current_plan, session, answered_names);
constinit Marker marker(kBareSystemCalls, settings, session, &request_mark);
constinit MemberHealth health(settings, current_plan);
constinit Confinement confinement(libc, settings, decider, session);

constinit FdTable fds;
constinit GivenSources given_sources;
constinit Connector connector(kBareSystemCalls, fds, current_plan, decider, marker, counters,
                              given_sources);
constinit TcpCompatibility tcp(libc, kBareSystemCalls, current_plan);
constinit LocalAddressCache local_addresses;
constinit LocalAddressCache asked_servers;
constinit Redirecting redirecting(kBareSystemCalls, fds, current_plan, decider, asked_servers);
constinit Datagrams datagrams(kBareSystemCalls, fds, current_plan, session, decider, marker,
                              counters, local_addresses, redirecting, &probe_route);
constinit Receiving receiving(libc, kBareSystemCalls, fds, current_plan, decider, local_addresses,
                              redirecting);

constinit BundleCache bundle_cache;
constinit KernelTransports transports(libc);
constinit BundleSockets sockets(libc, kBareSystemCalls, fds, current_plan, session, transports);
constinit BundleConnecting connecting(kBareSystemCalls, settings, fds, current_plan, session,
                                      decider, health, connector, bundle_cache);
constinit ListenerFilters listener_filters(kBareSystemCalls, fds);
constinit BundleBinding binding(libc, kBareSystemCalls, fds, current_plan, bundle_cache,
                                listener_filters);
constinit BundleAccepting accepting(libc, kBareSystemCalls, fds, listener_filters);
constinit SocketAddresses socket_addresses(libc, kBareSystemCalls, fds, listener_filters);

constinit EarlyQuestions early_questions;
constinit RecentAnswers recent_answers;
constinit ProfileNames profile_names(settings, current_plan, session, &request_lookup,
                                     early_questions, recent_answers);

}  // namespace

constinit AnswerNotes answer_notes(libc, current_plan, profile_names, answered_names);

namespace {

constinit OrderedLookup ordered_lookup(answer_notes, kBareSystemCalls, current_plan, decider);
constinit AddressNames address_names(libc, ordered_lookup, profile_names, current_plan, decider,
                                     health, transports, bundle_cache, answer_notes);
constinit HostNames host_names(ordered_lookup, profile_names, decider, health, bundle_cache,
                               answer_notes);
constinit HostsLine hosts_line(settings, &__nss_configure_lookup, "/etc/nsswitch.conf");

}  // namespace

constinit NameDispatch names(libc, current_plan, session,
                             {address_names, host_names, ordered_lookup, profile_names, hosts_line,
                              answer_notes});
constinit NameService name_service(profile_names, answer_notes);
constinit ResolverCalls resolver_calls(profile_names);

namespace {

// What names were answered with, with the processes that are forked: some look names up in one
// process and connect in another. Zeros are empty tables, and pages that are never touched cost
// nothing. Where memory is short, all stays as it is.
void share_with_forked() {
  struct Shared {
    BundleCache::Table bundles;
    AnsweredNames::Table names;
  };
  void* place =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) return;
  bundle_cache.share(&static_cast<Shared*>(place)->bundles);
  answered_names.share(&static_cast<Shared*>(place)->names);
}

// The module is linked with `-z initfirst`: no other library's constructor connects before this.
// That is before libc has set `environ`, so the environment is the loader's argument.
[[gnu::constructor]] void start(int, char**, char** environment) {
  const KeepErrno keep;
  find_symbols(&libc);
  find_clock();
  set_stack_end(environment);
  settings = read_settings(environment);
  process_state.start();
  current_plan.start(settings);
  if (!has_privileges()) share_with_forked();
  active = true;
}

// A new descriptor: nothing is known about the socket behind it.
int made(int fd) {
  if (active && fd >= 0) fds.forget(fd);
  return fd;
}

int duplicated(int fd, int copy) {
  if (active) fds.duplicated(fd, copy);
  return copy;
}

int control(int (*real)(int, int, ...), int fd, int command, void* argument) {
  const int result = real(fd, command, argument);
  if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) return duplicated(fd, result);
  return result;
}

constinit Addressing addressing(libc, fds, current_plan, connector, connecting, binding, datagrams,
                                receiving, redirecting, tcp);

int connect_to(int fd, const CallAddress& destination) {
  return addressing.connect_to(fd, destination);
}
constinit Sending sending(libc, kBareSystemCalls, fds, connector, datagrams, redirecting, tcp,
                          &connect_to);

// Where nothing of px's can matter libc is called last of all: behind a system call every return is
// mispredicted, which costs more than all else here.
bool writes_as_libc(int fd) {
  return tcp.rules_out_sctp() || fds.get(fd).no_sctp;
}

}  // namespace
}  // namespace px::shim

using namespace px::shim;

PX_EXPORT int socket(int domain, int type, int protocol) noexcept {
  if (!active) return libc.socket(domain, type, protocol);
  return sockets.socket(domain, type, protocol);
}

PX_EXPORT int connect(int fd, const sockaddr* address, socklen_t length) {
  if (!active) return libc.connect(fd, address, length);
  return addressing.connect(fd, address, length);
}

PX_EXPORT ssize_t write(int fd, const void* data, size_t size) {
  if (writes_as_libc(fd)) return libc.write(fd, data, size);
  return sending.write(fd, data, size);
}

PX_EXPORT ssize_t writev(int fd, const iovec* parts, int count) {
  if (writes_as_libc(fd)) return libc.writev(fd, parts, count);
  return sending.writev(fd, parts, count);
}

PX_EXPORT ssize_t send(int fd, const void* data, size_t size, int flags) {
  if (sending.leaves_alone(fd)) return libc.send(fd, data, size, flags);
  return sending.send(fd, data, size, flags);
}

PX_EXPORT ssize_t sendto(int fd, const void* data, size_t size, int flags, const sockaddr* address,
                         socklen_t length) {
  if (!active || (address == nullptr && sending.leaves_alone(fd))) {
    return libc.sendto(fd, data, size, flags, address, length);
  }
  return sending.sendto(fd, data, size, flags, address, length);
}

PX_EXPORT ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  if (!active || sending.leaves_messages_alone(fd, flags)) return libc.sendmsg(fd, message, flags);
  return sending.sendmsg(fd, message, flags);
}

PX_EXPORT int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  if (!active) return libc.sendmmsg(fd, messages, count, flags);
  return sending.sendmmsg(fd, messages, count, flags);
}

PX_EXPORT int bind(int fd, const sockaddr* address, socklen_t length) noexcept {
  if (!active) return libc.bind(fd, address, length);
  return addressing.bind(fd, address, length);
}

PX_EXPORT int setsockopt(int fd, int level, int name, const void* value,
                         socklen_t length) noexcept {
  const int result = libc.setsockopt(fd, level, name, value, length);
  if (!active) return result;
  if (result != 0) return tcp.option_set(result, fd, level, name, value, length);
  note_option(&fds, fd, level, name, value, length);
  receiving.option_set(fd, level, name, value, length);
  return result;
}

PX_EXPORT int getsockopt(int fd, int level, int name, void* value, socklen_t* length) noexcept {
  const int result = libc.getsockopt(fd, level, name, value, length);
  if (!active) return result;
  return tcp.option_got(result, fd, level, name, value, length);
}

// Its argument is where a variadic call puts it, on every machine of Linux; to fetch it by va_arg
// would cost more than the call.
PX_EXPORT int own_ioctl(int fd, unsigned long request, void* argument) noexcept __asm__("ioctl");
int own_ioctl(int fd, unsigned long request, void* argument) noexcept {
  if (request != SIOCOUTQ || !active) return libc.ioctl(fd, request, argument);
  const int result = libc.ioctl(fd, request, argument);
  return result >= 0 ? result : tcp.queue_query_failed(fd, argument);
}

PX_EXPORT int listen(int fd, int backlog) noexcept {
  if (active &&
      !prepare_listen(kBareSystemCalls, current_plan, session, marker, given_sources, fd)) {
    return -1;
  }
  return libc.listen(fd, backlog);
}

PX_EXPORT int accept(int fd, sockaddr* address, socklen_t* length) {
  if (!active) return libc.accept(fd, address, length);
  return accepting.accept(fd, address, length, std::nullopt);
}

PX_EXPORT int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  if (!active) return libc.accept4(fd, address, length, flags);
  return accepting.accept(fd, address, length, flags);
}

PX_EXPORT int getsockname(int fd, sockaddr* address, socklen_t* length) noexcept {
  if (!active) return libc.getsockname(fd, address, length);
  return socket_addresses.getsockname(fd, address, length);
}

PX_EXPORT int getpeername(int fd, sockaddr* address, socklen_t* length) noexcept {
  if (!active) return libc.getpeername(fd, address, length);
  const bool sctp = tcp.may_be_sctp();
  const bool redirected = redirecting.concerns(fd);
  const bool corrected = (sctp || redirected) && can_read(length, sizeof *length);
  const socklen_t room = corrected ? *length : 0;
  const int result = socket_addresses.getpeername(fd, address, length);
  if (!corrected || result != 0) return result;
  if (redirected) redirecting.correct(fd, address, room, length, std::nullopt);
  if (sctp && fds.notes(fd).role == BundleRole::kNone) {
    tcp.correct_peer(fd, address, room, length);
  }
  return result;
}

PX_EXPORT int dup(int fd) noexcept {
  return duplicated(fd, libc.dup(fd));
}

PX_EXPORT int dup2(int fd, int copy) noexcept {
  return duplicated(fd, libc.dup2(fd, copy));
}

PX_EXPORT int dup3(int fd, int copy, int flags) noexcept {
  return duplicated(fd, libc.dup3(fd, copy, flags));
}

PX_EXPORT int fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return control(libc.fcntl, fd, command, argument);
}

PX_EXPORT int fcntl64(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return control(libc.fcntl64, fd, command, argument);
}

PX_EXPORT int pidfd_getfd(int pidfd, int target, unsigned flags) noexcept {
  return made(libc.pidfd_getfd(pidfd, target, flags));
}

PX_EXPORT ssize_t recvfrom(int fd, void* data, size_t size, int flags, sockaddr* address,
                           socklen_t* length) {
  if (!active) return libc.recvfrom(fd, data, size, flags, address, length);
  return receiving.recvfrom(fd, data, size, flags, address, length);
}

PX_EXPORT ssize_t __recvfrom_chk(int fd, void* data, size_t size, size_t data_size, int flags,
                                 sockaddr* address, socklen_t* length) {
  if (!active || size > data_size) {
    return libc.__recvfrom_chk(fd, data, size, data_size, flags, address, length);
  }
  return receiving.recvfrom(fd, data, size, flags, address, length);
}

PX_EXPORT ssize_t recvmsg(int fd, msghdr* message, int flags) {
  if (!active) return libc.recvmsg(fd, message, flags);
  const ssize_t result = receiving.recvmsg(fd, message, flags);
  if (result >= 0) note_received(&fds, *message);
  return result;
}

PX_EXPORT int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  if (!active) return libc.recvmmsg(fd, messages, count, flags, timeout);
  const int result = receiving.recvmmsg(fd, messages, count, flags, timeout);
  for (int i = 0; i < result; ++i) note_received(&fds, messages[i].msg_hdr);
  return result;
}

PX_EXPORT int chroot(const char* path) noexcept {
  return active ? confinement.chroot(path) : libc.chroot(path);
}

// As ioctl.
PX_EXPORT int own_prctl(int option, unsigned long a, unsigned long b, unsigned long c,
                        unsigned long d) noexcept __asm__("prctl");
int own_prctl(int option, unsigned long a, unsigned long b, unsigned long c,
              unsigned long d) noexcept {
  return active ? confinement.prctl(option, {a, b, c, d}) : libc.prctl(option, a, b, c, d);
}

PX_EXPORT long own_syscall(long number, long a, long b, long c, long d, long e, long f) noexcept
    __asm__("syscall");
long own_syscall(long number, long a, long b, long c, long d, long e, long f) noexcept {
  if (!active || !Confinement::concerns(number)) return libc.syscall(number, a, b, c, d, e, f);
  return confinement.syscall(number, {a, b, c, d, e, f});
}

// NOLINTBEGIN(bugprone-macro-parentheses): these are declarations
#define PX_NAMES(name, result, parameters)
#define PX_CALL(name, number, result, parameters)
#define PX_ALIAS(other_name, call) PX_EXPORT_ALIAS(other_name, call)
#define PX_NAMES_ALIAS(other_name, call)
#define PX_SERVICE(name)
// NOLINTEND(bugprone-macro-parentheses)
#include "preload/interposed.def"
