// SPDX-License-Identifier: MIT
#include "broker/names/lookup.h"

#include <sys/random.h>

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

namespace px::broker {
namespace {

using plan::LookupOutcome;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Longer than the way to a server that is far away.
constexpr std::chrono::milliseconds kStagger{500};
// Servers that one lookup asks at a time: each takes up to two descriptors.
constexpr std::size_t kMostAtATime = 2;

std::uint16_t random_number() {
  std::uint16_t number = 0;
  // Two bytes come whole, and at once: the kernel's pool is filled long before there is a network.
  (void)!getrandom(&number, sizeof number, 0);
  return number;
}

// Another server may do better.
bool is_refusal(std::uint8_t rcode) {
  return rcode == dns::kServerFailure || rcode == dns::kNotImplemented || rcode == dns::kRefused;
}

bool has_answers(const dns::Header& header) {
  return header.rcode == dns::kNoError && header.answers != 0;
}

}  // namespace

Lookup::Lookup(const Parts& parts, Question question, Done done)
    : shared_(parts),
      question_(std::move(question)),
      done_(std::move(done)),
      timer_(parts.context),
      extended_((question_.flags & plan::kLookupExtended) != 0) {}

void Lookup::begin() {
  self_ = shared_from_this();
  end_ = steady_clock::now() + question_.limit;
  const auto self = self_;
  begins_ = true;
  if (!question_.candidates.names.empty()) {
    begin_candidate();
  } else {
    finish(question_.host_goes_on ? LookupOutcome::kOfHost : LookupOutcome::kNoSuchName);
  }
  begins_ = false;
}

void Lookup::begin_candidate() {
  parts_ = {};
  attempt_ = 0;
  recall();
  if (all(&Part::settled)) return judge();
  begin_round();
}

Cache::Key Lookup::key_of(std::size_t part) const {
  Cache::Key key{{}, servers().cached_as};
  for (const std::uint8_t byte : question_.candidates.names[candidate_].wire()) {
    const bool upper = byte >= 'A' && byte <= 'Z';
    key.question += static_cast<char>(upper ? byte - 'A' + 'a' : byte);
  }
  const auto flags = question_.flags & ~(plan::kLookupSearches | plan::kLookupStream);
  for (const int number : {int{question_.types[part]}, int{question_.query_class}, flags}) {
    key.question += static_cast<char>(number >> 8);
    key.question += static_cast<char>(number & 0xff);
  }
  return key;
}

void Lookup::recall() {
  if (servers().cached_as.empty()) return;
  const auto name = std::as_bytes(question_.candidates.names[candidate_].wire());
  for (std::size_t i = 0; i < parts(); ++i) {
    auto kept = shared_.cache.find(key_of(i));
    if (!kept) continue;
    // In the case in which this program has typed it.
    const auto asked = dns::question_of(kept->reply);
    if (!asked || asked->name.wire().size() != name.size()) continue;
    std::ranges::copy(name, kept->reply.begin() + dns::kHeaderSize);
    parts_[i].settled = true;
    parts_[i].cached = true;
    parts_[i].lifetime = kept->left;
    parts_[i].reply = std::move(kept->reply);
  }
}

bool Lookup::is_in_force() const {
  return servers().cached_as.empty() || shared_.in_force.contains(servers().cached_as);
}

void Lookup::keep(std::size_t part) {
  if (servers().cached_as.empty() || !is_in_force()) return;
  parts_[part].lifetime = shared_.cache.keep(key_of(part), question_.user, parts_[part].reply);
}

ChannelKey channel_key(const NameServerEgress& server) {
  return {.server = server.server.address,
          .port = server.server.port,
          .interface = server.entry->interface,
          .source = server.entry->source,
          .mark = server.entry->mark,
          .tls_name = server.server.tls_name};
}

ChannelKey Lookup::key_of(const NameServerEgress& server) const {
  ChannelKey key = channel_key(server);
  key.stream = key.tls_name.empty() && (question_.flags & plan::kLookupStream) != 0;
  key.extended = extended_;
  return key;
}

bool Lookup::all(bool Part::*said) const {
  return std::all_of(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(parts()),
                     [&](const Part& part) { return part.settled || part.*said; });
}

void Lookup::begin_round() {
  order_.clear();
  for (std::size_t i = 0; i < servers().servers.size(); ++i) {
    const NameServerEgress& server = servers().servers[i];
    if (server.entry && !shared_.health.is_refused(key_of(server))) order_.push_back(i);
  }
  std::stable_partition(order_.begin(), order_.end(), [this](std::size_t server) {
    return !shared_.health.is_silent(key_of(servers().servers[server]));
  });
  next_ = 0;
  ask_next_server();
}

void Lookup::ask_next_server() {
  if (!is_in_force()) {
    stop_asking();
    return finish(LookupOutcome::kTryAgain);
  }
  const auto now = steady_clock::now();
  while (next_ < order_.size() && now < end_) {
    const auto position = static_cast<std::uint8_t>(next_);
    Asking asking;
    asking.server = order_[next_++];
    asking.since = now;
    asking.until =
        std::min(end_, now + milliseconds(plan::name_timeout_ms(servers().settings, position)));
    next_at_ = now + kStagger;
    if (!ask(asking)) continue;
    asking_.push_back(std::move(asking));
    return wait();
  }
  if (asking_.empty()) return round_is_over();
  wait();
}

bool Lookup::ask(Asking& asking) {
  auto channel = shared_.channels.take(key_of(servers().servers[asking.server]));
  if (!channel) return false;
  asking.id = ++last_id_;
  asking.channel = std::move(*channel);
  asking.needs_plain = false;
  asking.waiting = 0;
  for (std::size_t part = 0; part < parts(); ++part) {
    if (parts_[part].settled) continue;
    ++asking.waiting;
    ask(asking, part);
  }
  return true;
}

void Lookup::ask(const Asking& asking, std::size_t part) {
  const std::uint16_t flags = question_.flags;
  dns::Query query;
  query.id = random_number();
  query.question = {question_.candidates.names[candidate_], question_.types[part],
                    question_.query_class};
  query.authentic = (flags & plan::kLookupAuthentic) != 0;
  query.unchecked = (flags & plan::kLookupUnchecked) != 0;
  query.extended = extended_;
  query.dnssec = (flags & plan::kLookupDnssec) != 0;
  query.datagram_size = kDatagramSize;
  std::array<std::byte, dns::kMostQuery> packet{};
  const std::size_t size = dns::write_query(query, packet);
  asking.channel->ask(std::span(packet).first(size),
                      [self = weak_from_this(), id = asking.id, part](Channel::Reply reply) {
                        if (const auto lookup = self.lock())
                          lookup->replied(id, part, std::move(reply));
                      });
}

void Lookup::replied(std::uint64_t id, std::size_t part, Channel::Reply reply) {
  const auto asking = std::ranges::find(asking_, id, &Asking::id);
  if (asking == asking_.end()) return;
  --asking->waiting;
  if (asking->channel->was_refused()) {
    shared_.health.was_refused(key_of(servers().servers[asking->server]));
  }
  // What is no reply, but perhaps the question come back, says nothing.
  const dns::Header header = dns::header_of(reply).value_or(dns::Header{});
  if (header.is_reply) {
    asking->has_replied = true;
    asking->rcode = header.rcode;
    shared_.health.has_answered(key_of(servers().servers[asking->server]));
    if (header.rcode == dns::kFormatError && extended_) {
      asking->needs_plain = true;
    } else if (!parts_[part].settled) {
      parts_[part].refused = is_refusal(header.rcode);
      parts_[part].settled = !parts_[part].refused;
      parts_[part].reply = std::move(reply);
      if (parts_[part].settled) keep(part);
    }
  }
  if (all(&Part::settled)) {
    stop_asking();
    return judge();
  }
  if (asking->waiting == 0) return is_done(asking);
  // It refuses packets: of the error that the kernel has for its socket, one question alone hears.
  if (!header.is_reply && may_race()) ask_next_server();
}

// It has said all that it will.
void Lookup::is_done(std::vector<Asking>::iterator asking) {
  shared_.channels.give_back(std::move(asking->channel));
  if (asking->needs_plain) {
    extended_ = false;
    if (ask(*asking)) return wait();
  }
  note(*asking, asking->has_replied ? AskedServer::End::kAnswered : AskedServer::End::kFailed);
  asking_.erase(asking);
  ask_next_server();
}

bool Lookup::may_race() const {
  return next_ < order_.size() && asking_.size() < kMostAtATime;
}

void Lookup::wait() {
  auto due = may_race() ? next_at_ : end_;
  for (const Asking& asking : asking_) due = std::min(due, asking.until);
  const auto left = std::chrono::ceil<milliseconds>(due - steady_clock::now());
  timer_.after(std::max(left, milliseconds(0)), [this] { time_is_up(); });
}

void Lookup::time_is_up() {
  const auto now = steady_clock::now();
  for (Asking& asking : asking_) {
    if (now < asking.until) continue;
    if (!asking.has_replied) {
      shared_.health.was_silent(key_of(servers().servers[asking.server]));
    }
    note(asking, asking.has_replied ? AskedServer::End::kAnswered : AskedServer::End::kSilent);
    shared_.channels.give_back(std::move(asking.channel));
  }
  std::erase_if(asking_, [](const Asking& asking) { return asking.channel == nullptr; });
  if (asking_.empty() || (may_race() && now >= next_at_)) return ask_next_server();
  wait();
}

void Lookup::stop_asking() {
  for (Asking& asking : asking_) {
    note(asking, asking.has_replied ? AskedServer::End::kAnswered : AskedServer::End::kOvertaken);
    shared_.channels.give_back(std::move(asking.channel));
  }
  asking_.clear();
}

void Lookup::note(const Asking& asking, AskedServer::End end) {
  if (!question_.wants_asked) return;
  asked_.push_back({question_.candidates.names[candidate_], servers().servers[asking.server], end,
                    asking.rcode, steady_clock::now() - asking.since});
}

// Servers that all say that they cannot are not asked again.
void Lookup::round_is_over() {
  const bool again = !order_.empty() && !all(&Part::refused) &&
                     ++attempt_ < servers().settings.attempts && steady_clock::now() < end_;
  if (again) return begin_round();
  judge();
}

// Of the present candidate, by what libc's res_nquery looks at: the headers.
LookupOutcome Lookup::outcome() const {
  bool answered = false;
  bool no_such_name = false;
  bool not_taken = false;
  bool refused = false;
  for (std::size_t i = 0; i < parts(); ++i) {
    if (!parts_[i].settled && !parts_[i].refused) return LookupOutcome::kTryAgain;
    const dns::Header header = dns::header_of(parts_[i].reply).value_or(dns::Header{});
    answered = answered || has_answers(header);
    refused = refused || parts_[i].refused;
    no_such_name = no_such_name || header.rcode == dns::kNoSuchName;
    not_taken = not_taken || (parts_[i].settled && header.rcode != dns::kNoError &&
                              header.rcode != dns::kNoSuchName);
  }
  if (answered) return LookupOutcome::kAnswered;
  if (no_such_name) return LookupOutcome::kNoSuchName;
  if (refused) return LookupOutcome::kTryAgain;
  return not_taken ? LookupOutcome::kNoRecovery : LookupOutcome::kNoData;
}

void Lookup::judge() {
  const LookupOutcome now = outcome();
  const bool silent = now == LookupOutcome::kTryAgain && !all(&Part::refused);
  if (candidate_ == 0 && question_.candidates.first_counts) first_ = now;
  had_no_data_ = had_no_data_ || now == LookupOutcome::kNoData;
  had_failure_ = had_failure_ || now == LookupOutcome::kTryAgain;
  // What came of the names before led to this one.
  for (const Part& part : std::span(parts_).first(parts())) {
    lifetime_ = std::min(lifetime_.value_or(part.lifetime), part.lifetime);
  }
  const bool ends = now == LookupOutcome::kAnswered || now == LookupOutcome::kNoRecovery || silent;
  if (ends) return finish(now);
  if (candidate_ + 1 < question_.candidates.names.size()) {
    ++candidate_;
    return begin_candidate();
  }
  if (first_) return finish(*first_);
  if (question_.host_goes_on && !had_failure_) return finish(LookupOutcome::kOfHost);
  if (had_no_data_) return finish(LookupOutcome::kNoData);
  finish(had_failure_ ? LookupOutcome::kTryAgain : now);
}

void Lookup::finish(LookupOutcome outcome) {
  const auto self = std::move(self_);
  LookupResult result{outcome, {}, 0, {}, std::move(asked_)};
  const bool is_known = outcome == LookupOutcome::kAnswered ||
                        outcome == LookupOutcome::kNoSuchName || outcome == LookupOutcome::kNoData;
  if (is_known) result.lifetime = lifetime_.value_or(0);
  for (std::size_t i = 0; i < parts(); ++i) {
    result.replies[i] = std::move(parts_[i].reply);
    result.cached[i] = parts_[i].cached;
  }
  if (!begins_) return std::exchange(done_, nullptr)(std::move(result));
  asio::post(shared_.context, [done = std::move(done_), result = std::move(result)]() mutable {
    done(std::move(result));
  });
}

}  // namespace px::broker
