// SPDX-License-Identifier: MIT
#include "broker/publish/publisher.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "broker/publish/plan_builder.h"
#include "plan/wire.h"
#include "util/clock.h"
#include "util/fd.h"

namespace px::broker {
namespace {

bool chooses_sockets_unasked(const Policy& policy) {
  return std::any_of(policy.profiles.begin(), policy.profiles.end(), [&](const Profile& profile) {
    const bool unasked = !profile.matches.empty() || profile.name == policy.default_profile;
    return unasked && profile.bundle.all_sockets != 0;
  });
}

}  // namespace

Expected<Publisher> Publisher::open(const std::filesystem::path& run_directory) {
  const auto directory = run_directory / plan::kPlanDirectory;
  if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    return fail_errno("cannot make " + directory.string());
  }
  struct stat status {};
  if (lstat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
      status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(directory.string() + " is not this broker's own directory; remove it, or serve " +
                "elsewhere with --socket");
  }
  // Whatever the umask: programs of every user read the plans.
  if (chmod(directory.c_str(), 0755) != 0) return fail_errno(directory.string());
  Publisher publisher(directory);
  PX_TRY(publisher.adopt_left_over());
  return publisher;
}

// Programs may still run under the plans of an earlier broker, whatever the policy says now.
Expected<void> Publisher::adopt_left_over() {
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(directory_, error)) {
    const auto name = file.path().stem().string();
    if (file.path().extension() != plan::kPlanSuffix || !plan::valid_profile_name(name)) continue;
    PX_TRY(ensure_file(name));
    plans_[name].removed = true;
  }
  if (error) return fail("cannot list " + directory_.string() + ": " + error.message());
  return {};
}

Expected<void> Publisher::ensure_file(const std::string& profile) {
  if (plans_.contains(profile)) return {};
  PX_ASSIGN_OR_RETURN(auto file, PlanFile::open(directory_, profile));
  if (instance_ != 0) file->announce(instance_);
  recheck_ = std::max(recheck_, file->recheck());
  plans_[profile].file = std::move(file);
  plans_[profile].removed = true;  // until it is published
  return {};
}

Expected<void> Publisher::publish(const Policy& policy, const Snapshot& snapshot,
                                  const Marks& marks) {
  std::map<std::string, std::vector<std::byte>> compiled;
  for (const Profile& profile : policy.profiles) {
    auto plan = build_plan(profile, policy, snapshot, marks);
    if (!plan) {
      return fail(to_string(Diagnostic{profile.position, plan.error().message}));
    }
    compiled.emplace(profile.name, std::move(*plan));
  }
  for (const auto& [name, plan] : compiled) {
    PX_TRY(ensure_file(name));
  }
  const auto removed_plan = build_removed_plan(snapshot);
  for (auto& [name, published] : plans_) {
    const auto plan = compiled.find(name);
    PX_TRY(published.file->prepare(plan == compiled.end() ? removed_plan : plan->second));
  }
  const auto sign = directory_ / plan::kAllSocketsFile;
  const bool chooses = chooses_sockets_unasked(policy);
  if (chooses && !Fd(::open(sign.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644))) {
    return fail_errno("cannot create " + sign.string());
  }
  for (auto& [name, published] : plans_) {
    published.file->commit();
    published.removed = !compiled.contains(name);
  }
  if (!chooses) unlink(sign.c_str());
  return {};
}

void Publisher::announce(std::uint64_t instance) {
  instance_ = instance;
  forget_health();
  for (auto& [name, published] : plans_) published.file->announce(instance);
}

void Publisher::recheck(const std::string& profile) {
  const auto found = plans_.find(profile);
  if (found == plans_.end()) return;
  // Programs compare the lower half alone, and 0 is what they begin with.
  if (static_cast<std::uint32_t>(++recheck_) == 0) ++recheck_;
  // Who is to ask must not think that the broker has stopped: it may have had no time to beat.
  found->second.file->beat(monotonic_ms());
  found->second.file->set_recheck(recheck_);
}

void Publisher::beat(std::uint64_t now_ms) {
  for (auto& [name, published] : plans_) published.file->beat(now_ms);
}

void Publisher::record_health(const std::string& profile, const plan::HealthKey& key,
                              const plan::HealthFinding& finding, std::uint64_t now_ms) {
  const auto found = plans_.find(profile);
  if (found != plans_.end()) found->second.file->record_health(key, finding, now_ms);
}

void Publisher::forget_health() {
  for (auto& [name, published] : plans_) published.file->forget_health();
}

void Publisher::forget(const std::string& profile) {
  const auto found = plans_.find(profile);
  if (found == plans_.end() || !found->second.removed) return;
  plans_.erase(found);
  unlink((directory_ / (profile + plan::kPlanSuffix)).c_str());
}

const PlanFile* Publisher::find(const std::string& profile) const {
  const auto found = plans_.find(profile);
  return found == plans_.end() || found->second.removed ? nullptr : found->second.file.get();
}

}  // namespace px::broker
