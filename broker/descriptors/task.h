// SPDX-License-Identifier: MIT
// What the broker has a descriptor process do, and what that answers: plain values of a fixed size.
// A task goes over a Unix socket, with the connections that it is about; a result comes back
// through a pipe, which can carry no descriptor.
//
// Of this folder: the broker's side is owned by the daemon and single-threaded, everything on the
// io_context's thread.
#pragma once

#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "broker/mptcp/mptcp_socket.h"
#include "libbundle/core/address.h"
#include "libbundle/core/bundle.h"

namespace px::broker {

enum class TaskKind : std::uint32_t {
  kNone,
  kHold,         // keep the connections that come along; the one task without a result
  kDrop,         // close those that were kept
  kPath,         // which file it is
  kMark,         // give the socket a mark
  kExamine,      // what the socket is
  kBind,         // an SCTP socket, to one source and a port that the kernel chooses
  kBindFurther,  // the same socket, to these sources besides
  kLetGo,        // close what is held
};

struct Task {
  TaskKind kind = TaskKind::kNone;
  std::uint64_t held = 0;  // the broker's number for what is received, or was
  bool keeps = false;      // hold it for further tasks
  std::uint64_t network_namespace = 0;
  std::uint32_t mark = 0;
  std::uint32_t mark_mask = 0;
  std::uint32_t source_count = 0;
  std::array<bundle::Endpoint, bundle::kMostMembers> sources{};
};

struct SocketFacts {
  enum class Kind : std::uint32_t { kOther, kMptcp, kSctp };
  Kind kind = Kind::kOther;
  bool chooses_port = false;  // of SCTP: its program has said which ports the kernel may give it
  MptcpSocket mptcp;          // token 0: its connection can have no subflows, and the text says why
};

// What became of binding a socket.
struct Binding {
  bool bound = false;
  std::uint16_t port = 0;  // that the socket has now; 0: it is bound to nothing
};

struct Result {
  enum class Kind : std::uint32_t {
    kDone,
    kFailed,     // the text says why
    kMalformed,  // not one descriptor came
  };
  Kind kind = Kind::kDone;
  SocketFacts facts;
  Binding binding;
  std::array<char, PATH_MAX> text{};  // a path, or an error's

  [[nodiscard]] std::string_view text_view() const { return {text.data()}; }
};

// Connections that one task may bring.
inline constexpr std::size_t kMostConnections = 128;

}  // namespace px::broker
