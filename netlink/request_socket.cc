// SPDX-License-Identifier: MIT
#include "netlink/request_socket.h"

#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <cerrno>
#include <string>

#include "netlink/attributes.h"

namespace px::netlink {
namespace {

// What the kernel fills for one reading, so that a table of thousands comes in few system calls.
constexpr std::size_t kReadSize = 64 * 1024;

// libnl would turn the kernel's errno into one of its own numbers, several into one; and libnl 3.7
// would take a dump that the kernel broke off for complete.
struct Exchange {
  const RequestSocket::Heard& heard;
  bool is_over = false;
  bool was_interrupted = false;
  int error = 0;
};

Exchange& exchange_of(void* argument) {
  return *static_cast<Exchange*>(argument);
}

int on_message(nl_msg* message, void* argument) {
  const auto& heard = exchange_of(argument).heard;
  if (heard) heard(*nlmsg_hdr(message));
  return NL_OK;
}

int on_acknowledgement(nl_msg*, void* argument) {
  exchange_of(argument).is_over = true;
  return NL_STOP;
}

int on_error(sockaddr_nl*, nlmsgerr* answer, void* argument) {
  Exchange& exchange = exchange_of(argument);
  exchange.is_over = true;
  exchange.error = -answer->error;
  return NL_STOP;
}

int on_interruption(nl_msg*, void* argument) {
  exchange_of(argument).was_interrupted = true;
  return NL_OK;
}

int on_dump_end(nl_msg* message, void* argument) {
  Exchange& exchange = exchange_of(argument);
  exchange.is_over = true;
  if (const auto* error = header_of<int>(*nlmsg_hdr(message))) exchange.error = -*error;
  return NL_OK;
}

}  // namespace

void RequestSocket::FreeSocket::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

Expected<RequestSocket> RequestSocket::open(Protocol protocol) {
  RequestSocket socket(nl_socket_alloc());
  if (!socket.socket_) return fail("cannot allocate a netlink socket");
  if (const int error = nl_connect(socket.socket_.get(), static_cast<int>(protocol)); error < 0) {
    return fail(std::string("cannot open a netlink socket: ") + nl_geterror(error));
  }
  nl_socket_set_msg_buf_size(socket.socket_.get(), kReadSize);
  return socket;
}

int RequestSocket::request(const MessageBuilder& message, const Heard& heard) {
  if (message.get() == nullptr) return ENOMEM;
  Exchange exchange{heard};
  nl_sock* const socket = socket_.get();
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_message, &exchange);
  nl_socket_modify_cb(socket, NL_CB_ACK, NL_CB_CUSTOM, on_acknowledgement, &exchange);
  nl_socket_modify_cb(socket, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interruption, &exchange);
  nl_socket_modify_cb(socket, NL_CB_FINISH, NL_CB_CUSTOM, on_dump_end, &exchange);
  nl_socket_modify_err_cb(socket, NL_CB_CUSTOM, on_error, &exchange);
  if (nl_send_auto(socket, message.get()) < 0) return EIO;
  while (!exchange.is_over) {
    const int received = nl_recvmsgs_default(socket);
    // NLE_NOMEM is libnl's word for ENOBUFS.
    if (received < 0 && !exchange.is_over) return received == -NLE_NOMEM ? ENOBUFS : EIO;
  }
  if (exchange.error != 0) return exchange.error;
  return exchange.was_interrupted ? EINTR : 0;
}

}  // namespace px::netlink
