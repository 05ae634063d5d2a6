// SPDX-License-Identifier: MIT
// The sockets of a channel that asks by TLS (RFC 7858), for c-ares to use as if they were plain
// ones. The server's certificate must be for its name, by an authority that this host trusts: else
// nothing of a question is sent. Owned by a channel.
#pragma once

#include <ares.h>
#include <openssl/ssl.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "util/error.h"

namespace px::broker {

class TlsSockets {
 public:
  // `configure`: before a socket is connected; false where it must not be.
  TlsSockets(std::string name, std::function<bool(int fd)> configure)
      : name_(std::move(name)), configure_(std::move(configure)) {}
  TlsSockets(const TlsSockets&) = delete;
  TlsSockets& operator=(const TlsSockets&) = delete;

  // This must outlive the channel.
  [[nodiscard]] Expected<void> install(ares_channel channel);

  // Whether TLS must read before anything can be written, whatever c-ares waits for.
  [[nodiscard]] bool must_read(int fd) const;
  // Whether there is more to read that no descriptor tells of.
  [[nodiscard]] bool has_more(int fd) const;
  // Whether a certificate was not what it must be.
  [[nodiscard]] bool was_refused() const { return refused_; }

 private:
  struct Free {
    void operator()(SSL* session) const { SSL_free(session); }
  };
  struct Socket {
    std::unique_ptr<SSL, Free> session;
    bool wants_read = false;
  };
  [[nodiscard]] int open(int family, int type, int protocol) const;
  [[nodiscard]] int close(int fd);
  [[nodiscard]] int connect(int fd, const sockaddr* address, ares_socklen_t length);
  [[nodiscard]] ares_ssize_t receive(int fd, void* bytes, std::size_t size);
  [[nodiscard]] ares_ssize_t send(int fd, const std::string& bytes);
  // As a system call says it.
  [[nodiscard]] ares_ssize_t result_of(Socket& socket, int result);

  std::string name_;
  std::function<bool(int fd)> configure_;
  std::map<int, Socket> sockets_;
  bool refused_ = false;
};

}  // namespace px::broker
