// SPDX-License-Identifier: MIT
// Any bytes as a plan: the input is a call, the fields of a file's header, and the beginning of a
// half. Decisions are made on that half alone and in a whole file, for the call and for
// destinations that stand somewhere in the half; so are those about a server's answers. What is
// said of bundles is looked up under names that stand in the half, and calls have such names.
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <memory>
#include <new>

#include "plan/plan.h"
#include "tests/fuzz/fuzz_target.h"

namespace px::plan {
namespace {

using fuzz::require;

struct Control {
  Address destination;
  std::uint32_t scope;
  std::uint16_t port;
  std::uint8_t transport;
  std::uint8_t flags;
  std::uint64_t now_ms;
  std::uint32_t magic;
  std::uint32_t layout_version;
  std::uint64_t broker_instance;
  std::uint64_t writing;
  std::uint64_t published;
  std::uint64_t heartbeat;
};
static_assert(sizeof(Control) == 72);

constexpr std::uint8_t kSourceFixed = 1;
constexpr std::uint8_t kOtherFile = 2;  // magic and version are the input's, not the right ones
constexpr std::size_t kMostDestinations = 64;

void check(const Verdict& verdict, const Call& call) {
  require(verdict.action <= Action::kFail && verdict.reason <= Reason::kNoPlan);
  if (verdict.action != Action::kVia) return;
  require(verdict.rule != kNoRuleIndex || verdict.reason == Reason::kNameServer);
  require((verdict.entry.flags & kEntryUsable) != 0);
  require(((verdict.entry.flags & kEntryIpv4) != 0) == call.destination.is_ipv4());
  require(call.scope == 0 || call.scope == verdict.entry.interface_index);
}

void check(const std::optional<Entry>& answers, const Call& call) {
  if (!answers) return;
  require((answers->flags & kEntryUsable) != 0);
  require(((answers->flags & kEntryIpv4) != 0) == call.destination.is_ipv4());
}

void check(const Redirection& redirection, bool ipv4_only) {
  require(redirection.applies || !redirection.server);
  require(!redirection.server || !ipv4_only || redirection.server->address.is_ipv4());
}

void look_at_name_servers(std::span<const std::byte> half, Call call) {
  std::array<bundle::Endpoint, 3> servers;
  require(name_servers(half, servers) <= servers.size());
  call.port = PX_NAME_SERVER_PORT;
  for (const bool ipv4_only : {false, true}) check(redirect(half, call, ipv4_only), ipv4_only);
}

void look_at_bundles(std::span<const std::byte> half) {
  const BundleSettings settings = bundle_settings(half);
  bool ended = false;
  for (const BundleTransport transport : settings.transports) {
    require(transport <= BundleTransport::kTcp && !(ended && transport != BundleTransport::kNone));
    ended = transport == BundleTransport::kNone;
  }
  require(settings.entries <= BundleEntries::kNever && settings.all_sockets <= 1);
  require(settings.stagger_ms == 0 ||
          (settings.stagger_ms >= kShortestStaggerMs && settings.stagger_ms <= kLongestStaggerMs));
  const std::string_view text(reinterpret_cast<const char*>(half.data()), half.size());
  const auto look_up = [&](std::string_view name) {
    const auto found = bundle_named(half, name);
    require(!found || found->length <= bundle::kMostNotation);
  };
  look_up("db.bundle");
  look_up("www.example.com");
  for (std::size_t i = 0; i < std::min(text.size() / 16, kMostDestinations); ++i) {
    look_up(text.substr(i * 16, 1 + static_cast<unsigned char>(text[i])));
  }
}

// Any slot of the table, whole or not, read for a key that may stand in it.
void look_at_health(const FileHeader& file, const Control& control) {
  for (const HealthSlot& slot : file.health.slots) {
    const auto record = read_slot(slot);
    if (!record) continue;
    const auto known = health(file.health, record->key, control.now_ms);
    require(known <= bundle::Health::kDead);
  }
}

// Exactly as large as the bytes are, so that a sanitizer sees the first byte too much.
void decide_on_half(std::span<const std::uint8_t> bytes, Call call) {
  const auto half = std::make_unique<std::byte[]>(bytes.size());
  std::copy_n(std::as_bytes(bytes).begin(), bytes.size(), half.get());
  const std::span<const std::byte> span(half.get(), bytes.size());
  look_at_bundles(span);
  check(decide(span, call), call);
  check(listen_entry(span, call), call);
  const auto names =
      dns::NameChain::from_wire(bytes.subspan(std::min(bytes.size(), sizeof(PlanHeader))));
  call.names = &names;
  check(decide(span, call), call);
  const std::size_t destinations = std::min(bytes.size() / sizeof(Address), kMostDestinations);
  for (std::size_t i = 0; i < destinations; ++i) {
    std::memcpy(&call.destination, bytes.data() + i * sizeof(Address), sizeof(Address));
    check(decide(span, call), call);
    check(listen_entry(span, call), call);
    look_at_name_servers(span, call);
  }
}

// One mapping for all inputs; what an input writes it takes back.
std::byte* file() {
  static void* const base = mmap(nullptr, kFileSize, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  require(base != MAP_FAILED);
  return static_cast<std::byte*>(base);
}

// The table's slots are what the half begins with, one behind another.
void fill_health(FileHeader& file, std::span<const std::uint8_t> bytes) {
  file.health.epoch = bytes.size() % 4;
  for (std::size_t i = 0; (i + 1) * sizeof(HealthSlot) <= bytes.size(); ++i) {
    if (i == std::size(file.health.slots)) break;
    std::uint64_t words[sizeof(HealthSlot) / sizeof(std::uint64_t)];
    std::memcpy(words, bytes.data() + i * sizeof words, sizeof words);
    HealthSlot& slot = file.health.slots[i];
    slot.sequence = words[0];
    slot.address[0] = words[1];
    slot.address[1] = words[2];
    slot.target = words[3];
    slot.owner = words[4];
    slot.until = words[5];
  }
}

void decide_on_file(const Control& control, std::span<const std::uint8_t> bytes, const Call& call) {
  const bool other = (control.flags & kOtherFile) != 0;
  auto* header = new (file()) FileHeader{};
  header->magic = other ? control.magic : kMagic;
  header->layout_version = other ? control.layout_version : kLayoutVersion;
  header->broker_instance = control.broker_instance;
  header->writing = control.writing;
  header->published = control.published;
  header->heartbeat = control.heartbeat;
  fill_health(*header, bytes);
  std::byte* half = file() + kHeaderSize + (control.published % 2) * kHalfSize;
  const std::size_t size = std::min(bytes.size(), kHalfSize);
  std::copy_n(std::as_bytes(bytes).begin(), size, half);
  require(!Plan::from_mapping(file(), kFileSize - 1));
  const auto plan = Plan::from_mapping(file(), kFileSize);
  require(plan.has_value() ==
          (header->magic == kMagic && header->layout_version == kLayoutVersion));
  if (plan) {
    check(plan->listen_entry(call), call);
    require(plan->listen_mode() <= ListenMode::kReceivedSource);
    if (control.published == 0) require(plan->listen_mark() == 0 && plan->mark_mask() == 0);
    look_at_health(*header, control);
    check(plan->redirect(call, false, control.now_ms), false);
    (void)plan->bundle_settings();
    (void)plan->bundle_named("db.bundle");
    plan::HealthKey key{0, 0, call.destination, call.port};
    (void)plan->health(key, control.now_ms);
    key.fact = plan::HealthFact::kRoundTrip;
    (void)plan->round_trip_ms(key, control.now_ms);
    check(plan->decide(call, plan->needs_time() ? control.now_ms : 0), call);
    const bool silent = !plan->decides();
    if (silent && control.writing < control.published + 2) {
      require(plan->decide(call, 0).action == Action::kSystem);
    }
    require(plan->generation() == control.published && plan->base() == file());
  }
  std::fill_n(half, size, std::byte{});
}

}  // namespace
}  // namespace px::plan

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace px::plan;
  Control control{};
  if (size < sizeof control) return 0;
  std::memcpy(&control, data, sizeof control);
  const std::span<const std::uint8_t> half(data + sizeof control, size - sizeof control);
  const Call call{control.destination, control.port, control.scope,
                  static_cast<Transport>(control.transport % kTransportCount),
                  (control.flags & kSourceFixed) != 0};
  decide_on_half(half, call);
  decide_on_file(control, half, call);
  return 0;
}
