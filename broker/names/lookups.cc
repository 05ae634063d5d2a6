// SPDX-License-Identifier: MIT
#include "broker/names/lookups.h"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <utility>

#include "dns/address_answers.h"

namespace px::broker {
namespace {

void add(const std::string& text, SearchList& list) {
  const auto domain = dns::Name::from_text(text);
  if (domain && std::ranges::find(list.domains, *domain) == list.domains.end()) {
    list.domains.push_back(*domain);
  }
}

// Of an A or AAAA record.
Address address_in(const dns::Record& record) {
  Address address = bundle::ipv4_address(0);
  const auto bytes = std::as_writable_bytes(std::span(address.bytes));
  std::ranges::copy(record.data, bytes.end() - static_cast<std::ptrdiff_t>(record.data.size()));
  return address;
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

// What the program's environment says instead.
plan::NameSettings with_own(plan::NameSettings settings, const plan::Lookup& lookup) {
  if (lookup.timeout_s != 0) settings.timeout_s = lookup.timeout_s;
  if (lookup.attempts != 0) settings.attempts = lookup.attempts;
  return settings;
}

void apply(const plan::Lookup& lookup, const plan::NameSettings& settings,
           Lookup::Question* question) {
  const auto limit = plan::lookup_limit_ms(with_own(settings, lookup));
  question->limit = std::chrono::milliseconds(limit);
  if (lookup.timeout_s == 0 && lookup.attempts == 0) return;
  for (auto& servers : question->servers) {
    Lookup::Servers own = *servers;
    own.settings = with_own(own.settings, lookup);
    servers = std::make_shared<Lookup::Servers>(std::move(own));
  }
}

}  // namespace

Lookups::Lookups(asio::io_context& context, CountedAs counted_as, Limits limits)
    : context_(context),
      counted_as_(std::move(counted_as)),
      limits_(limits),
      channels_(context),
      cache_(limits.cache) {}

bool Lookups::follow(const Policy& policy, const Snapshot& snapshot, const Marks& marks) {
  profiles_.clear();
  in_force_.clear();
  std::map<std::string, std::string> followed;
  for (const Profile& profile : policy.profiles) {
    if (profile.names.groups.empty()) continue;
    NamesOfProfile& of_profile = profiles_[profile.name];
    of_profile.names = profile.names;
    of_profile.search.ndots = profile.names.ndots;
    for (const std::string& domain : profile.names.search) add(domain, of_profile.search);
    for (const NameGroup& group : profile.names.groups) {
      auto servers = name_servers_of(group, policy, snapshot, marks);
      std::string text = cached_as(servers);
      in_force_.insert(text);
      for (const std::string& domain : learned_domains(group, policy, snapshot)) {
        add(domain, of_profile.search);
      }
      plan::NameSettings settings = group.settings();
      settings.servers = static_cast<std::uint8_t>(servers.size());
      of_profile.servers.push_back(std::make_shared<Lookup::Servers>(
          Lookup::Servers{settings, std::move(servers), std::move(text)}));
      followed[profile.name] += of_profile.servers.back()->cached_as + "\n";
    }
    for (const dns::Name& domain : of_profile.search.domains) {
      followed[profile.name].append(domain.wire().begin(), domain.wire().end());
    }
  }
  channels_.drop_connections();
  cache_.keep_only([&](const std::string& servers) { return in_force_.contains(servers); });
  return std::exchange(followed_, followed) != followed;
}

void Lookups::look_up(uid_t user, const std::string& profile, const plan::Lookup& lookup,
                      Lookup::Done done) {
  take_in(user, {profile, lookup, std::move(done)});
}

void Lookups::resolve(uid_t user, const std::string& profile, const plan::Lookup& lookup,
                      Lookup::Done done) {
  take_in(user, {profile, lookup, std::move(done), true});
}

void Lookups::take_in(uid_t user, Waiting waiting) {
  const uid_t counted = counted_as_(user);
  User& of_user = users_[counted];
  if (of_user.asked >= limits_.per_user) {
    of_user.held.push_back(std::move(waiting));
    return;
  }
  ++of_user.asked;
  turns_.add(counted, {counted, std::move(waiting)});
  begin_some();
}

std::vector<dns::NameChain> Lookups::names_of(const std::string& profile, const Address& address,
                                              std::optional<uid_t> user) const {
  std::vector<dns::NameChain> chains;
  const auto names = profiles_.find(profile);
  if (names == profiles_.end()) return chains;
  const auto& servers = names->second.servers;
  std::size_t left = kMostRead;
  cache_.visit(user, [&](const Cache::Key& key, const Channel::Reply& reply) {
    const auto asked =
        std::ranges::find(servers, key.servers, [](const auto& each) { return each->cached_as; });
    if (asked == servers.end() || chains.size() == kMostChains || reply.size() > left) return;
    left -= reply.size();
    dns::AddressAnswers answers(reply);
    while (const auto record = answers.next()) {
      if (address_in(*record) != address) continue;
      chains.push_back(answers.names());
      return;
    }
  });
  return chains;
}

bool Lookups::was_silent(const NameServerEgress& server) const {
  return server.entry && health_.is_silent(channel_key(server));
}

bool Lookups::was_refused(const NameServerEgress& server) const {
  return server.entry && health_.is_refused(channel_key(server));
}

void Lookups::begin_some() {
  while (under_way_ < limits_.at_a_time && !turns_.empty()) {
    Turn turn = turns_.take();
    begin(turn.user, std::move(turn.waiting));
  }
}

void Lookups::assign(const NamesOfProfile& profile, const SearchList& search,
                     Lookup::Question* question) {
  const auto& groups = profile.names.groups;
  Candidates all = std::move(question->candidates);
  question->candidates = {};
  const std::size_t as_it_is = all.first_counts ? 0 : all.names.size() - 1;
  for (std::size_t i = 0; i < all.names.size(); ++i) {
    const NameGroup* group = profile.names.group_of(all.names[i]);
    if (group != nullptr) {
      question->candidates.names.push_back(all.names[i]);
      const auto index = static_cast<std::size_t>(group - groups.data());
      question->servers.push_back(profile.servers[index]);
      question->candidates.first_counts |= i == 0 && all.first_counts;
      continue;
    }
    const bool searched = all.names.size() > 1 && dots_in(all.names[i]) == 0;
    if (i != as_it_is || (searched && !search.domains.empty())) continue;
    question->host_goes_on = true;
    if (i == 0) return;
  }
}

// Of the profile as it is now: without servers, where it has none any more.
Lookup::Question Lookups::question_of(uid_t user, const Waiting& waiting) const {
  const plan::Lookup& lookup = waiting.lookup;
  Lookup::Question question;
  question.user = user;
  question.wants_asked = waiting.wants_asked;
  std::ranges::copy(lookup.types, question.types.begin());
  question.query_class = lookup.query_class;
  question.flags = lookup.flags;
  const auto name = dns::Name::from_wire(std::span(lookup.name).first(lookup.name_length));
  const bool searches = (lookup.flags & plan::kLookupSearches) != 0;
  const auto found = profiles_.find(waiting.profile);
  if (found == profiles_.end()) {
    question.candidates = candidates_of(name.value_or(dns::Name()), false, {});
    question.servers.push_back(std::make_shared<Lookup::Servers>());
    return question;
  }
  const SearchList search = search_list_of(lookup, found->second.search);
  question.candidates = candidates_of(name.value_or(dns::Name()), searches, search);
  assign(found->second, search, &question);
  apply(lookup, found->second.names.settings(), &question);
  return question;
}

void Lookups::begin(uid_t user, Waiting waiting) {
  ++under_way_;
  std::make_shared<Lookup>(Lookup::Parts{context_, channels_, cache_, health_, in_force_},
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
