// SPDX-License-Identifier: MIT
// Takes programs' health reports: which member of a bundle has answered and which has not.
#pragma once

#include "broker/identity/network_namespace.h"
#include "broker/sessions/dispatcher.h"
#include "plan/bundle_wire.h"

namespace px::broker {

class Publisher;

class HealthService {
 public:
  HealthService(Publisher& publisher, NetworkNamespace network_namespace)
      : publisher_(publisher), network_namespace_(network_namespace) {}
  void register_with(Dispatcher& dispatcher);

 private:
  void record(const Peer& peer, const plan::HealthReport& report);

  Publisher& publisher_;
  NetworkNamespace network_namespace_;
};

}  // namespace px::broker
