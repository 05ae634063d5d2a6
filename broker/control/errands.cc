// SPDX-License-Identifier: MIT
#include "broker/control/errands.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <asio/buffer.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "broker/control/reports.h"
#include "broker/identity/administrator.h"
#include "util/fd.h"
#include "util/readiness.h"
#include "util/ready_word.h"

namespace px::broker {
namespace {

constexpr int kNice = 10;  // whoever waits for the broker comes first
constexpr int kChannel = 3;

std::string error_text(const std::string& message) {
  return json_text(nlohmann::json{{"error", message}});
}

bool write_whole(int fd, const std::string& text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t some = write(fd, text.data() + written, text.size() - written);
    if (some < 0 && errno == EINTR) continue;
    if (some <= 0) return false;
    written += static_cast<std::size_t>(some);
  }
  return true;
}

// The broker's lock and its listener end with the broker.
void keep_only(int channel) {
  if (channel != kChannel) dup2(channel, kChannel);
  if (syscall(SYS_close_range, kChannel + 1, ~0U, 0) == 0) return;
  for (long fd = kChannel + 1; fd < sysconf(_SC_OPEN_MAX); ++fd) close(static_cast<int>(fd));
}

[[noreturn]] void be_the_child(int channel, const Errands::Work& work) {
  bool done = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
  keep_only(channel);
  done = done && say_ready(kChannel);
  setpriority(PRIO_PROCESS, 0, kNice);
  try {
    done = done && write_whole(kChannel, work());
  } catch (const std::exception& error) {
    done = done && write_whole(kChannel, error_text(error.what()));
  }
  _exit(done ? 0 : 1);
}

}  // namespace

struct Errands::Errand {
  Errand(asio::io_context& context, uid_t counted_as, bool who_rests, std::string asked,
         Work its_work)
      : user(counted_as),
        user_rests(who_rests),
        question(std::move(asked)),
        work(std::move(its_work)),
        channel(context),
        process(context),
        deadline(context),
        rest(context) {}

  uid_t user;
  bool user_rests;
  std::string question;
  Work work;
  std::vector<Done> askers;
  pid_t child = 0;
  asio::posix::stream_descriptor channel;
  asio::posix::stream_descriptor process;  // a pidfd
  asio::steady_timer deadline;
  asio::steady_timer rest;
  std::array<char, 65536> buffer{};
  std::string text;
  bool finished = false;
  bool ended = false;
};

Errands::Errands(asio::io_context& context, CountedAs counted_as, Limits limits)
    : context_(context), counted_as_(std::move(counted_as)), limits_(limits) {}

Errands::~Errands() = default;

Answer Errands::ask(uid_t user, const std::string& question, Work work) {
  Answer answer;
  answer.later = [this, user, question, work = std::move(work)](Reply reply) {
    add(user, question, work,
        [reply = std::move(reply)](const std::string& text) { reply(text_answer(text)); });
  };
  return answer;
}

void Errands::work_out(const std::string& question, Work work, Done done) {
  add(geteuid(), question, std::move(work), std::move(done));
}

void Errands::add(uid_t user, const std::string& question, Work work, Done done) {
  Pointer& same = by_question_[question];
  if (!same) {
    const uid_t counted_as = counted_as_(user);
    same = std::make_shared<Errand>(context_, counted_as, !is_administrator(user), question,
                                    std::move(work));
    waiting_.add(counted_as, same);
  }
  same->askers.push_back(std::move(done));
  begin_some();
}

void Errands::begin_some() {
  while (running_ < limits_.at_a_time) {
    const auto next = waiting_.take_if([&](uid_t user) { return !served_.contains(user); });
    if (!next) return;
    const Pointer& errand = *next;
    by_question_.erase(errand->question);
    if (errand->user_rests) served_.insert(errand->user);
    ++running_;
    if (const auto started = start(errand); !started) {
      finish(errand, error_text(started.error().message));
    }
  }
}

Expected<void> Errands::start(const Pointer& errand) {
  if (lost_ >= limits_.lost) return fail("earlier requests have not ended; try again later");
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("pipe");
  Fd reader(ends[0]);
  Fd writer(ends[1]);
  errand->child = fork();
  if (errand->child == 0) be_the_child(writer.get(), errand->work);
  if (errand->child < 0) return fail_errno("fork");
  writer.reset();
  const bool ready = hear_ready(reader.get());
  if (!ready) kill(errand->child, SIGKILL);
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, errand->child, 0));
  if (pidfd < 0) return fail_errno("pidfd_open");
  errand->process.assign(pidfd);
  wait_for_end(errand);
  if (!ready) return fail("the broker is too busy; try again later");
  errand->channel.assign(reader.release());
  errand->deadline.expires_after(limits_.deadline);
  errand->deadline.async_wait([this, errand](const std::error_code& error) {
    if (error || errand->finished) return;
    kill(errand->child, SIGKILL);
    finish(errand, error_text("it takes too long; the broker has given it up"));
    begin_some();
  });
  read_on(errand);
  return {};
}

void Errands::read_on(const Pointer& errand) {
  errand->channel.async_read_some(asio::buffer(errand->buffer),
                                  [this, errand](const std::error_code& error, std::size_t size) {
                                    if (errand->finished) return;
                                    errand->text.append(errand->buffer.data(), size);
                                    if (!error) return read_on(errand);
                                    if (errand->text.empty())
                                      errand->text = error_text("no answer");
                                    finish(errand, errand->text);
                                    begin_some();
                                  });
}

// One that was killed may take its time to end: it counts until then.
void Errands::wait_for_end(const Pointer& errand) {
  errand->process.async_wait(asio::posix::stream_descriptor::wait_read,
                             [this, errand](const std::error_code& error) {
                               if (error) return;
                               if (!is_readable(errand->process.native_handle())) {
                                 return wait_for_end(errand);
                               }
                               waitpid(errand->child, nullptr, WNOHANG);
                               errand->ended = true;
                               if (errand->finished) --lost_;
                             });
}

void Errands::let_rest(const Pointer& errand) {
  errand->rest.expires_after(limits_.rest);
  errand->rest.async_wait([this, errand](const std::error_code& error) {
    if (error) return;
    served_.erase(errand->user);
    begin_some();
  });
}

void Errands::finish(const Pointer& errand, const std::string& text) {
  errand->finished = true;
  if (errand->process.is_open() && !errand->ended) ++lost_;
  std::error_code ignored;
  errand->channel.close(ignored);
  errand->deadline.cancel();
  --running_;
  if (errand->user_rests) let_rest(errand);
  for (const Done& done : std::exchange(errand->askers, {})) done(text);
}

}  // namespace px::broker
