// SPDX-License-Identifier: MIT
#include "broker/link_names/bus_sources.h"

#ifdef PX_HAVE_SYSTEMD
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

#include "broker/link_names/text_parts.h"

namespace px::broker {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

constexpr microseconds kPatience{1'000'000};

struct Unref {
  // Without flushing: that waits for a bus that says nothing.
  void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Bus = std::unique_ptr<sd_bus, Unref>;
using Message = std::unique_ptr<sd_bus_message, Unref>;

// A service that has been late once is not asked again.
struct Asked {
  sd_bus* bus;
  Clock::time_point deadline;
  bool there = false;
  bool late = false;

  [[nodiscard]] microseconds patience() const {
    const auto left = std::chrono::duration_cast<microseconds>(deadline - Clock::now());
    return std::clamp(left, microseconds{1}, kPatience);
  }
  [[nodiscard]] BusAnswer answer() const {
    if (late) return BusAnswer::kLate;
    return there ? BusAnswer::kAnswered : BusAnswer::kAbsent;
  }
};

struct Service {
  const char* name;
  const char* path;
  const char* interface;
};
constexpr Service kResolved{"org.freedesktop.resolve1", "/org/freedesktop/resolve1",
                            "org.freedesktop.resolve1.Manager"};
constexpr Service kNetworkManager{"org.freedesktop.NetworkManager",
                                  "/org/freedesktop/NetworkManager/DnsManager",
                                  "org.freedesktop.NetworkManager.DnsManager"};

// Of an answer that the service, or this property of it, is not there.
bool is_absent(const sd_bus_error& error) {
  return sd_bus_error_has_names(&error, SD_BUS_ERROR_SERVICE_UNKNOWN,
                                SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_UNKNOWN_OBJECT,
                                SD_BUS_ERROR_UNKNOWN_INTERFACE, SD_BUS_ERROR_UNKNOWN_METHOD,
                                SD_BUS_ERROR_UNKNOWN_PROPERTY, SD_BUS_ERROR_ACCESS_DENIED) > 0;
}

// A property, its reader inside the variant; null where there is none of this type, and where it is
// not told.
Message property(Asked* asked, const Service& service, const char* name, const char* type) {
  if (asked->late) return nullptr;
  sd_bus_message* made = nullptr;
  if (sd_bus_message_new_method_call(asked->bus, &made, service.name, service.path,
                                     "org.freedesktop.DBus.Properties", "Get") < 0) {
    return nullptr;
  }
  const Message call(made);
  if (sd_bus_message_set_auto_start(call.get(), 0) < 0 ||
      sd_bus_message_append(call.get(), "ss", service.interface, name) < 0) {
    return nullptr;
  }
  sd_bus_message* answer = nullptr;
  sd_bus_error error{};
  const auto patience = static_cast<std::uint64_t>(asked->patience().count());
  const int called = sd_bus_call(asked->bus, call.get(), patience, &error, &answer);
  asked->late = called < 0 && !is_absent(error);
  sd_bus_error_free(&error);
  if (called < 0) return nullptr;
  asked->there = true;
  Message reply(answer);
  if (sd_bus_message_enter_container(reply.get(), 'v', type) <= 0) return nullptr;
  return reply;
}

// Each element of the array at which the message stands.
template <typename Read>
void for_each(sd_bus_message* message, const char* element, char kind, const char* contents,
              Read read) {
  if (sd_bus_message_enter_container(message, 'a', element) <= 0) return;
  while (sd_bus_message_enter_container(message, kind, contents) > 0) {
    read();
    if (sd_bus_message_exit_container(message) < 0) return;
  }
  (void)sd_bus_message_exit_container(message);
}

void read_server(sd_bus_message* message, const InterfaceNames& interfaces,
                 LinkNamesByInterface& found) {
  int index = 0;
  int family = 0;
  const void* bytes = nullptr;
  std::size_t size = 0;
  std::uint16_t port = 0;
  const char* name = nullptr;
  if (sd_bus_message_read(message, "ii", &index, &family) <= 0 ||
      sd_bus_message_read_array(message, 'y', &bytes, &size) <= 0 ||
      sd_bus_message_read(message, "qs", &port, &name) <= 0) {
    return;
  }
  const auto interface = interfaces.find(index);
  const bool ipv4 = family == AF_INET && size == 4;
  if (interface == interfaces.end() || (!ipv4 && (family != AF_INET6 || size != 16))) return;
  LinkNames::Server server;
  std::uint8_t* place = server.address.bytes.data();
  if (ipv4) place[10] = place[11] = 0xff;
  std::memcpy(place + (ipv4 ? 12 : 0), bytes, size);
  if (port != 0) server.port = port;
  add_server(server, found[interface->second]);
}

LinkNamesByInterface of_resolved(Asked* asked, const InterfaceNames& interfaces) {
  LinkNamesByInterface found;
  if (const Message reply = property(asked, kResolved, "DNSEx", "a(iiayqs)")) {
    for_each(reply.get(), "(iiayqs)", 'r', "iiayqs",
             [&] { read_server(reply.get(), interfaces, found); });
  }
  if (const Message reply = property(asked, kResolved, "Domains", "a(isb)")) {
    for_each(reply.get(), "(isb)", 'r', "isb", [&] {
      int index = 0;
      const char* domain = nullptr;
      int route_only = 0;
      if (sd_bus_message_read(reply.get(), "isb", &index, &domain, &route_only) <= 0) return;
      const auto interface = interfaces.find(index);
      if (interface == interfaces.end() || route_only != 0) return;
      add_domain(domain, found[interface->second]);
    });
  }
  return found;
}

// The texts of a variant that holds a list of them, or one.
void read_texts(sd_bus_message* message, const auto& use) {
  const char* text = nullptr;
  if (sd_bus_message_enter_container(message, 'v', "as") > 0) {
    if (sd_bus_message_enter_container(message, 'a', "s") > 0) {
      while (sd_bus_message_read(message, "s", &text) > 0) use(std::string_view(text));
      (void)sd_bus_message_exit_container(message);
    }
    (void)sd_bus_message_exit_container(message);
  } else if (sd_bus_message_enter_container(message, 'v', "s") > 0) {
    if (sd_bus_message_read(message, "s", &text) > 0) use(std::string_view(text));
    (void)sd_bus_message_exit_container(message);
  } else {
    (void)sd_bus_message_skip(message, "v");
  }
}

LinkNamesByInterface of_network_manager(Asked* asked) {
  LinkNamesByInterface found;
  const Message reply = property(asked, kNetworkManager, "Configuration", "aa{sv}");
  if (!reply) return found;
  sd_bus_message* message = reply.get();
  for_each(message, "a{sv}", 'a', "{sv}", [&] {
    LinkNames names;
    std::string interface;
    while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
      const char* key = "";
      (void)sd_bus_message_read(message, "s", &key);
      const std::string_view what = key;
      read_texts(message, [&](std::string_view text) {
        if (what == "interface") interface = text;
        if (what == "nameservers") add_server(text, names);
        if (what == "domains") add_domain(text, names);
      });
      (void)sd_bus_message_exit_container(message);
    }
    if (!interface.empty()) found[interface] = std::move(names);
  });
  return found;
}

void add(const LinkNamesByInterface& more, const char* source, const Asked& asked,
         LinkReading& reading) {
  reading.services[source] = asked.answer();
  for (const auto& [interface, names] : more) {
    if (names.servers.empty()) continue;
    const auto [added, is_new] = reading.links.emplace(interface, names);
    if (is_new) added->second.source = source;
  }
}

// Whether the bus has taken this process in. A call would wait for that as long as the bus likes.
bool is_ready(const Asked& asked) {
  const Clock::time_point deadline = Clock::now() + asked.patience();
  while (sd_bus_is_ready(asked.bus) == 0) {
    const int processed = sd_bus_process(asked.bus, nullptr);
    if (processed < 0) return false;
    if (processed > 0) continue;
    const auto left = std::chrono::duration_cast<microseconds>(deadline - Clock::now());
    if (left <= microseconds::zero()) return false;
    if (sd_bus_wait(asked.bus, static_cast<std::uint64_t>(left.count())) < 0) return false;
  }
  return sd_bus_is_ready(asked.bus) > 0;
}

}  // namespace

LinkReading names_on_bus(const InterfaceNames& interfaces) {
  LinkReading reading;
  sd_bus* opened = nullptr;
  const bool is_open = sd_bus_open_system(&opened) >= 0;
  const Bus bus(opened);
  const Clock::time_point deadline = Clock::now() + kLongestOnBus;
  Asked resolved{.bus = opened, .deadline = deadline};
  resolved.late = is_open && !is_ready(resolved);
  Asked manager = resolved;
  LinkNamesByInterface of_each;
  if (is_open) of_each = of_resolved(&resolved, interfaces);
  add(of_each, "systemd-resolved", resolved, reading);
  of_each.clear();
  if (is_open) of_each = of_network_manager(&manager);
  add(of_each, "NetworkManager", manager, reading);
  return reading;
}

}  // namespace px::broker

#else

namespace px::broker {

LinkReading names_on_bus(const InterfaceNames& /*interfaces*/) {
  return {};
}

}  // namespace px::broker

#endif
