// SPDX-License-Identifier: MIT
#include "broker/routing/routing.h"

#include <linux/capability.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "broker/routing/kernel_writer.h"
#include "broker/routing/nft_table.h"
#include "broker/routing/port_rules.h"
#include "netlink/kernel_state_dump.h"

namespace px::broker {
namespace {

bool may_administer_the_network() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (syscall(SYS_capget, &header, data.data()) != 0) return false;
  return (data[0].effective & (1U << CAP_NET_ADMIN)) != 0;
}

Expected<void> may_write() {
  if (!may_administer_the_network()) {
    return fail("the broker runs without CAP_NET_ADMIN; use the system's, or run pxd as root");
  }
  PX_ASSIGN_OR_RETURN(auto writer, KernelWriter::open());
  return writer.may_write();
}

Expected<void> write_whole(const std::filesystem::path& file, const std::string& text) {
  auto beside = file;
  beside += ".new";
  std::ofstream stream(beside, std::ios::trunc);
  stream << text;
  stream.close();
  if (!stream) return fail_errno("cannot write " + beside.string());
  std::error_code error;
  std::filesystem::rename(beside, file, error);
  if (error) return fail("cannot write " + file.string() + ": " + error.message());
  return {};
}

constexpr int kAttemptMs = 20;

}  // namespace

Expected<Routing> Routing::open(const std::filesystem::path& directory, bool cleans_up) {
  const auto file = directory / kMarksFile;
  std::ifstream stream(file);
  if (!stream) return Routing(file, cleans_up, {});
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  auto allocator = MarkAllocator::parse(text);
  if (!allocator)
    return fail(file.string() + ": " + allocator.error().message + "; remove the file");
  return Routing(file, cleans_up, std::move(*allocator));
}

// The private broker of the program before this one may be about to end.
Expected<void> Routing::claim() {
  if (claim_) return {};
  PX_TRY(may_write());
  auto claimed = try_to_claim();
  for (int left = std::exchange(attempts_, 0); !claimed && left > 0; --left) {
    poll(nullptr, 0, kAttemptMs);
    claimed = try_to_claim();
  }
  return claimed;
}

Expected<void> Routing::try_to_claim() {
  PX_ASSIGN_OR_RETURN(auto claim, NamespaceClaim::take());
  PX_TRY(nothing_is_left());
  claim_ = std::move(claim);
  return {};
}

Expected<void> Routing::available() const {
  if (claim_) return {};
  PX_TRY(may_write());
  PX_TRY(NamespaceClaim::is_free());
  return nothing_is_left();
}

Expected<void> Routing::nothing_is_left() const {
  if (cleans_up_) return {};
  PX_ASSIGN_OR_RETURN(const auto kernel, netlink::read_kernel_state());
  if (found_state(kernel).empty()) return {};
  return fail("the next hops of a broker that was killed are still there; start that broker again");
}

Expected<void> Routing::remember(MarkAllocator allocator) {
  if (allocator == allocator_) return {};
  PX_TRY(write_whole(file_, allocator.text()));
  allocator_ = std::move(allocator);
  return {};
}

Expected<void> Routing::carry_out(const Wish& wish) {
  if (wish.demand.empty()) return {};
  const auto keys = keys_of(wish.demand);
  PX_TRY(claim());
  PX_ASSIGN_OR_RETURN(auto allocator, allocator_.with(keys, wish.mask));
  // Before any packet can carry a mark: a broker that is killed now leaves none without meaning.
  PX_TRY(remember(std::move(allocator)));
  PX_ASSIGN_OR_RETURN(const auto kernel, netlink::read_kernel_state());
  PX_ASSIGN_OR_RETURN(auto writer, KernelWriter::open());
  const RoutingState wanted = wanted_state(wish.demand, allocator_, wish.mask, kernel);
  PX_TRY(writer.add(changes_between(found_state(kernel), wanted)));
  return update_nft_table(wish);
}

Marks Routing::marks() const {
  return allocator_.only(keys_of(prepared_.demand)).marks(prepared_.mask);
}

Expected<Marks> Routing::prepare(const RoutingDemand& demand, std::uint32_t mask) {
  Wish wish{demand, mask};
  if (auto done = carry_out(wish); !done) {
    abandon();
    return tl::make_unexpected(done.error());
  }
  prepared_ = std::move(wish);
  return marks();
}

Expected<void> Routing::retire() {
  const auto keys = keys_of(prepared_.demand);
  const bool nothing = prepared_.demand.empty();
  const bool first = !in_force_;
  const bool had = in_force_ && !in_force_->demand.empty();
  in_force_ = prepared_;
  // Nothing was there, and nothing is.
  if (nothing && !had && !(first && cleans_up_) && !claim_) return {};
  // What is there without this broker's doing is another broker's, or `pxctl doctor` tells of it.
  if (nothing && !claim()) return {};
  PX_ASSIGN_OR_RETURN(const auto kernel, netlink::read_kernel_state());
  const RoutingState wanted = wanted_state(prepared_.demand, allocator_, prepared_.mask, kernel);
  PX_TRY(remove_all_but(wanted));
  if (!needs_nft_table(prepared_.demand)) {
    PX_TRY(remove_nft_table());
  }
  PX_TRY(remember(allocator_.only(keys)));
  if (nothing) claim_.reset();
  return {};
}

Expected<std::vector<PortRoute>> Routing::ports_left() const {
  if (!cleans_up_) return std::vector<PortRoute>();
  PX_ASSIGN_OR_RETURN(const auto kernel, netlink::read_kernel_state());
  return found_ports(kernel, allocator_);
}

void Routing::abandon() {
  if (!in_force_) {
    // A private broker had nothing to go on with.
    if (!cleans_up_) (void)remove_all();
    return;
  }
  const Wish before = *in_force_;
  // What cannot be restored now is at the next change of the network.
  if (carry_out(before)) {
    prepared_ = before;
    (void)retire();
  }
}

Expected<void> Routing::mend() {
  if (!in_force_ || in_force_->demand.empty()) return {};
  PX_TRY(carry_out(*in_force_));
  // What had to move before another's rule is there twice.
  PX_ASSIGN_OR_RETURN(const auto kernel, netlink::read_kernel_state());
  return remove_all_but(wanted_state(in_force_->demand, allocator_, in_force_->mask, kernel));
}

Expected<void> Routing::remove_all() {
  if (!claim_) return {};
  PX_TRY(remove_all_but({}));
  auto removed = remove_nft_table();
  prepared_ = {};
  in_force_.reset();
  claim_.reset();
  return removed;
}

Expected<void> Routing::remove_all_but(const RoutingState& wanted) {
  PX_ASSIGN_OR_RETURN(const auto kernel, netlink::read_kernel_state());
  PX_ASSIGN_OR_RETURN(auto writer, KernelWriter::open());
  return writer.remove(changes_between(found_state(kernel), wanted));
}

Expected<void> Routing::update_nft_table(const Wish& wish) {
  if (!needs_nft_table(wish.demand)) return {};
  std::string commands = nft_table_commands(wish.demand, allocator_.marks(wish.mask), wish.mask);
  if (commands == nft_commands_) {
    PX_ASSIGN_OR_RETURN(const auto there, list_nft_table());
    if (!there.empty()) return {};
  }
  nft_commands_.clear();
  PX_TRY(run_nft(commands));
  nft_commands_ = std::move(commands);
  return {};
}

Expected<void> Routing::remove_nft_table() {
  PX_ASSIGN_OR_RETURN(const auto there, list_nft_table());
  nft_commands_.clear();
  if (there.empty()) return {};
  return run_nft(nft_table_commands({}, {}, 0));
}

}  // namespace px::broker
