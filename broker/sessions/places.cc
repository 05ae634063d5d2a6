// SPDX-License-Identifier: MIT
#include "broker/sessions/places.h"

#include <utility>

namespace px::broker {
namespace {

// One place in so many is for users who have none.
constexpr std::size_t kKeptShare = 4;

}  // namespace

Places::Places(Limits limits) : books_(std::make_shared<Books>()) {
  books_->limits = limits;
}

std::size_t Places::count() const {
  return books_->open;
}

const Places::Limits& Places::limits() const {
  return books_->limits;
}

bool Places::Books::has_room_for(uid_t user, bool administrator) {
  if (administrator) return true;
  const bool first = !users.contains(user);
  const std::size_t kept = first ? 0 : limits.in_all / kKeptShare;
  return open + kept < limits.in_all;
}

// Of the user who has the most silent ones, if that user has more connections than this one.
Places::Place* Places::Books::silent_of_another(uid_t user) {
  const auto own = users.find(user);
  const std::size_t own_open = own == users.end() ? 0 : own->second.open;
  const User* most = nullptr;
  for (const auto& [number, other] : users) {
    if (number == user || other.open <= own_open + 1) continue;
    if (most == nullptr || other.silent.size() > most->silent.size()) most = &other;
  }
  return most == nullptr || most->silent.empty() ? nullptr : most->silent.front();
}

void Places::Books::close(uid_t user) {
  --open;
  const auto found = users.find(user);
  if (--found->second.open == 0) users.erase(found);
}

std::unique_ptr<Places::Place> Places::take(uid_t user, bool administrator,
                                            std::function<void()> taken) {
  const auto found = books_->users.find(user);
  if (found != books_->users.end() && found->second.open >= books_->limits.per_user) return nullptr;
  if (!books_->has_room_for(user, administrator)) {
    Place* silent = books_->silent_of_another(user);
    if (silent == nullptr) return nullptr;
    silent->take_away();
  }
  return std::unique_ptr<Place>(new Place(books_, user, std::move(taken)));
}

Places::Place::Place(std::shared_ptr<Books> books, uid_t user, std::function<void()> taken)
    : books_(std::move(books)), user_(user), taken_(std::move(taken)) {
  User& of_user = books_->users[user_];
  ++books_->open;
  ++of_user.open;
  silent_ = of_user.silent.insert(of_user.silent.end(), this);
}

Places::Place::~Place() {
  if (gone_) return;
  spoke();
  let_go(kept_);
  books_->close(user_);
}

void Places::Place::spoke() {
  if (gone_ || taken_ == nullptr) return;
  books_->users.at(user_).silent.erase(silent_);
  taken_ = nullptr;
}

void Places::Place::take_away() {
  const auto taken = std::exchange(taken_, nullptr);
  books_->users.at(user_).silent.erase(silent_);
  let_go(kept_);
  gone_ = true;
  books_->close(user_);
  taken();
}

bool Places::Place::keep(std::size_t bytes) {
  if (gone_) return false;
  User& of_user = books_->users.at(user_);
  if (of_user.bytes + bytes > books_->limits.bytes_per_user) return false;
  of_user.bytes += bytes;
  kept_ += bytes;
  return true;
}

void Places::Place::let_go(std::size_t bytes) {
  if (gone_) return;
  books_->users.at(user_).bytes -= bytes;
  kept_ -= bytes;
}

}  // namespace px::broker
