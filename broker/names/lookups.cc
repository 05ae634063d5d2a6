// SPDX-License-Identifier: MIT
#include "broker/names/lookups.h"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <utility>

namespace px::broker {
namespace {

SearchList search_list_of_profile(const Names& names) {
  SearchList list;
  list.ndots = names.ndots;
  for (const std::string& text : names.search) {
    if (const auto domain = dns::Name::from_text(text)) list.domains.push_back(*domain);
  }
  return list;
}

// Servers and egresses in one text: the same for all profiles that have the same.
std::string cached_as(const std::vector<NameServerEgress>& servers) {
  std::string text;
  for (const NameServerEgress& server : servers) {
    text += text_of(server.server);
    if (server.entry) {
      std::array<char, bundle::kAddressTextSize> source{};
      text += " " + std::to_string(server.entry->interface_index) + " " +
              std::string(bundle::address_text(server.entry->source, source)) + " " +
              std::to_string(server.entry->mark);
    }
    text += "\n";
  }
  return text;
}

}  // namespace

Lookups::Lookups(asio::io_context& context, CountedAs counted_as, Limits limits)
    : context_(context),
      counted_as_(std::move(counted_as)),
      limits_(limits),
      channels_(context),
      cache_(limits.cache) {}

void Lookups::follow(const Policy& policy, const Snapshot& snapshot, const Marks& marks) {
  profiles_.clear();
  std::set<std::string> asked;
  for (const Profile& profile : policy.profiles) {
    if (profile.names.servers.empty()) continue;
    auto servers = name_servers_of(profile, policy, snapshot, marks);
    std::string text = cached_as(servers);
    asked.insert(text);
    profiles_[profile.name] = {profile.names.settings(), search_list_of_profile(profile.names),
                               std::move(servers), std::move(text)};
  }
  cache_.keep_only([&](const std::string& servers) { return asked.contains(servers); });
}

void Lookups::look_up(uid_t user, const std::string& profile, const plan::Lookup& lookup,
                      Lookup::Done done) {
  const uid_t counted = counted_as_(user);
  User& of_user = users_[counted];
  Waiting waiting{profile, lookup, std::move(done)};
  if (of_user.asked >= limits_.per_user) {
    of_user.held.push_back(std::move(waiting));
    return;
  }
  ++of_user.asked;
  turns_.add(counted, {counted, std::move(waiting)});
  begin_some();
}

bool Lookups::was_silent(const NameServerEgress& server) const {
  return server.entry && health_.is_silent(channel_key(server));
}

void Lookups::begin_some() {
  while (under_way_ < limits_.at_a_time && !turns_.empty()) {
    Turn turn = turns_.take();
    begin(turn.user, std::move(turn.waiting));
  }
}

// Of the profile as it is now: without servers, where it has none any more.
Lookup::Question Lookups::question_of(uid_t user, const Waiting& waiting) const {
  const plan::Lookup& lookup = waiting.lookup;
  Lookup::Question question;
  question.user = user;
  SearchList search;
  if (const auto found = profiles_.find(waiting.profile); found != profiles_.end()) {
    question.settings = found->second.settings;
    question.servers = found->second.servers;
    question.cached_as = found->second.cached_as;
    search = found->second.search;
  }
  if (lookup.timeout_s != 0) question.settings.timeout_s = lookup.timeout_s;
  if (lookup.attempts != 0) question.settings.attempts = lookup.attempts;
  const auto name = dns::Name::from_wire(std::span(lookup.name).first(lookup.name_length));
  const bool searches = (lookup.flags & plan::kLookupSearches) != 0;
  question.candidates = candidates_of(name.value_or(dns::Name()), searches,
                                      search_list_of(lookup, std::move(search)));
  std::ranges::copy(lookup.types, question.types.begin());
  question.query_class = lookup.query_class;
  question.flags = lookup.flags;
  return question;
}

void Lookups::begin(uid_t user, Waiting waiting) {
  ++under_way_;
  std::make_shared<Lookup>(Lookup::Parts{context_, channels_, cache_, health_},
                           question_of(user, waiting),
                           [this, user, done = std::move(waiting.done)](LookupResult result) {
                             ended(user);
                             done(std::move(result));
                           })
      ->begin();
}

void Lookups::ended(uid_t user) {
  --under_way_;
  const auto of_user = users_.find(user);
  if (of_user->second.held.empty()) {
    if (--of_user->second.asked == 0) users_.erase(of_user);
  } else {
    turns_.add(user, {user, std::move(of_user->second.held.front())});
    of_user->second.held.pop_front();
  }
  begin_some();
}

}  // namespace px::broker
