// SPDX-License-Identifier: MIT
#include "broker/descriptors/process.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "broker/descriptors/confinement.h"
#include "broker/descriptors/worker.h"
#include "util/readiness.h"
#include "util/ready_word.h"

namespace px::broker {
namespace {

// In the child, no handler of the broker's may run.
class BlockAllSignals {
 public:
  BlockAllSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockAllSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockAllSignals(const BlockAllSignals&) = delete;
  BlockAllSignals& operator=(const BlockAllSignals&) = delete;

 private:
  sigset_t before_{};
};

[[noreturn]] void become_descriptor_process(int tasks, int results, pid_t parent) {
  if (confine_descriptor_process(tasks, results, parent) && say_ready(STDOUT_FILENO)) {
    work_off_tasks(STDIN_FILENO, STDOUT_FILENO);
  }
  _exit(0);
}

}  // namespace

DescriptorProcess::DescriptorProcess(asio::io_context& context, pid_t pid, Fd tasks)
    : pid_(pid), tasks_(std::move(tasks)), results_(context), process_(context) {}

Expected<std::shared_ptr<DescriptorProcess>> DescriptorProcess::start(asio::io_context& context) {
  int sockets[2];
  int pipes[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
    return fail_errno("socketpair");
  }
  Fd tasks(sockets[0]);
  Fd its_tasks(sockets[1]);
  if (pipe2(pipes, O_CLOEXEC) != 0) return fail_errno("pipe2");
  Fd results(pipes[0]);
  Fd its_results(pipes[1]);
  Fd room(fcntl(pipes[0], F_DUPFD_CLOEXEC, 0));  // for the pidfd: not to fail after the fork
  if (!room) return fail_errno("pipe2");
  const pid_t parent = getpid();
  const BlockAllSignals block;
  const pid_t pid = fork();
  if (pid == 0) become_descriptor_process(its_tasks.get(), its_results.get(), parent);
  if (pid < 0) return fail_errno("fork");
  its_results.reset();
  auto process = std::make_shared<DescriptorProcess>(context, pid, std::move(tasks));
  room.reset();
  PX_TRY(process->open(std::move(results)));
  if (!hear_ready(process->results_.native_handle())) {
    process->kill();
    process->watch_end([] {});  // it may take its time to end
    return fail("a descriptor process does not start");
  }
  return process;
}

Expected<void> DescriptorProcess::open(Fd results) {
  Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!process) return fail_errno("pidfd_open");
  process_.assign(process.release());
  if (fcntl(results.get(), F_SETFL, O_NONBLOCK) != 0) return fail_errno("fcntl");
  results_.assign(results.release());
  return {};
}

DescriptorProcess::~DescriptorProcess() {
  kill();
  if (pid_ > 0) (void)waitpid(pid_, nullptr, WNOHANG);
  // Closed here, it would drop in the broker's name what the process has not read.
  (void)tasks_.release();
}

int DescriptorProcess::send(const Task& task, std::span<const int> connections) const {
  iovec data{const_cast<Task*>(&task), sizeof task};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostConnections * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (!connections.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(connections.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(connections.size_bytes());
    std::memcpy(CMSG_DATA(header), connections.data(), connections.size_bytes());
  }
  return sendmsg(tasks_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}

void DescriptorProcess::receive(std::function<void(const Result*)> done) {
  results_.async_wait(
      asio::posix::stream_descriptor::wait_read,
      [self = shared_from_this(), done = std::move(done)](const std::error_code& error) {
        if (error) return;
        auto* into = reinterpret_cast<std::byte*>(&self->result_) + self->received_;
        const ssize_t length =
            ::read(self->results_.native_handle(), into, sizeof self->result_ - self->received_);
        if (length < 0 && (errno == EAGAIN || errno == EINTR)) return self->receive(done);
        if (length <= 0) return done(nullptr);
        self->received_ += static_cast<std::size_t>(length);
        if (self->received_ < sizeof self->result_) return self->receive(done);
        self->received_ = 0;
        self->result_.text.back() = '\0';
        done(&self->result_);
      });
}

void DescriptorProcess::watch_end(std::function<void()> ended) {
  process_.async_wait(
      asio::posix::stream_descriptor::wait_read,
      [self = shared_from_this(), ended = std::move(ended)](const std::error_code& error) {
        if (error) return;
        if (!is_readable(self->process_.native_handle())) return self->watch_end(ended);
        (void)waitpid(self->pid_, nullptr, WNOHANG);
        self->pid_ = -1;
        ended();
      });
}

void DescriptorProcess::kill() const {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

}  // namespace px::broker
