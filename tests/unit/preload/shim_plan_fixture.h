// SPDX-License-Identifier: MIT
// A plan file in memory, with at most one rule, for everything.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/wire.h"
#include "tests/unit/preload/shim_values.h"
#include "tests/unit/support/shared_file.h"

namespace px::shim {

class TestPlan {
 public:
  explicit TestPlan(std::uint64_t instance, std::string_view profile = "test")
      : file_(plan::kFileSize) {
    plan::fill_text(header().profile, profile);
    header().magic = plan::kMagic;
    header().layout_version = plan::kLayoutVersion;
    header().broker_instance = instance;
    header().heartbeat = ~std::uint64_t{0};  // at work, as long as no test says otherwise
  }
  [[nodiscard]] int fd() const { return file_.fd(); }
  [[nodiscard]] plan::FileHeader& header() {
    return *reinterpret_cast<plan::FileHeader*>(file_.base());
  }

  void publish_without_rules(bool matching = false) {
    begin();
    plan_header().matching = matching ? 1 : 0;
    finish();
  }
  // Rules, but none for what the tests connect to.
  void publish_system(bool matching = false) {
    begin();
    plan_header().matching = matching ? 1 : 0;
    put_rules({}, {});
    finish();
  }
  void publish_block() {
    begin();
    put_rules({{.action = plan::RuleAction::kBlock, .first_via = 0, .via_count = 0}}, {});
    finish();
  }
  void publish_via(const plan::Entry& via, plan::OnLoss on_loss = plan::OnLoss::kLastKnown) {
    begin();
    plan_header().on_loss = on_loss;
    put_rules({{.action = plan::RuleAction::kVia, .first_via = 0, .via_count = 1}}, {via});
    finish();
  }
  void publish_listen(plan::ListenMode mode, const std::optional<plan::Entry>& via = {}) {
    begin();
    plan_header().listen = mode;
    plan_header().listen_via_count = via ? 1 : 0;
    if (via) put_entry(*via);
    finish();
  }
  // No rules; what is sent to those addresses is for the server.
  void publish_redirect(const plan::Address& server, const plan::Entry& via,
                        const std::vector<plan::Range>& redirected) {
    begin();
    put_entry(via);
    put(&plan_header().name_servers, plan::NameServer{server, 53, 0, 1});
    put_all(&plan_header().redirected, redirected.data(), redirected.size());
    finish();
  }
  // No rules; `text` holds what `names` point into.
  void publish_bundles(const plan::BundleSettings& settings, std::string_view text = {},
                       const std::vector<plan::BundleName>& names = {}) {
    begin();
    plan_header().bundle = settings;
    put_all(&plan_header().bundle_names, names.data(), names.size());
    put_all(&plan_header().text, text.data(), text.size());
    finish();
  }
  void publish_bundle(const plan::BundleSettings& settings, std::string_view name,
                      std::string_view notation) {
    const auto length = static_cast<std::uint32_t>(name.size());
    const auto rest = static_cast<std::uint32_t>(notation.size());
    publish_bundles(settings, std::string(name).append(notation),
                    {plan::BundleName{0, length, length, rest, 0}});
  }
  // Of what is published from now on.
  std::uint32_t mark_mask = 0;
  std::uint32_t listen_mark = 0;
  plan::NameSettings names{};

 private:
  plan::PlanHeader& plan_header() { return *reinterpret_cast<plan::PlanHeader*>(half_); }

  void begin() {
    const std::uint64_t next = header().published + 1;
    header().writing = next;
    half_ = file_.base() + plan::kHeaderSize + next % 2 * plan::kHalfSize;
    end_ = (sizeof(plan::PlanHeader) + 63) / 64 * 64;
    std::memset(half_, 0, end_);
    plan_header().mark_mask = mark_mask;
    plan_header().listen_mark = listen_mark;
    plan_header().names = names;
  }
  void finish() {
    plan_header().size = end_;
    header().published = header().writing.load();
  }

  template <typename Element>
  void put_all(plan::Section* section, const Element* elements, std::size_t count) {
    const std::size_t size = sizeof *elements * count;
    if (size > 0) std::memcpy(half_ + end_, elements, size);
    *section = {end_, static_cast<std::uint32_t>(count)};
    end_ += static_cast<std::uint32_t>((size + 63) / 64 * 64);
  }
  template <typename Element>
  void put(plan::Section* section, const Element& element) {
    put_all(section, &element, 1);
  }

  void put_rules(std::optional<plan::Rule> rule, std::optional<plan::Entry> via) {
    put(&plan_header().nodes, plan::Node{.network = {},
                                         .prefix_length = 0,
                                         .child = {plan::kNoNode, plan::kNoNode},
                                         .first_segment = 0,
                                         .segment_count = rule ? 1u : 0u});
    if (!rule) return;
    put(&plan_header().segments, plan::Segment{.key = 0, .first_rule_id = 0, .rule_id_count = 1});
    put(&plan_header().rule_ids, std::uint32_t{0});
    put(&plan_header().rules, *rule);
    if (via) put_entry(*via);
  }

  void put_entry(const plan::Entry& via) {
    put(&plan_header().via_ids, std::uint32_t{0});
    put(&plan_header().entries, via);
    plan::Range everything;
    everything.high.bytes.fill(0xff);
    put(&plan_header().reach, everything);
  }

  SharedFile file_;
  std::byte* half_ = nullptr;
  std::uint32_t end_ = 0;
};

}  // namespace px::shim
