// SPDX-License-Identifier: MIT
#include "broker/link_names/link_names_keeper.h"

#include <chrono>
#include <utility>

#include "broker/link_names/read_link_names.h"

namespace px::broker {
namespace {

// For what changes together, and between two readings: each costs the broker a fork.
constexpr std::chrono::milliseconds kQuiet{100};

}  // namespace

LinkNamesKeeper::LinkNamesKeeper(asio::io_context& context, Errands& errands, Options options)
    : errands_(errands),
      options_(std::move(options)),
      watch_(context, options_.root, [this] { look(); }),
      timer_(context),
      again_(context) {}

void LinkNamesKeeper::begin() {
  if (std::exchange(begun_, true)) return;
  if (const auto watching = watch_.begin(); !watching) options_.failed(watching.error());
  read();
}

void LinkNamesKeeper::look() {
  if (!begun_) return;
  if (reading_) {
    missed_ = true;
    return;
  }
  reading_ = true;
  timer_.after(kQuiet, [this] { read(); });
}

void LinkNamesKeeper::read() {
  reading_ = true;
  missed_ = false;
  errands_.work_out("name servers of links", options_.read,
                    [this](const std::string& text) { was_read(text); });
}

void LinkNamesKeeper::was_read(const std::string& text) {
  auto reading = link_reading_in(text);
  const bool first = !std::exchange(looked_, true);
  reading_ = false;
  if (!reading) {
    options_.failed({"the name servers of links could not be read"});
    reading_ = true;
    timer_.after(KnownLinkNames::kRetry, [this] { read(); });
    return;
  }
  if (missed_) look();
  const LinkNamesByInterface before = known_.links();
  known_.take(std::move(*reading), KnownLinkNames::Clock::now());
  if (known_.again()) again_.after(*known_.again(), [this] { look(); });
  if (first || known_.links() != before) options_.changed(known_.links());
}

}  // namespace px::broker
