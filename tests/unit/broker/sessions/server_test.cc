// SPDX-License-Identifier: MIT
// The broker's socket against clients that behave and clients that do not.
#include "broker/sessions/server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <asio/post.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <future>
#include <iterator>
#include <thread>

#include "ipc/listener.h"
#include "plan/bundle_wire.h"
#include "tests/unit/support/passed_descriptors.h"

namespace px::broker {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPerUser = 8;
constexpr std::size_t kMostDue = 4;

// Of this process; it may have been started by any of its threads.
std::vector<pid_t> children() {
  std::vector<pid_t> found;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream list(thread.path() / "children");
    found.insert(found.end(), std::istream_iterator<pid_t>(list), {});
  }
  return found;
}

// A blocking client whose every wait is bounded.
class Client {
 public:
  explicit Client(const std::filesystem::path& path)
      : socket_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    const timeval deadline{20, 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string& text = path.native();  // may be an abstract name
    text.copy(address.sun_path, sizeof address.sun_path);
    const bool abstract = text.front() == '\0';
    const auto length = static_cast<socklen_t>(
        abstract ? offsetof(sockaddr_un, sun_path) + text.size() : sizeof address);
    EXPECT_EQ(connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  }

  int fd() const { return socket_.get(); }

  void send(std::span<const std::byte> packet) const {
    (void)::send(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
  }

  // The next packet; empty when the broker closed.
  std::vector<std::byte> receive() const {
    std::vector<std::byte> packet(plan::kLargestMessage);
    const ssize_t length = recv(socket_.get(), packet.data(), packet.size(), 0);
    EXPECT_FALSE(length < 0 && errno == EAGAIN) << "nothing came";
    packet.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
    return packet;
  }

  bool closed_by_broker() const { return receive().empty(); }

  std::string ask(std::string_view text) const {
    request(text);
    std::string answer;
    for (;;) {
      const auto packet = receive();
      const auto header = plan::parse_header(packet);
      if (!header) return "closed";
      answer += plan::parse_text(packet).value_or("?");
      if ((header->flags & plan::kMoreFollows) == 0) return answer;
    }
  }

  void request(std::string_view text) const {
    std::vector<std::byte> packet(sizeof(plan::MessageHeader) + text.size());
    const auto header = plan::header_of(plan::MessageType::kRequest, packet.size());
    std::memcpy(packet.data(), &header, sizeof header);
    std::memcpy(packet.data() + sizeof header, text.data(), text.size());
    send(packet);
  }

 private:
  Fd socket_;
};

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "px-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    dispatcher_.add(plan::MessageType::kHello, [](const Peer&, Packet packet) {
      if (!plan::parse<plan::Hello>(packet)) return no_answer();
      return refusal({plan::RefusalCode::kNoSuchProfile, "no such profile"});
    });
    dispatcher_.add_with_descriptor(
        plan::MessageType::kHello,
        [](const Peer&, Packet, const PassedDescriptor& file, const auto& reply) {
          Task task;
          task.kind = TaskKind::kPath;
          file.ask(task, [reply](const auto& result) {
            const bool told = result && (*result)->kind == Result::Kind::kDone;
            reply(told ? text_answer((*result)->text_view()) : no_answer());
          });
        });
    dispatcher_.add(plan::MessageType::kHealthReport, [this](const Peer& peer, Packet packet) {
      EXPECT_EQ(peer.uid, geteuid());
      reports_.set_value(plan::parse<plan::HealthReport>(packet)->port);
      return no_answer();
    });
    dispatcher_.add(plan::MessageType::kRequest, [this](const Peer&, Packet packet) {
      const std::string text(*plan::parse_text(packet));
      if (text == "later") {
        Answer answer;
        answer.later = [this](Reply reply) { later_ = std::move(reply); };
        return answer;
      }
      if (text == "long") return text_answer(std::string(300000, 'x'));
      Answer answer = text_answer("echo " + text);
      if (text == "watch") answer.then = Answer::Then::kWatch;
      return answer;
    });
    server_ = std::make_unique<Server>(context_, Server::Limits{kPerUser, 100}, dispatcher_,
                                       descriptors_);
    const auto listening = server_->listen(path());
    ASSERT_TRUE(listening) << listening.error().message;
    thread_ = std::thread([this] { context_.run(); });
  }
  void TearDown() override {
    context_.stop();
    thread_.join();
    later_ = nullptr;  // keeps its client, whose connection needs the event loop
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::filesystem::path path() const { return directory_ / "px.sock"; }

  // Waits until the broker has let go of every connection.
  void wait_for_no_connections() {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    for (;;) {
      std::promise<std::size_t> count;
      asio::post(context_, [&] { count.set_value(server_->connections()); });
      if (count.get_future().get() == 0) return;
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }

  std::filesystem::path directory_;
  // Waits for what holds on the broker's thread.
  void wait_until(const std::function<bool()>& holds) {
    std::promise<void> held;
    std::function<void()> look = [&] {
      if (holds()) return held.set_value();
      asio::post(context_, look);
    };
    asio::post(context_, look);
    held.get_future().get();
  }

  // A watcher is registered after its first answer was sent.
  void watch(const Client& client) {
    EXPECT_EQ(client.ask("watch"), "echo watch");
    wait_until([this] { return server_->watched(); });
  }

  std::promise<std::uint16_t> reports_;
  Reply later_;
  asio::io_context context_;
  Dispatcher dispatcher_;
  Descriptors descriptors_{context_, {.deadlines = {.late = 20s}, .most_due = kMostDue}};
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

plan::Hello hello() {
  auto hello = plan::make<plan::Hello>();
  hello.layout_version = plan::kLayoutVersion;
  plan::fill_text(hello.profile, "work");
  return hello;
}

std::vector<std::byte> bytes_of(const plan::Hello& hello) {
  const auto bytes = std::as_bytes(std::span(&hello, 1));
  return {bytes.begin(), bytes.end()};
}

TEST_F(ServerTest, AnswersAndCutsLongAnswersIntoPackets) {
  const Client client(path());
  EXPECT_EQ(client.ask("hi"), "echo hi");
  EXPECT_EQ(client.ask("long").size(), 300000u);
}

TEST_F(ServerTest, ARefusalSaysWhy) {
  const Client client(path());
  client.send(bytes_of(hello()));
  const auto refusal = plan::parse<plan::Refusal>(client.receive());
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, plan::RefusalCode::kNoSuchProfile);
  EXPECT_STREQ(refusal->reason, "no such profile");
  EXPECT_TRUE(client.closed_by_broker());
}

TEST_F(ServerTest, AMessageMayHaveNoAnswer) {
  auto report = plan::make<plan::HealthReport>();
  report.port = 443;
  plan::fill_text(report.profile, "work");
  const Client client(path());
  client.send(std::as_bytes(std::span(&report, 1)));
  EXPECT_EQ(reports_.get_future().get(), 443);
  EXPECT_TRUE(client.closed_by_broker());
}

TEST_F(ServerTest, MalformedMessagesCloseTheConnection) {
  auto half = bytes_of(hello());
  half.resize(half.size() / 2);
  auto longer = bytes_of(hello());
  longer.resize(longer.size() + 1);
  plan::Hello wrong_length = hello();
  wrong_length.header.length = 0xffffffff;
  plan::Hello wrong_magic = hello();
  wrong_magic.header.magic = 0;
  plan::Hello wrong_type = hello();
  wrong_type.header.type = static_cast<plan::MessageType>(999);
  plan::Hello unterminated = hello();
  std::memset(unterminated.profile, 'a', sizeof unterminated.profile);
  plan::Hello bad_name = hello();
  plan::fill_text(bad_name.profile, "../../etc/passwd");
  const std::vector<std::byte> one(1);
  for (const auto& packet :
       {half, longer, bytes_of(wrong_length), bytes_of(wrong_magic), bytes_of(wrong_type),
        bytes_of(unterminated), bytes_of(bad_name), one}) {
    const Client client(path());
    client.send(packet);
    EXPECT_TRUE(client.closed_by_broker());
  }
  EXPECT_EQ(Client(path()).ask("hi"), "echo hi");
}

TEST_F(ServerTest, AMessageMayBringADescriptorAndIsAnsweredInTurn) {
  const Client client(path());
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = null.get();
  for (int i = 0; i < 2; ++i) {
    send_with_descriptors(client.fd(), bytes_of(hello()), {&number, 1});
    client.request("and this");
    EXPECT_EQ(plan::parse_text(client.receive()), "/dev/null");
    EXPECT_EQ(plan::parse_text(client.receive()), "echo and this");
  }
}

TEST_F(ServerTest, DescriptorsInExcessCloseTheConnection) {
  const Client client(path());
  const std::vector<int> descriptors(200, client.fd());
  send_with_descriptors(client.fd(), bytes_of(hello()), descriptors);
  EXPECT_TRUE(client.closed_by_broker());
}

TEST_F(ServerTest, AUserHasAQuotaOfConnections) {
  {
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < kPerUser; ++i) {
      clients.push_back(std::make_unique<Client>(path()));
      ASSERT_EQ(clients.back()->ask("hi"), "echo hi");
    }
    const Client one_more(path());
    const auto refusal = plan::parse<plan::Refusal>(one_more.receive());
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->code, plan::RefusalCode::kBusy);
    EXPECT_EQ(clients.front()->ask("still here"), "echo still here");
  }
  wait_for_no_connections();
  EXPECT_EQ(Client(path()).ask("hi"), "echo hi");
}

TEST_F(ServerTest, NoneIsAcceptedWhileTooManyAreDueToBeClosed) {
  const auto turned_away = [](const Client& client) {
    const auto refusal = plan::parse<plan::Refusal>(client.receive());
    return refusal && refusal->code == plan::RefusalCode::kBusy;
  };
  const auto before = children();
  std::vector<std::unique_ptr<Client>> admitted, others;
  for (std::size_t i = 0; i < kPerUser; ++i) {
    admitted.push_back(std::make_unique<Client>(path()));
    ASSERT_EQ(admitted.back()->ask("hi"), "echo hi");
  }
  ASSERT_TRUE(turned_away(Client(path())));
  wait_until([this] { return descriptors_.processes() == 1; });
  auto started = children();
  std::erase_if(started, [&](pid_t pid) { return std::ranges::count(before, pid) != 0; });
  ASSERT_EQ(started.size(), 1u);
  ASSERT_EQ(kill(started.front(), SIGSTOP), 0);
  for (std::size_t i = 0; i < 4 * kMostDue; ++i) others.push_back(std::make_unique<Client>(path()));
  wait_until([this] { return descriptors_.is_behind(); });
  pollfd last{others.back()->fd(), POLLIN, 0};
  EXPECT_EQ(poll(&last, 1, 0), 0);
  EXPECT_EQ(admitted.front()->ask("still here"), "echo still here");
  ASSERT_EQ(kill(started.front(), SIGCONT), 0);
  for (const auto& client : others) EXPECT_TRUE(turned_away(*client));
}

TEST_F(ServerTest, BesideItThoseAloneThatAreAdmitted) {
  for (const bool admitted : {true, false}) {
    const std::string name = "px-test-" + std::to_string(getpid()) + (admitted ? "-a" : "-b");
    auto socket = ipc::listen_at_abstract(name);
    ASSERT_TRUE(socket) << socket.error().message;
    std::promise<void> listening;
    asio::post(context_, [&] {
      server_->listen_beside(std::move(*socket), [admitted](const Peer& peer) {
        EXPECT_EQ(peer.pid, getpid());
        return admitted;
      });
      listening.set_value();
    });
    listening.get_future().get();
    const Client client(std::string(1, '\0') + name);
    EXPECT_EQ(client.ask("hi"), admitted ? "echo hi" : "closed");
  }
  EXPECT_EQ(Client(path()).ask("hi"), "echo hi");
}

TEST_F(ServerTest, AClientThatNeverReadsCostsOthersNothing) {
  const Client deaf(path());
  for (int i = 0; i < 4; ++i) deaf.request("long");
  const Client other(path());
  EXPECT_EQ(other.ask("hi"), "echo hi");
}

TEST_F(ServerTest, ASilentClientIsLetGo) {
  const Client silent(path());
  EXPECT_TRUE(silent.closed_by_broker());
}

TEST_F(ServerTest, WatchersGetEventsUntilTheyClose) {
  {
    const Client watcher(path());
    watch(watcher);
    asio::post(context_, [this] { server_->broadcast("news", std::nullopt); });
    EXPECT_EQ(plan::parse_text(watcher.receive()), "news");
  }
  wait_for_no_connections();
}

TEST_F(ServerTest, LittleIsKeptForAWatcherThatDoesNotRead) {
  const Client watcher(path());
  watch(watcher);
  constexpr int kEvents = 900;
  const std::string event(60000, 'x');
  std::promise<void> told;
  asio::post(context_, [&] {
    for (int i = 0; i < kEvents; ++i) server_->broadcast(event, std::nullopt);
    told.set_value();
  });
  told.get_future().get();
  int received = 0;
  while (!watcher.receive().empty()) ++received;
  EXPECT_LT(received, kEvents / 2) << "16 MiB at most";
}

TEST_F(ServerTest, ALaterAnswerIsSentWhenItIsThereAndOthersAreServedMeanwhile) {
  const Client patient(path());
  patient.request("later");
  const Client other(path());
  EXPECT_EQ(other.ask("hi"), "echo hi");
  wait_until([this] { return static_cast<bool>(later_); });
  asio::post(context_, [this] { later_(text_answer("at last")); });
  EXPECT_EQ(plan::parse_text(patient.receive()), "at last");
  EXPECT_EQ(patient.ask("again"), "echo again");
}

TEST_F(ServerTest, ASecondBrokerDoesNotTakeTheSocket) {
  asio::io_context context;
  const Dispatcher dispatcher;
  Descriptors descriptors(context);
  Server second(context, {1, 1}, dispatcher, descriptors);
  EXPECT_FALSE(second.listen(path()));
  EXPECT_EQ(Client(path()).ask("hi"), "echo hi");
}

}  // namespace
}  // namespace px::broker
