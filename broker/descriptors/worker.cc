// SPDX-License-Identifier: MIT
#include "broker/descriptors/worker.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "broker/descriptors/task.h"
#include "broker/routing/program_socket.h"
#include "broker/routing/sctp_socket.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/socket_option.h"

namespace px::broker {
namespace {

constexpr std::size_t kMostHeld = 64;

// The descriptors that came, as far as there was room: the kernel has closed the others.
std::vector<Fd> descriptors_of(msghdr& message) {
  std::vector<Fd> descriptors;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof descriptor, sizeof descriptor);
      descriptors.emplace_back(descriptor);
    }
  }
  return descriptors;
}

struct Received {
  ssize_t length = -1;
  bool all = false;  // whether all descriptors that came had room
  std::vector<Fd> descriptors;
};

template <std::size_t kRoom>
Received receive(int socket, void* data, std::size_t size, int flags) {
  iovec buffer{data, size};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kRoom * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &buffer;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_LEN(kRoom * sizeof(int));
  Received received;
  do {
    received.length = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
  } while (received.length < 0 && errno == EINTR);
  if (received.length < 0) return received;
  received.all = (message.msg_flags & MSG_CTRUNC) == 0;
  received.descriptors = descriptors_of(message);
  return received;
}

Result failed(const Error& error) {
  Result result;
  result.kind = Result::Kind::kFailed;
  error.message.copy(result.text.data(), result.text.size() - 1);
  return result;
}

Result path(const Fd& file) {
  Result result;
  const std::string link = "/proc/self/fd/" + std::to_string(file.get());
  if (readlink(link.c_str(), result.text.data(), result.text.size() - 1) < 0) result.text = {};
  return result;
}

Result mark(const Fd& socket, const Task& task) {
  const auto marked =
      set_socket_mark(socket.get(), task.mark, task.mark_mask, task.network_namespace);
  return marked ? Result{} : failed(marked.error());
}

Result examine(const Fd& socket, const Task& task) {
  if (const auto fits = check_socket(socket.get(), task.network_namespace); !fits) {
    return failed(fits.error());
  }
  Result result;
  if (is_mptcp(socket.get())) {
    const auto read = read_mptcp_socket(socket.get());
    if (!read) result = failed(read.error());
    result.kind = Result::Kind::kDone;
    result.facts.kind = SocketFacts::Kind::kMptcp;
    result.facts.mptcp = read.value_or(MptcpSocket{});
  } else if (is_sctp(socket.get())) {
    result.facts.kind = SocketFacts::Kind::kSctp;
    result.facts.chooses_port = chooses_port(socket.get());
  }
  return result;
}

Result bind_first(const Fd& socket, const Task& task) {
  const auto bound = bind_source(socket.get(), task.sources[0]);
  Result result = bound ? Result{} : failed(bound.error());
  result.kind = Result::Kind::kDone;
  result.binding = {bound.has_value(), port_of(socket.get())};
  return result;
}

Result bind_further(const Fd& socket, const Task& task) {
  const auto count = std::min<std::size_t>(task.source_count, task.sources.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto bound = bind_further_source(socket.get(), task.sources[i]);
    if (!bound) return failed(bound.error());
  }
  return {};
}

class Worker {
 public:
  void hold(std::vector<Fd> connections) {
    std::ranges::move(connections, std::back_inserter(connections_));
  }
  Result work_off(const Task& task, const std::vector<Fd>& connections) {
    switch (task.kind) {
      case TaskKind::kNone:
      case TaskKind::kHold:
        return malformed();
      case TaskKind::kDrop:
        connections_.clear();
        return {};
      case TaskKind::kLetGo:
        held_.erase(task.held);
        return {};
      default:
        break;
    }
    if (!connections.empty() && !take(connections.front(), task.held)) return malformed();
    const auto found = held_.find(task.held);
    if (found == held_.end()) return failed({"the descriptor is not held any more"});
    Result result = do_with(found->second, task);
    if (!task.keeps) held_.erase(found);
    return result;
  }

 private:
  static Result malformed() {
    Result result;
    result.kind = Result::Kind::kMalformed;
    return result;
  }

  // Of the connection's next message, whose text the broker has read. Room for more than the one
  // descriptor that it calls for is not given: no other gets here.
  bool take(const Fd& connection, std::uint64_t number) {
    char byte = 0;
    auto received = receive<1>(connection.get(), &byte, sizeof byte, MSG_DONTWAIT);
    if (received.length < 0 || !received.all || received.descriptors.size() != 1) return false;
    if (held_.size() >= kMostHeld)
      held_.clear();  // of requests that have ended before they were done
    held_[number] = std::move(received.descriptors.front());
    return true;
  }

  static Result do_with(const Fd& descriptor, const Task& task) {
    switch (task.kind) {
      case TaskKind::kPath:
        return path(descriptor);
      case TaskKind::kMark:
        return mark(descriptor, task);
      case TaskKind::kExamine:
        return examine(descriptor, task);
      case TaskKind::kBind:
        return bind_first(descriptor, task);
      case TaskKind::kBindFurther:
        return bind_further(descriptor, task);
      default:
        return malformed();
    }
  }

  std::map<std::uint64_t, Fd> held_;
  std::vector<Fd> connections_;
};

bool answer(int results, const Result& result) {
  return write(results, &result, sizeof result) == static_cast<ssize_t>(sizeof result);
}

}  // namespace

void work_off_tasks(int tasks, int results) {
  Worker worker;
  for (;;) {
    Task task;
    auto received = receive<kMostConnections>(tasks, &task, sizeof task, 0);
    if (received.length != static_cast<ssize_t>(sizeof task)) return;
    if (task.kind == TaskKind::kHold) {
      worker.hold(std::move(received.descriptors));
      continue;
    }
    const Result result = worker.work_off(task, received.descriptors);
    // Before it answers: then it is known what a close has waited for.
    received.descriptors.clear();
    if (!answer(results, result)) return;
  }
}

}  // namespace px::broker
