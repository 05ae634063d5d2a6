// SPDX-License-Identifier: MIT
#include "cli/exec/launcher.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "cli/client.h"
#include "cli/coverage/coverage.h"
#include "cli/exec/audited.h"
#include "cli/exec/preload_list.h"
#include "cli/exec/private_broker.h"
#include "cli/exec/profile_keeper.h"
#include "cli/locations.h"

namespace px::cli {
namespace {

using nlohmann::json;

int tell(std::string_view message, int status = kOwnFailure) {
  while (!message.empty()) {
    const auto end = std::min(message.find('\n'), message.size());
    std::string_view line = message.substr(0, end);
    message.remove_prefix(std::min(end + 1, message.size()));
    // A private broker's messages are printed as px-exec's.
    if (line.starts_with("pxd: ")) line.remove_prefix(5);
    std::fprintf(stderr, "px-exec: %.*s\n", static_cast<int>(line.size()), line.data());
  }
  return status;
}

Expected<Client> open_private_broker(const ExecOptions& options, const Installation& installed) {
  if (access(installed.broker.c_str(), X_OK) != 0)
    return fail_errno("cannot run the broker " + installed.broker);
  PrivateBrokerRequest request{installed.broker, find_policy(options.config), options.via,
                               options.rules.empty() ? "" : absolute_path(options.rules)};
  PX_ASSIGN_OR_RETURN(const std::string socket, start_private_broker(request));
  return Client::connect(socket);
}

Expected<Client> open_broker(const ExecOptions& options, const Installation& installed) {
  if (options.wants_private_broker()) return open_private_broker(options, installed);
  const SocketSearch search = socket_search(options.socket);
  auto client = Client::connect_first(search);
  if (client) return client;
  if (search.named)
    return fail(client.error().message + ": start pxd, or name another one with --socket");
  if (find_policy({}).empty()) {
    return fail(client.error().message + " and there is no policy to start a private one with (" +
                policy_places() + "): write one, or name one with --config FILE, or use --via");
  }
  return open_private_broker(options, installed);
}

std::string profile_names(const json& status) {
  std::string names;
  for (const auto& profile : status.value("profiles", json::array())) {
    if (profile.value("removed", false)) continue;
    names += (names.empty() ? "" : ", ") + profile.value("name", "");
  }
  return names.empty() ? "none" : names;
}

// The profile that the broker would give the program by itself.
Expected<std::string> own_profile(Client& client, const std::string& binary) {
  std::error_code error;
  const auto file = std::filesystem::canonical(binary, error);
  // Whatever its connection would be, the answer says by which profile.
  PX_ASSIGN_OR_RETURN(const json answer, client.ask({{"command", "explain"},
                                                     {"program", error ? binary : file.string()},
                                                     {"destination", "192.0.2.1"}}));
  if (answer.value("profile_from", "") == "match") return answer.value("profile", "");
  PX_ASSIGN_OR_RETURN(const json status, client.ask({{"command", "status"}}));
  if (status.contains("error")) return fail(status.value("error", ""));
  const auto name = status.value("default_profile", json());
  if (name.is_string()) return name.get<std::string>();
  return fail(
      "no profile matches, and there is no default-profile: choose one with --profile NAME "
      "(it has " +
      profile_names(status) + ")");
}

Expected<std::string> chosen_profile(const ExecOptions& options, Client& client,
                                     const std::string& binary) {
  if (!options.profile.empty()) return options.profile;
  if (!options.via.empty()) return "via";
  if (!options.rules.empty()) return "rules";
  return own_profile(client, binary);
}

Expected<void> announce(Client& client, const std::string& profile, const std::string& why) {
  PX_ASSIGN_OR_RETURN(const auto refusal, client.launch(profile, why));
  if (!refusal) return {};
  const std::string refuses = "the broker at " + client.path() + " refuses: ";
  if (refusal->code != plan::RefusalCode::kNoSuchProfile) return fail(refuses + refusal->reason);
  // A refusal has no room for many names. The connection ended with it.
  auto again = Client::connect(client.path());
  if (!again) return fail(refuses + refusal->reason);
  const auto status = again->ask({{"command", "status"}});
  if (!status || status->contains("error")) return fail(refuses + refusal->reason);
  return fail(refuses + "no profile named '" + profile + "'; there are: " + profile_names(*status));
}

Expected<void> set_environment(const Examination& program, const std::string& library,
                               const std::string& socket, const std::string& profile) {
  setenv(plan::kSocketVariable, socket.c_str(), 1);
  setenv(plan::kProfileVariable, profile.c_str(), 1);
  // Another C library would try to load ours with it, and stop the program over it.
  if (program.obstacle == Obstacle::kOtherLibc) return {};
  PX_ASSIGN_OR_RETURN(const std::string list,
                      preload_list(environment("LD_PRELOAD"), library, program.sanitizers));
  setenv("LD_PRELOAD", list.c_str(), 1);
  return {};
}

// What the program is started under.
struct Broker {
  Client client;
  std::optional<HeldProfile> held{};  // of --via, beside a running broker
};

Expected<Broker> find_broker(const ExecOptions& options, const Installation& installed) {
  if (!options.via.empty() && options.config.empty()) {
    PX_ASSIGN_OR_RETURN(auto held, hold_profile(socket_search(options.socket), options.via));
    if (held) {
      PX_ASSIGN_OR_RETURN(Client client, Client::connect(held->connection.path()));
      return Broker{std::move(client), std::move(held)};
    }
  }
  PX_ASSIGN_OR_RETURN(Client client, open_broker(options, installed));
  return Broker{std::move(client)};
}

// The launch, as far as the environment that the program will find.
Expected<void> prepare(const ExecOptions& options, const Examination& program) {
  PX_ASSIGN_OR_RETURN(const Installation installed, find_installation());
  if (access(installed.library.c_str(), R_OK) != 0)
    return fail_errno("px is not installed whole: " + installed.library);
  PX_ASSIGN_OR_RETURN(Broker broker, find_broker(options, installed));
  PX_ASSIGN_OR_RETURN(const std::string profile,
                      broker.held ? Expected<std::string>(broker.held->name)
                                  : chosen_profile(options, broker.client, program.binary));
  PX_TRY(announce(broker.client, profile, program.why));
  if (broker.held) PX_TRY(keep_profile(*broker.held, options.via));
  return set_environment(program, installed.library, broker.client.path(), profile);
}

// Whether it is px-exec itself, which is linked statically, and has no connections but those to the
// broker: the program that it becomes is the one to look at, and it looks.
bool is_px_exec(const std::string& file) {
  struct stat self {};
  struct stat other {};
  return stat("/proc/self/exe", &self) == 0 && stat(file.c_str(), &other) == 0 &&
         self.st_dev == other.st_dev && self.st_ino == other.st_ino;
}

Runnable<Examination> examine_unless_px_exec(const std::string& file, const char* path) {
  if (!is_px_exec(file)) return examine(file, path, current_caller());
  Examination examination;
  examination.file = examination.binary = file;
  return examination;
}

int run(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  const int error = errno;
  return tell(words[0] + ": " + std::strerror(error), error == ENOENT ? 127 : 126);
}

}  // namespace

int launch_program(const ExecOptions& options) {
  const char* path = std::getenv("PATH");
  const auto file = find_program(options.program[0], path);
  if (!file) return tell(file.error().message, file.error().status);
  const auto program = examine_unless_px_exec(*file, path);
  if (!program) return tell(program.error().message, program.error().status);
  if (!program->covered()) {
    const std::string what =
        program->binary == *file ? *file : *file + " (run by " + program->binary + ")";
    if (!options.allow_uncovered) {
      return tell("px cannot act in " + what + ": " + program->why +
                  "; --allow-uncovered runs it as the host routes it");
    }
    tell("warning: px cannot act in " + what + ": " + program->why +
         "; it goes as the host routes it");
  }
  if (options.audit) {
    if (auto able = can_audit(); !able) return tell(able.error().message);
  }
  if (auto prepared = prepare(options, *program); !prepared) return tell(prepared.error().message);
  return run(options.audit ? audited(options) : options.program);
}

}  // namespace px::cli
