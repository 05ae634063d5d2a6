// SPDX-License-Identifier: MIT
#include "preload/session/mark_request.h"

#include <span>

#include "plan/wire.h"

namespace px::shim {

Acknowledgement request_mark(const Settings& settings, const SecondSocket& second, int fd,
                             std::uint32_t mark) {
  auto request = plan::make<plan::Mark>();
  request.mark = mark;
  return exchange(settings, second, fd, std::as_bytes(std::span(&request, 1)),
                  plan::MessageType::kMarked);
}

}  // namespace px::shim
