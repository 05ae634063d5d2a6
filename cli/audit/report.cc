// SPDX-License-Identifier: MIT
#include "cli/audit/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/audit/flow_text.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

using nlohmann::json;

constexpr const char* kNeverSeen =
    "packet sockets (AF_PACKET), what the kernel answers without a socket, sockets that a program "
    "was "
    "handed by others, and what other programs (a name service daemon, a proxy) send on its behalf";

json null_if_empty(const std::string& text) {
  return text.empty() ? json() : json(text);
}

std::string lines_of(const json& texts, const std::string& before) {
  std::string lines;
  for (const json& text : texts) lines += before + text.get<std::string>() + "\n";
  return lines;
}

}  // namespace

std::vector<std::string> texts_of(const Unseen& unseen) {
  std::vector<std::string> texts;
  if (unseen.lost_packets > 0)
    texts.push_back(counted(unseen.lost_packets, "packet") + " of more flows than can be counted");
  texts.insert(texts.end(), unseen.troubles.begin(), unseen.troubles.end());
  if (unseen.foreign > 0) {
    texts.push_back(counted(unseen.foreign, "packet") +
                    " in other network namespaces, whose interfaces no plan knows");
  }
  if (unseen.answers > 0) {
    texts.push_back(counted(unseen.answers, "packet") +
                    " of connections that came in, which rules do not decide on");
  }
  if (unseen.unexamined > 0) {
    texts.push_back("whether px acts in " + counted(unseen.unexamined, "program") +
                    ", and for whom: gone too soon, or not to be looked at");
  }
  texts.emplace_back(kNeverSeen);
  return texts;
}

json finding_report(const Finding& finding) {
  const AuditedProcess& process = finding.process;
  json report = {{"pid", process.pid},
                 {"command", process.command},
                 {"executable", null_if_empty(process.executable)},
                 {"profile", finding.profile}};
  if (finding.flow == nullptr) {
    report["verdict"] = "uncovered";
    report["why"] = process.why_not;
    return report;
  }
  report["protocol"] = protocol_of(*finding.flow);
  report["destination"] = destination_of(*finding.flow);
  report["port"] = finding.flow->port;
  report["interface"] = finding.interface;
  report["verdict"] = word_for(finding.judgement.explanation);
  report["why"] = null_if_empty(finding.judgement.why);
  return report;
}

std::string finding_text(const Finding& finding) {
  const std::string program = name_of(finding.process);
  if (finding.flow == nullptr)
    return program + ": px does not act in it: " + printable(finding.process.why_not);
  return program + ": " + flow_text(*finding.flow, finding.interface) + ": " +
         finding.judgement.why;
}

json uncovered_report(const AuditedProcesses& processes) {
  json programs = json::array();
  for (const auto& [pid, process] : processes.all()) {
    if (!process.named) continue;
    programs.push_back({{"pid", pid},
                        {"command", process.command},
                        {"executable", null_if_empty(process.executable)},
                        {"why", process.why_not}});
  }
  return programs;
}

std::string verdict_text(const json& verdict) {
  const json& flows = verdict.at("flows");
  const auto is_finding = [](const json& flow) {
    const std::string word = flow.value("verdict", "");
    return word != "explained" && word != "answer" && word != "elsewhere";
  };
  const auto found = static_cast<std::uint64_t>(std::ranges::count_if(flows, is_finding));
  const auto uncovered = verdict.at("uncovered").size();
  std::string text = counted(verdict.value("packets", std::uint64_t{0}), "packet") + " in " +
                     counted(flows.size(), "flow") + ": ";
  if (found == 0 && uncovered == 0) {
    text += verdict.value("complete", false) ? "the plan explains all of them"
                                             : "not all could be held against the plan";
  } else {
    text += counted(found, "flow") + " that no rule explains, " + counted(uncovered, "program") +
            " that px does not act in";
  }
  return text + "\n" + lines_of(verdict.at("unseen"), "not seen: ");
}

}  // namespace px::cli
