// SPDX-License-Identifier: MIT
// What comes before a listen (PX-5): a stream socket's first answer, SYN+ACK, leaves before any
// call of the program's. So its egress has to be on the socket beforehand: the mark of the
// profile's `listen`. Holds nothing; callable from any thread and from signal handlers.
#pragma once

#include "preload/process/system_calls.h"
#include "preload/session/broker_session.h"
#include "preload/session/current_plan.h"
#include "preload/session/marker.h"
#include "preload/sockets/given_sources.h"

namespace px::shim {

// Whether the program's call is to be made now; if not, it fails with ENETUNREACH in errno: answers
// would leave by another egress than the policy's. Sockets that no call from outside reaches, and
// those that the program bound to a device or marked itself, are left alone. Without a `listen` in
// the profile, a socket that is bound to a source that px gave is called, and answers, by that
// source's entry.
[[nodiscard]] bool prepare_listen(const SystemCalls& system, const CurrentPlan& plan,
                                  BrokerSession& session, Marker& marker, const GivenSources& given,
                                  int fd);

}  // namespace px::shim
