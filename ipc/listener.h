// SPDX-License-Identifier: MIT
// A service's listening socket: its own, or a service manager's. Called once, at start.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "util/error.h"
#include "util/fd.h"

namespace px::ipc {

// A non-blocking SOCK_SEQPACKET socket listening at the path, which everyone may connect to. A
// socket that nobody answers at is replaced; one that is answered at, or a file that is no socket,
// is an error. `service`: what listens there, for the error's text ("broker").
[[nodiscard]] Expected<Fd> listen_at(const std::filesystem::path& path, const std::string& service);

// The same at a name of the kernel's abstract namespace, given without its leading NUL. It is gone
// with the socket.
[[nodiscard]] Expected<Fd> listen_at_abstract(std::string_view name);

// Whether everyone may reach a file in the directory by its path.
[[nodiscard]] bool is_reachable_for_all(const std::filesystem::path& directory);

struct PassedListener {
  Fd socket;  // non-blocking
  std::filesystem::path path;
};

// What the service manager listens at for this process, as sd_listen_fds(3) tells it; nothing where
// it does not. Anything but one listening SOCK_SEQPACKET socket with a path is an error. The
// variables are taken out of the environment.
[[nodiscard]] Expected<std::optional<PassedListener>> passed_listener();

}  // namespace px::ipc
