// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"
#include "cli/ctl/connections.h"
#include "cli/ctl/graph_picture.h"
#include "cli/ctl/table.h"
#include "util/fd.h"

namespace px::cli {
namespace {

using nlohmann::json;

constexpr Parameter kGraphParameters[] = {
    {.name = "PID|PROFILE", .help = "Of this program, or of this profile's programs, alone"},
    {.name = "--dot",
     .help = "Write a graph in the DOT language of graphviz",
     .type = ParameterType::kFlag},
    {.name = "--svg", .help = "Draw it, by graphviz' dot", .type = ParameterType::kFlag},
};

std::string connections_text(const json& programs, const Terminal& terminal) {
  Table table({{"PROFILE"},
               {"PID", Align::kRight},
               {"PROGRAM"},
               {"INTERFACE"},
               {"SOURCE"},
               {"STATE"},
               {"TRANSPORT"},
               {"PORT", Align::kRight},
               {"DESTINATION"}});
  for (const json& program : programs) {
    const std::string exe = text_of(program, "exe");
    for (const json& each : program.at("connections")) {
      const std::string interface = text_of(each, "interface");
      table.add({text_of(program, "profile"), text_of(program, "pid"),
                 exe.substr(exe.rfind('/') + 1), interface.empty() ? "?" : interface,
                 text_of(each, "source"), text_of(each, "state"), text_of(each, "transport"),
                 text_of(each, "port"), text_of(each, "destination")});
    }
  }
  std::string text =
      table.empty() ? "No program under px is connected to anything.\n" : table.text(terminal);
  for (const json& program : programs) {
    const std::string why = text_of(program, "why_unseen");
    if (!why.empty())
      text += text_of(program, "exe") + ", pid " + text_of(program, "pid") + ": " + why + "\n";
  }
  return text;
}

// Through `dot`, which writes to this process' standard output.
Expected<void> draw(const std::string& picture) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe");
  Fd reader(ends[0]);
  Fd writer(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, reader.get(), STDIN_FILENO);
  char name[] = "dot";
  char format[] = "-Tsvg";
  char* const words[] = {name, format, nullptr};
  pid_t child = 0;
  const int error = posix_spawnp(&child, name, &actions, nullptr, words, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) {
    return fail(
        "--svg takes graphviz' program dot, which is not installed; install graphviz, or "
        "use --dot and draw the graph elsewhere");
  }
  if (error != 0) return fail_errno("cannot start dot", error);
  reader.reset();
  std::signal(SIGPIPE, SIG_IGN);
  std::size_t written = 0;
  while (written < picture.size()) {
    const ssize_t some = write(writer.get(), picture.data() + written, picture.size() - written);
    if (some < 0 && errno == EINTR) continue;
    if (some <= 0) break;
    written += static_cast<std::size_t>(some);
  }
  writer.reset();
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail("dot failed");
}

// Whether it is among what was asked for.
bool is_wanted(const json& program, const std::string& wanted) {
  return wanted.empty() || text_of(program, "pid") == wanted ||
         text_of(program, "profile") == wanted;
}

int run_graph(const CtlOptions& options, const Terminal& terminal) {
  auto programs = ask_broker(options, {{"command", "ps"}});
  if (!programs) return programs.error();
  const std::string& wanted = options.value("PID|PROFILE");
  json& all = programs->at("programs");
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const json& each) { return !is_wanted(each, wanted); }),
            all.end());
  if (all.empty() && !wanted.empty()) {
    return complain(
        options,
        "no program under px has the pid or profile " + printable(wanted) + "; see pxctl ps",
        kAnswerIsNo);
  }
  const auto paths = ask_broker(options, {{"command", "paths"}});
  if (!paths) return paths.error();
  const auto connections = connections_of(*programs, *paths);
  if (!connections) return complain(options, connections.error().message, kAnswerIsNo);
  if (options.json) {
    print_json({{"programs", *connections}});
  } else if (!options.value("--svg").empty()) {
    if (const auto drawn = draw(graph_in_dot(*connections)); !drawn) {
      return complain(options, drawn.error().message, kAnswerIsNo);
    }
  } else if (!options.value("--dot").empty()) {
    print(graph_in_dot(*connections));
  } else {
    print(connections_text(*connections, terminal));
  }
  return kDone;
}

}  // namespace

const Command graph_command{run_graph, kGraphParameters};

}  // namespace px::cli
