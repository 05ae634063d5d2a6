// SPDX-License-Identifier: MIT
// A plan with one rule, by name, written by hand into the file of a TestPlan.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>

#include "dns/name.h"
#include "plan/layout.h"
#include "tests/unit/preload/shim_plan_fixture.h"

namespace px::shim {

// Blocks all names below the domain, and no other destination.
inline void publish_block_below(TestPlan& plan, std::string_view domain) {
  struct Half {
    plan::PlanHeader header;
    plan::Segment segment;
    std::uint32_t rule_id;
    plan::Rule rule;
    plan::Node node;
    plan::NameNode name_node;
    char text[dns::kMostName];
  };
  const auto name = dns::Name::from_text(domain);
  ASSERT_TRUE(name);
  const auto bytes = name->wire();
  const auto one = [](std::size_t offset, std::size_t count = 1) {
    return plan::Section{static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(count)};
  };
  Half half{};
  half.header.size = sizeof half;
  half.header.names = plan.names;
  half.header.segments = one(offsetof(Half, segment));
  half.header.rule_ids = one(offsetof(Half, rule_id));
  half.header.rules = one(offsetof(Half, rule));
  half.header.nodes = one(offsetof(Half, node));
  half.header.name_nodes = one(offsetof(Half, name_node));
  half.header.text = one(offsetof(Half, text), bytes.size());
  half.segment.rule_id_count = 1;
  half.rule.action = plan::RuleAction::kBlock;
  half.node.child[0] = half.node.child[1] = plan::kNoNode;
  half.name_node = {0, static_cast<std::uint32_t>(bytes.size()), 1, 0, 1};
  std::memcpy(half.text, bytes.data(), bytes.size());
  plan::FileHeader& file = plan.header();
  const std::uint64_t next = file.published + 1;
  file.writing = next;
  std::memcpy(reinterpret_cast<std::byte*>(&file) + plan::kHeaderSize + next % 2 * plan::kHalfSize,
              &half, sizeof half);
  file.published = next;
}

}  // namespace px::shim
