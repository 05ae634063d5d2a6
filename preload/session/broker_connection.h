// SPDX-License-Identifier: MIT
// One short connection to the broker: every wait on it ends at one deadline. An answer that is
// there is taken even after the deadline, since on a busy machine it may be the program that had no
// time. For callers that block signals, so that no handler leaves it behind. May change errno.
//
// Of all of preload/session: system calls, and of libc what maps memory; callable from any thread
// and from signal handlers. No descriptor, thread or lock is kept: programs close descriptors that
// they do not know, fork with threads running, and connect in signal handlers.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "preload/process/settings.h"
#include "preload/process/spare_descriptors.h"

namespace px::shim {

void close_fd(int fd);

// A broker's second socket (plan/second_socket.h), and whose broker it is.
struct SecondSocket {
  std::uint64_t broker_instance = 0;  // 0: none is known
  uid_t owner = 0;
};

class BrokerConnection {
 public:
  // `deadline`: by monotonic_ms(). `flags`: SOCK_NONBLOCK for a connection that waits for nothing,
  // or 0.
  explicit BrokerConnection(std::int64_t deadline, int flags = 0);
  // Goes on with a descriptor that keep() gave.
  struct Kept {
    int fd;
  };
  BrokerConnection(std::int64_t deadline, Kept kept)
      : deadline_(deadline), fd_(kept.fd), socket_error_(0) {}
  BrokerConnection(const BrokerConnection&) = delete;
  BrokerConnection& operator=(const BrokerConnection&) = delete;
  ~BrokerConnection() { close(); }

  // 0, or the errno that says why not; EAGAIN where the broker did not take it on in time. Where
  // the path of the first socket leads nowhere, to the second one.
  [[nodiscard]] int connect(const Settings& settings, const SecondSocket& second = {});
  // One packet, with a descriptor where that is not -1. Also true where the broker has closed
  // already: what it said before can be received.
  [[nodiscard]] bool send(std::span<const std::byte> packet, int descriptor = -1);
  // For descriptors that an answer brings.
  void make_room_for_two();
  // The packet's size; 0 for none in time, or none at all.
  [[nodiscard]] std::size_t receive(msghdr* message);
  // Whether it was none at all: the broker closed without a word.
  [[nodiscard]] bool was_hung_up() const { return hung_up_; }
  // -1 where there is none.
  [[nodiscard]] int descriptor() const { return fd_; }
  // The descriptor is the caller's from now on. -1 where it is one too many: it is closed then.
  [[nodiscard]] int keep();
  // Whoever goes on with it has nothing: for a thread that is cancelled.
  void close();
  // SO_NETNS_COOKIE; 0 where the kernel (before 5.14) has none.
  [[nodiscard]] std::uint64_t network_namespace() const;

 private:
  // 0 or errno.
  [[nodiscard]] int connect_to(const sockaddr_un& address, socklen_t length);
  [[nodiscard]] bool is_answered_by(uid_t owner) const;
  // Sets the option to the time left, at least the shortest; false where there is no socket.
  [[nodiscard]] bool limit(int option);

  SpareDescriptors spare_;
  std::int64_t deadline_;
  int fd_;
  int socket_error_;
  bool hung_up_ = false;
};

// The pauses of a program that a busy broker has sent away: growing ones, and no two programs'
// alike, so that those who came together do not come back together.
class Pauses {
 public:
  explicit Pauses(std::int64_t deadline) : deadline_(deadline) {}

  // Waits, and says whether to try again; if not, at once. A broker that hangs up may be no broker
  // of this version, and is asked a few times; one that says that it is busy, until the deadline.
  [[nodiscard]] bool before_trying_again(bool busy, bool hung_up);

 private:
  std::int64_t deadline_;
  std::int64_t next_ms_ = 16;
  int hang_ups_left_ = 4;
};

}  // namespace px::shim
