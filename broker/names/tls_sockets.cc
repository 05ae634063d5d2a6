// SPDX-License-Identifier: MIT
#include "broker/names/tls_sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <span>
#include <utility>

#include "util/socket_option.h"

namespace px::broker {
namespace {

// For all channels; null where OpenSSL cannot be used. Of whom this host trusts: also what
// SSL_CERT_FILE and SSL_CERT_DIR name.
SSL_CTX* context() {
  static SSL_CTX* const made = [] {
    SSL_CTX* fresh = SSL_CTX_new(TLS_client_method());
    if (fresh == nullptr) return fresh;
    SSL_CTX_set_verify(fresh, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(fresh, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // A server that has proved nothing yet has the keys made: by what is cheap alone. And one call
    // reads one record at most, whatever a server goes on sending.
    SSL_CTX_clear_mode(fresh, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_options(fresh, SSL_OP_NO_RENEGOTIATION);
    const bool cheap = SSL_CTX_set1_groups_list(fresh, "X25519:P-256:P-384") == 1 &&
                       SSL_CTX_set_cipher_list(fresh, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
    const bool usable = cheap && SSL_CTX_set_min_proto_version(fresh, TLS1_2_VERSION) == 1 &&
                        SSL_CTX_set_default_verify_paths(fresh) == 1;
    if (usable) return fresh;
    SSL_CTX_free(fresh);
    return static_cast<SSL_CTX*>(nullptr);
  }();
  return made;
}

TlsSockets& sockets_in(void* self) {
  return *static_cast<TlsSockets*>(self);
}

}  // namespace

Expected<void> TlsSockets::install(ares_channel channel) {
  if (context() == nullptr) return fail("TLS cannot be used");
  static const ares_socket_functions kFunctions = {
      [](int family, int type, int protocol, void* self) {
        return sockets_in(self).open(family, type, protocol);
      },
      [](ares_socket_t fd, void* self) { return sockets_in(self).close(fd); },
      [](ares_socket_t fd, const sockaddr* address, ares_socklen_t length, void* self) {
        return sockets_in(self).connect(fd, address, length);
      },
      [](ares_socket_t fd, void* bytes, size_t size, int, sockaddr*, ares_socklen_t*, void* self) {
        return sockets_in(self).receive(fd, bytes, size);
      },
      [](ares_socket_t fd, const iovec* parts, int count, void* self) {
        std::string bytes;
        for (const iovec& part : std::span(parts, static_cast<std::size_t>(count))) {
          bytes.append(static_cast<const char*>(part.iov_base), part.iov_len);
        }
        return sockets_in(self).send(fd, bytes);
      }};
  ares_set_socket_functions(channel, &kFunctions, this);
  return {};
}

// No datagrams: these would be plain.
int TlsSockets::open(int family, int type, int protocol) const {
  if (type != SOCK_STREAM) {
    errno = EPROTOTYPE;
    return -1;
  }
  const int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd < 0) return -1;
  if (configure_(fd) && set_socket_option(fd, IPPROTO_TCP, TCP_NODELAY, 1)) return fd;
  ::close(fd);
  errno = ENETUNREACH;
  return -1;
}

int TlsSockets::close(int fd) {
  sockets_.erase(fd);
  return ::close(fd);
}

int TlsSockets::connect(int fd, const sockaddr* address, ares_socklen_t length) {
  Socket socket{std::unique_ptr<SSL, Free>(SSL_new(context())), false};
  SSL* session = socket.session.get();
  const bool ready = session != nullptr && SSL_set_fd(session, fd) == 1 &&
                     SSL_set1_host(session, name_.c_str()) == 1 &&
                     SSL_set_tlsext_host_name(session, name_.c_str()) == 1;
  if (!ready) {
    errno = ENOMEM;
    return -1;
  }
  SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set_connect_state(session);
  sockets_[fd] = std::move(socket);
  return ::connect(fd, address, length);
}

ares_ssize_t TlsSockets::result_of(Socket& socket, int result) {
  socket.wants_read = false;
  if (result > 0) return result;
  SSL* session = socket.session.get();
  switch (SSL_get_error(session, result)) {
    case SSL_ERROR_WANT_READ:
      socket.wants_read = true;
      errno = EAGAIN;
      return -1;
    case SSL_ERROR_WANT_WRITE:
      errno = EAGAIN;
      return -1;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    default:
      refused_ = refused_ || SSL_get_verify_result(session) != X509_V_OK;
      errno = ECONNRESET;
      return -1;
  }
}

ares_ssize_t TlsSockets::receive(int fd, void* bytes, std::size_t size) {
  const auto found = sockets_.find(fd);
  if (found == sockets_.end()) return -1;
  ERR_clear_error();
  const int most = static_cast<int>(std::min<std::size_t>(size, INT_MAX));
  return result_of(found->second, SSL_read(found->second.session.get(), bytes, most));
}

ares_ssize_t TlsSockets::send(int fd, const std::string& bytes) {
  const auto found = sockets_.find(fd);
  if (found == sockets_.end()) return -1;
  ERR_clear_error();
  const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
  return result_of(found->second, SSL_write(found->second.session.get(), bytes.data(), size));
}

bool TlsSockets::must_read(int fd) const {
  const auto found = sockets_.find(fd);
  return found != sockets_.end() && found->second.wants_read &&
         SSL_is_init_finished(found->second.session.get()) == 0;
}

bool TlsSockets::has_more(int fd) const {
  const auto found = sockets_.find(fd);
  return found != sockets_.end() && SSL_pending(found->second.session.get()) > 0;
}

}  // namespace px::broker
