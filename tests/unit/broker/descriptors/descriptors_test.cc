// SPDX-License-Identifier: MIT
// Real descriptor processes, on connections whose other end is the test's.
#include "broker/descriptors/descriptors.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/unit/support/passed_descriptors.h"
#include "util/socket_option.h"

namespace px::broker {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr auto kLong = 20s;
constexpr uid_t kUser = 1000;
constexpr uid_t kOther = 1001;
constexpr std::byte kPacket[4]{};

// A TCP connection whose close waits for so long for the peer to read.
class Lingering {
 public:
  Lingering() {
    const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_TRUE(set_socket_option(listener.get(), SOL_SOCKET, SO_RCVBUF, 4096));
    EXPECT_EQ(bind(listener.get(), generic, length), 0);
    EXPECT_EQ(getsockname(listener.get(), generic, &length), 0);
    EXPECT_EQ(listen(listener.get(), 1), 0);
    socket_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(socket_.get(), generic, length), 0);
    peer_ = Fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const std::vector<char> data(65536);
    while (send(socket_.get(), data.data(), data.size(), MSG_DONTWAIT) > 0) {
    }
    EXPECT_TRUE(set_socket_option(socket_.get(), SOL_SOCKET, SO_LINGER, linger{1, 3600}));
  }
  Fd take() { return std::move(socket_); }

 private:
  Fd socket_;
  Fd peer_;
};

// The status of the descriptor processes that there are: children with their name.
std::vector<std::filesystem::path> processes() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    std::string line;
    std::getline(file, line);
    if (line.find("(pxd-descriptors)") == std::string::npos) continue;
    std::istringstream fields(line.substr(line.rfind(')') + 1));
    char state;
    pid_t parent = 0;
    fields >> state >> parent;
    if (parent == getpid() && state != 'Z') found.push_back(entry.path());
  }
  return found;
}

std::string word_of(const std::filesystem::path& file, const std::string& name) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with(name + ":")) return line.substr(line.find_last_of(" \t") + 1);
  }
  return {};
}

class DescriptorsTest : public testing::Test {
 protected:
  // Those of the test before have been killed, and take their time to end.
  void SetUp() override {
    run_until([] { return processes().empty(); });
  }

  struct Outcome {
    Result result;
    std::string error;  // where there is no result
  };

  std::shared_ptr<ipc::PacketSocket> with(const Fd& descriptor) {
    return connection_with(kPacket, descriptor, context);
  }
  std::shared_ptr<std::optional<Outcome>> ask(const PassedDescriptor& passed, const Task& task) {
    auto outcome = std::make_shared<std::optional<Outcome>>();
    passed.ask(task, [outcome](const Expected<const Result*>& result) {
      *outcome = result ? Outcome{**result, ""} : Outcome{{}, result.error().message};
    });
    return outcome;
  }
  Outcome wait_for(const std::shared_ptr<std::optional<Outcome>>& outcome) {
    run_until([&] { return outcome->has_value(); });
    return outcome->value_or(Outcome{{}, "nothing came"});
  }
  template <typename Condition>
  void run_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + kLong;
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      context.restart();
      (void)context.run_one_for(10ms);
    }
    EXPECT_TRUE(condition());
  }
  static Task task_of(TaskKind kind, bool keeps = false) {
    Task task;
    task.kind = kind;
    task.keeps = keeps;
    return task;
  }
  Outcome path_of(uid_t user, const Fd& file) {
    return wait_for(ask(descriptors.brought(user, with(file)), task_of(TaskKind::kPath)));
  }
  static Fd null() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

  asio::io_context context;
  Descriptors descriptors{
      context, {.deadlines = {.late = 300ms, .abandoned = 20s}, .idle = 50ms, .most_processes = 2}};
};

TEST_F(DescriptorsTest, TellWhichFileItIs) {
  const Outcome outcome = path_of(kUser, null());
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.result.text_view(), "/dev/null");
}

TEST_F(DescriptorsTest, AProcessHasNothingOfTheBroker) {
  const Fd precious = null();
  (void)path_of(kUser, precious);
  const auto all = processes();
  ASSERT_EQ(all.size(), 1u);
  std::vector<std::string> open;
  for (const auto& fd : std::filesystem::directory_iterator(all[0] / "fd")) {
    open.push_back(fd.path().filename());
  }
  std::ranges::sort(open);
  EXPECT_THAT(open, ElementsAre("0", "1", "2"));
  EXPECT_THAT(std::filesystem::read_symlink(all[0] / "fd/0").string(), StartsWith("socket:"));
  EXPECT_THAT(std::filesystem::read_symlink(all[0] / "fd/1").string(), StartsWith("pipe:"));
  constexpr std::uint64_t kNetAdmin = 1U << 12U;
  for (const char* set : {"CapPrm", "CapEff", "CapInh", "CapAmb"}) {
    EXPECT_EQ(std::stoull(word_of(all[0] / "status", set), nullptr, 16) & ~kNetAdmin, 0u) << set;
  }
  EXPECT_EQ(word_of(all[0] / "status", "NoNewPrivs"), "1");
}

TEST_F(DescriptorsTest, NothingIsTakenButOneDescriptor) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const Fd client(ends[0]);
  const auto connection = std::make_shared<ipc::PacketSocket>(context, Fd(ends[1]), kLargestPacket);
  const Fd file = null();
  const std::vector<int> two(2, file.get());
  send_with_descriptors(client.get(), kPacket, two);
  auto outcome = wait_for(ask(descriptors.brought(kUser, connection), task_of(TaskKind::kPath)));
  EXPECT_EQ(outcome.result.kind, Result::Kind::kMalformed);
  ASSERT_EQ(send(client.get(), kPacket, sizeof kPacket, 0), ssize_t{sizeof kPacket});
  outcome = wait_for(ask(descriptors.brought(kUser, connection), task_of(TaskKind::kPath)));
  EXPECT_EQ(outcome.result.kind, Result::Kind::kMalformed);
}

TEST_F(DescriptorsTest, ASocketIsKeptForFurtherTasksAndThenLetGo) {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  auto passed = std::make_optional(descriptors.brought(kUser, with(socket)));
  auto outcome = wait_for(ask(*passed, task_of(TaskKind::kExamine, true)));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.result.facts.kind, SocketFacts::Kind::kOther);
  Task bind = task_of(TaskKind::kBind, true);
  bind.sources[0].address = *bundle::address_from_text("127.0.0.1");
  outcome = wait_for(ask(*passed, bind));
  EXPECT_TRUE(outcome.result.binding.bound);
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ASSERT_EQ(getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  EXPECT_EQ(outcome.result.binding.port, ntohs(address.sin_port));
  ASSERT_EQ(processes().size(), 1u);
  const auto descriptors_of_process = processes()[0] / "fd";
  const auto held = [&] {
    return std::distance(std::filesystem::directory_iterator(descriptors_of_process), {}) - 3;
  };
  EXPECT_EQ(held(), 1);
  passed.reset();
  run_until([&] { return held() == 0; });
}

TEST_F(DescriptorsTest, AMarkIsRefusedToWhatIsNoSocket) {
  const auto outcome =
      wait_for(ask(descriptors.brought(kUser, with(null())), task_of(TaskKind::kMark)));
  EXPECT_EQ(outcome.result.kind, Result::Kind::kFailed);
  EXPECT_EQ(outcome.result.text_view(), "what came with the request is no socket");
}

TEST_F(DescriptorsTest, ACloseThatWaitsCostsItsUserAloneAndIsEnded) {
  Lingering lingering;
  Fd socket = lingering.take();
  auto connection = with(socket);
  socket.reset();  // before another one closes it: else this close would be the last
  const auto slow =
      ask(descriptors.brought(kUser, std::move(connection)), task_of(TaskKind::kPath));
  const auto after_it = ask(descriptors.brought(kUser, with(null())), task_of(TaskKind::kPath));
  EXPECT_EQ(path_of(kOther, null()).result.text_view(), "/dev/null");
  EXPECT_FALSE(*slow) << "it waits still";
  EXPECT_THAT(wait_for(slow).error, HasSubstr("in time"));
  EXPECT_EQ(wait_for(after_it).result.text_view(), "/dev/null") << "by another process";
}

TEST_F(DescriptorsTest, AConnectionsEndDropsWhatIsQueuedElsewhere) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const Fd client(ends[0]);
  Lingering lingering;
  {
    const Fd socket = lingering.take();
    const int number = socket.get();
    send_with_descriptors(client.get(), kPacket, {&number, 1});
  }
  const auto before = std::chrono::steady_clock::now();
  descriptors.end(Fd(ends[1]));
  pollfd poller{client.get(), POLLIN, 0};
  EXPECT_EQ(poll(&poller, 1, 0), 1) << "it has ended for the client";
  EXPECT_EQ(path_of(kOther, null()).result.text_view(), "/dev/null");
  EXPECT_LT(std::chrono::steady_clock::now() - before, kLong);
  run_until([] { return processes().size() == 1; });  // that one is for all users
}

TEST_F(DescriptorsTest, AUsersProcessThatRestsIsEnded) {
  (void)path_of(kUser, null());
  const auto first = processes();
  ASSERT_EQ(first.size(), 1u);
  run_until([&] {
    const auto now = processes();
    return now.size() == 1 && now != first;
  });
  EXPECT_EQ(descriptors.processes(), 1u) << "which closes what is left of it, and is kept";
}

TEST_F(DescriptorsTest, ThereAreOnlySoManyAtATime) {
  std::vector<std::shared_ptr<std::optional<Outcome>>> outcomes;
  for (uid_t user = 1; user <= 5; ++user) {
    outcomes.push_back(ask(descriptors.brought(user, with(null())), task_of(TaskKind::kPath)));
    EXPECT_LE(processes().size(), 2u);
  }
  for (const auto& outcome : outcomes) {
    EXPECT_EQ(wait_for(outcome).result.text_view(), "/dev/null");
    EXPECT_LE(processes().size(), 2u);
  }
}

}  // namespace
}  // namespace px::broker
