// SPDX-License-Identifier: MIT
// Answers that take long to work out (a walk over /proc, a dump of all routes): a child process
// does it, so that neither its time nor a wait in the kernel is the broker's. The child has what
// the broker knows at that moment, may change nothing, and is killed when it is late. Owned by the
// daemon; single-threaded.
#pragma once

#include <sys/types.h>

#include <asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker/sessions/answer.h"
#include "broker/sessions/places.h"
#include "broker/sessions/round_robin.h"
#include "util/error.h"

namespace px::broker {

struct ErrandLimits {
  std::size_t at_a_time = 2;
  std::chrono::milliseconds deadline{5000};
  std::chrono::milliseconds rest{250};  // of a user who is no administrator, after each
  std::size_t lost = 16;                // children that were killed and are not gone yet
};

class Errands {
 public:
  // The answer's text. What it returns the child writes, and ends.
  using Work = std::function<std::string()>;
  using Limits = ErrandLimits;

  explicit Errands(asio::io_context& context, CountedAs counted_as = &counted_as_itself,
                   Limits limits = {});
  ~Errands();
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;

  // An answer that comes later. Whoever asks the same before anyone has begun to work it out is
  // answered by the same child: many who ask cost what one does. Users take turns, one child a
  // user. To fork costs the broker itself some milliseconds, so that users rest between two.
  [[nodiscard]] Answer ask(uid_t user, const std::string& question, Work work);
  // For the broker itself.
  using Done = std::function<void(const std::string&)>;
  void work_out(const std::string& question, Work work, Done done);

 private:
  struct Errand;
  using Pointer = std::shared_ptr<Errand>;

  void add(uid_t user, const std::string& question, Work work, Done done);
  void begin_some();
  [[nodiscard]] Expected<void> start(const Pointer& errand);
  void read_on(const Pointer& errand);
  void wait_for_end(const Pointer& errand);
  void finish(const Pointer& errand, const std::string& text);
  void let_rest(const Pointer& errand);

  asio::io_context& context_;
  CountedAs counted_as_;
  Limits limits_;
  RoundRobin<Pointer> waiting_;
  std::map<std::string, Pointer> by_question_;  // of those that wait
  std::set<uid_t> served_;                      // users who have a child, or rest
  std::size_t running_ = 0;
  std::size_t lost_ = 0;
};

}  // namespace px::broker
