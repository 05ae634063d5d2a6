// SPDX-License-Identifier: MIT
#include "broker/names/channel.h"

#include <ares.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <cstring>
#include <map>
#include <utility>

#include "broker/names/tls_sockets.h"
#include "libbundle/core/address.h"
#include "util/socket_option.h"

namespace px::broker {
namespace {

// Longer than any lookup takes: its own timer ends it.
constexpr int kNeverMs = 24 * 3600 * 1000;

Expected<void> check(int status, const char* what) {
  if (status == ARES_SUCCESS) return {};
  return fail(std::string(what) + ": " + ares_strerror(status));
}

}  // namespace

struct Channel::Impl : std::enable_shared_from_this<Channel::Impl> {
  // One socket of the channel's.
  struct Watch {
    Watch(asio::io_context& context, int fd) : descriptor(context, fd), number(fd) {}
    asio::posix::stream_descriptor descriptor;
    int number;
    bool reads = false;
    bool writes = false;
    bool waits_to_read = false;
    bool waits_to_write = false;
    bool closed = false;  // another socket may have its number by now
  };
  using WatchPointer = std::shared_ptr<Watch>;

  Impl(asio::io_context& its_context, ChannelKey its_key)
      : context(its_context), key(std::move(its_key)) {}
  ~Impl() {
    if (channel != nullptr) ares_destroy(channel);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // A question until it is answered; c-ares has a pointer to it.
  struct Question {
    Impl* impl;
    std::uint64_t round;
    Done done;
  };

  [[nodiscard]] Expected<void> open();
  [[nodiscard]] Expected<void> set_server();
  [[nodiscard]] Expected<void> set_up_plain();
  [[nodiscard]] Expected<void> set_up_tls();
  [[nodiscard]] bool configure(int fd) const;
  void watch(int fd, bool readable, bool writable);
  void wait(const WatchPointer& socket);
  void wait(const WatchPointer& socket, bool to_read);
  void process(const Watch& socket, bool to_read);
  void deliver();
  void answered(Question& question, int status, std::span<const std::byte> reply);

  asio::io_context& context;
  ChannelKey key;
  std::unique_ptr<TlsSockets> tls;  // null: plain
  ares_channel channel = nullptr;
  std::map<int, WatchPointer> sockets;
  std::uint64_t round = 0;      // one more at each cancel()
  std::size_t outstanding = 0;  // questions
  bool failed = false;          // at least one was not answered
  // c-ares is at work, in process(), which delivers what it has said afterwards.
  bool processes = false;
  std::vector<std::function<void()>> said{};
};

Expected<void> Channel::Impl::open() {
  static const int initialized = ares_library_init(ARES_LIB_INIT_ALL);
  PX_TRY(check(initialized, "c-ares cannot be used"));
  char lookups[] = "b";
  char nowhere[] = "/dev/null";
  ares_options options{};
  // Nothing of the host's own settings: no file, no search list, no server of its own.
  options.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  if (key.extended) options.flags |= ARES_FLAG_EDNS;
  if (key.stream) options.flags |= ARES_FLAG_USEVC;
  if (!key.tls_name.empty()) options.flags |= ARES_FLAG_USEVC | ARES_FLAG_STAYOPEN;
  options.timeout = kNeverMs;
  options.tries = 1;
  options.ndots = 1;
  options.ednspsz = kDatagramSize;
  options.lookups = lookups;
  options.resolvconf_path = nowhere;
  options.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<Impl*>(self)->watch(fd, readable != 0, writable != 0);
  };
  options.sock_state_cb_data = this;
  constexpr int kMask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
                        ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_EDNSPSZ |
                        ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB;
  PX_TRY(check(ares_init_options(&channel, &options, kMask), "c-ares cannot be opened"));
  PX_TRY(key.tls_name.empty() ? set_up_plain() : set_up_tls());
  return set_server();
}

Expected<void> Channel::Impl::set_up_plain() {
  ares_set_socket_configure_callback(
      channel,
      [](ares_socket_t fd, int /*type*/, void* self) {
        return static_cast<const Impl*>(self)->configure(fd) ? 0 : -1;
      },
      this);
  return {};
}

Expected<void> Channel::Impl::set_up_tls() {
  tls = std::make_unique<TlsSockets>(key.tls_name, [this](int fd) { return configure(fd); });
  return tls->install(channel);
}

Expected<void> Channel::Impl::set_server() {
  ares_addr_port_node server{};
  const std::uint8_t* bytes = key.server.bytes.data();
  server.family = key.server.is_ipv4() ? AF_INET : AF_INET6;
  if (key.server.is_ipv4()) {
    std::memcpy(&server.addr.addr4, bytes + 12, 4);
  } else {
    std::memcpy(&server.addr.addr6, bytes, 16);
  }
  server.udp_port = server.tcp_port = key.port;
  return check(ares_set_servers_ports(channel, &server), "the name server cannot be set");
}

// Before it is connected. c-ares takes no notice of where a socket is bound, and drops one that
// could not be.
bool Channel::Impl::configure(int fd) const {
  if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, key.interface.c_str(),
                 static_cast<socklen_t>(key.interface.size())) != 0) {
    return false;
  }
  if (key.mark != 0 && !set_socket_option(fd, SOL_SOCKET, SO_MARK, key.mark)) return false;
  const int family = key.server.is_ipv4() ? AF_INET : AF_INET6;
  sockaddr_storage source{};
  const socklen_t length =
      bundle::sockaddr_from_endpoint({.address = key.source, .port = 0}, family, &source);
  return bind(fd, reinterpret_cast<const sockaddr*>(&source), length) == 0;
}

// What c-ares wants to know of its sockets; neither: it is about to close this one.
void Channel::Impl::watch(int fd, bool readable, bool writable) {
  auto found = sockets.find(fd);
  if (!readable && !writable) {
    if (found == sockets.end()) return;
    found->second->closed = true;
    found->second->descriptor.release();
    sockets.erase(found);
    return;
  }
  if (found == sockets.end()) {
    found = sockets.emplace(fd, std::make_shared<Watch>(context, fd)).first;
  }
  found->second->reads = readable;
  found->second->writes = writable;
  wait(found->second);
}

void Channel::Impl::wait(const WatchPointer& socket) {
  wait(socket, true);
  wait(socket, false);
}

void Channel::Impl::wait(const WatchPointer& socket, bool to_read) {
  bool& waits = to_read ? socket->waits_to_read : socket->waits_to_write;
  if (socket->closed || waits || !(to_read ? socket->reads : socket->writes)) return;
  // It could be written all the time, and TLS would not.
  if (!to_read && tls && tls->must_read(socket->number)) return;
  waits = true;
  using Descriptor = asio::posix::stream_descriptor;
  socket->descriptor.async_wait(
      to_read ? Descriptor::wait_read : Descriptor::wait_write,
      [self = weak_from_this(), socket, to_read](const std::error_code& error) {
        (to_read ? socket->waits_to_read : socket->waits_to_write) = false;
        const auto impl = self.lock();
        if (error || !impl || socket->closed) return;
        impl->process(*socket, to_read);
        impl->wait(socket);
        impl->deliver();
      });
}

void Channel::Impl::process(const Watch& socket, bool to_read) {
  const ares_socket_t none = ARES_SOCKET_BAD;
  processes = true;
  do {
    ares_process_fd(channel, to_read ? socket.number : none, to_read ? none : socket.number);
    // What TLS has read ahead, no descriptor tells of.
  } while (to_read && !socket.closed && tls && tls->has_more(socket.number));
  processes = false;
}

void Channel::Impl::deliver() {
  for (const auto& each : std::exchange(said, {})) each();
}

// c-ares calls this from within: nobody is called back before that has returned.
void Channel::Impl::answered(Question& question, int status, std::span<const std::byte> reply) {
  --outstanding;
  failed = failed || status != ARES_SUCCESS;
  if (question.round != round || status == ARES_EDESTRUCTION) return;
  const bool replied = status == ARES_SUCCESS;
  auto tell = [self = weak_from_this(), at = question.round, done = std::move(question.done),
               bytes = replied ? Reply(reply.begin(), reply.end()) : Reply()] {
    const auto impl = self.lock();
    if (impl && impl->round == at) done(bytes);
  };
  if (processes) {
    said.emplace_back(std::move(tell));
  } else {
    asio::post(context, std::move(tell));
  }
}

Expected<std::unique_ptr<Channel>> Channel::open(asio::io_context& context, ChannelKey key) {
  auto impl = std::make_shared<Impl>(context, std::move(key));
  PX_TRY(impl->open());
  return std::unique_ptr<Channel>(new Channel(std::move(impl)));
}

Channel::~Channel() = default;

const ChannelKey& Channel::key() const {
  return impl_->key;
}

void Channel::ask(std::span<const std::byte> query, Done done) {
  ++impl_->outstanding;
  auto* question = new Impl::Question{impl_.get(), impl_->round, std::move(done)};
  ares_send(
      impl_->channel, reinterpret_cast<const unsigned char*>(query.data()),
      static_cast<int>(query.size()),
      [](void* argument, int status, int /*timeouts*/, unsigned char* reply, int length) {
        const std::unique_ptr<Impl::Question> asked(static_cast<Impl::Question*>(argument));
        const auto size = static_cast<std::size_t>(reply == nullptr ? 0 : length);
        asked->impl->answered(*asked, status, {reinterpret_cast<const std::byte*>(reply), size});
      },
      question);
}

void Channel::cancel() {
  ++impl_->round;
  ares_cancel(impl_->channel);
}

// After a server's FORMERR c-ares takes the OPT records of this channel for something else.
bool Channel::is_as_new() const {
  // A connection on which something went wrong is not kept.
  if (impl_->tls && impl_->failed) return false;
  ares_options options{};
  int mask = 0;
  if (ares_save_options(impl_->channel, &options, &mask) != ARES_SUCCESS) return false;
  const bool extended = (options.flags & ARES_FLAG_EDNS) != 0;
  ares_destroy_options(&options);
  return extended == impl_->key.extended;
}

bool Channel::was_refused() const {
  return impl_->tls && impl_->tls->was_refused();
}

Expected<std::unique_ptr<Channel>> Channels::take(const ChannelKey& key) {
  const auto found = std::find_if(idle_.rbegin(), idle_.rend(),
                                  [&](const auto& channel) { return channel->key() == key; });
  if (found == idle_.rend()) return Channel::open(context_, key);
  std::unique_ptr<Channel> channel = std::move(*found);
  idle_.erase(std::next(found).base());
  return channel;
}

void Channels::give_back(std::unique_ptr<Channel> channel) {
  channel->cancel();
  if (!channel->is_as_new()) return;
  idle_.push_back(std::move(channel));
  if (idle_.size() > most_idle_) idle_.erase(idle_.begin());
}

void Channels::drop_connections() {
  std::erase_if(idle_, [](const auto& channel) { return !channel->key().tls_name.empty(); });
}

}  // namespace px::broker
