// SPDX-License-Identifier: MIT
#include "cli/audit/flow_text.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

namespace px::cli {

std::string destination_of(const px_audit_flow& flow) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(flow.ip_version == 4 ? AF_INET : AF_INET6, flow.destination, text, sizeof text);
  return text;
}

std::string transport_of(const px_audit_flow& flow) {
  switch (flow.protocol) {
    case IPPROTO_TCP:
      return "tcp";
    case IPPROTO_UDP:
      return "udp";
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
      return "icmp";
    default:
      return "other";
  }
}

std::string protocol_of(const px_audit_flow& flow) {
  if (flow.protocol == IPPROTO_SCTP) return "sctp";
  const std::string known = transport_of(flow);
  return known == "other" ? "protocol " + std::to_string(flow.protocol) : known;
}

std::string interface_of(const px_audit_flow& flow) {
  char name[IF_NAMESIZE] = "";
  if (if_indextoname(flow.interface_index, name) == nullptr)
    return "#" + std::to_string(flow.interface_index);
  return name;
}

std::string flow_text(const px_audit_flow& flow, const std::string& interface) {
  const std::string port = flow.port == 0 ? "" : " port " + std::to_string(flow.port);
  return protocol_of(flow) + " to " + destination_of(flow) + port + " by " + interface;
}

}  // namespace px::cli
