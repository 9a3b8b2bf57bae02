#include "review/service_change.h"

#include <fmt/format.h>

#include <cstring>
#include <map>
#include <optional>
#include <span>

#include "posture/program.h"

namespace guard::review {
namespace {

using Facts = std::map<std::string, std::string>;  // item -> what it is

std::string said(const Secret& secret) {
    if (!secret.file.empty()) return "the file " + secret.file;
    if (!secret.credential.empty()) return "the credential " + secret.credential;
    return fmt::format("what \"{}\" prints on this machine", fmt::join(secret.command, " "));
}

Facts secrets(const Service& service) {
    Facts facts;
    for (const auto& [name, secret] : service.secrets) facts[name] = said(secret);
    return facts;
}

Facts optional(const Service& service) {
    Facts facts;
    for (const auto& feature : service.optional) facts[feature] = "may be missing";
    return facts;
}

// The network that it is joined to by an interface of its own; of the others the namespace says all.
std::string joined(const NetworkSetup& setup) {
    switch (setup.mode) {
        case NetworkMode::bridge: return "the bridge " + setup.bridge;
        case NetworkMode::macvlan:
            return fmt::format("the network of {}, with a card of its own", setup.parent);
        case NetworkMode::pasta: return "this machine's network, by pasta";
        default: return {};
    }
}

Facts fact(std::string_view item, std::string text) {
    Facts facts;
    if (!text.empty()) facts.emplace(item, std::move(text));
    return facts;
}

std::string list(const std::vector<std::string>& words, std::string_view between = ", ") {
    return fmt::format("{}", fmt::join(words, between));
}

Facts network(const Service& service) { return fact("mode", joined(service.network)); }
Facts address(const Service& service) {
    return fact("address", joined(service.network).empty() ? "" : list(service.network.address));
}
Facts dns(const Service& service) { return fact("dns", list(service.network.dns)); }
Facts ipv6(const Service& service) { return fact("ipv6", service.network.ipv6 ? "on" : ""); }

// What runs, when and how, by the key that says it. None of it is a right.
Facts run(const Service& service) {
    const auto& health = service.health;
    const auto seconds = [](milliseconds time) { return fmt::format("{} ms", time.count()); };
    Facts facts{
        {"process.command", list(service.command, " ")},
        {"process.workdir", service.workdir},
        {"process.env-pass", list(service.env_pass)},
        {"process.stdin", service.stdin_mode == Stdin::keep ? "keep" : "none"},
        {"service.restart", std::to_string(static_cast<int>(service.restart))},
        {"service.restart-delay", seconds(service.restart_delay)},
        {"service.restart-limit", std::to_string(service.restart_limit)},
        {"service.stop-command", list(service.stop_command, " ")},
        {"service.stop-signal", fmt::format("SIG{}", ::sigabbrev_np(service.stop_signal))},
        {"service.stop-timeout", seconds(service.stop_timeout)},
        {"service.reload-signal", fmt::format("SIG{}", ::sigabbrev_np(service.reload_signal))},
        {"service.depends", list(service.depends)},
        {"service.log.size", std::to_string(service.log_size)},
        {"service.log.keep", std::to_string(service.log_keep)},
        {"health.check", std::to_string(static_cast<int>(health.check))},
        {"health.port", health.port == 0 ? "" : std::to_string(health.port)},
        {"health.url", health.url},
        {"health.command", list(health.command, " ")},
        {"health.interval", seconds(health.interval)},
        {"health.timeout", seconds(health.timeout)},
        {"health.start-period", seconds(health.start_period)},
        {"health.failures", std::to_string(health.failures)},
        {"health.on-failure", std::to_string(static_cast<int>(health.on_failure))},
    };
    for (const auto& [name, value] : service.env) facts["process.env." + name] = value;
    return facts;
}

struct ServiceRow {
    std::string_view check;
    Facts (*facts)(const Service& service);
    std::string_view gains, loses, changes, why = {};
    std::optional<Severity> severity = std::nullopt;
};
constexpr auto kRows = std::to_array<ServiceRow>({
    {"service.secrets", secrets, "is given the secret {item}: {to}", "no longer has the secret {item}",
     "its secret {item} is now {to}"},
    {"service.optional", optional, "may newly run without the protection {item}",
     "can no longer run without {item}", ""},
    {"service.network", network, "is newly joined to a network: {to}", "is no longer joined to {from}",
     "is joined to {to} instead of {from}"},
    {"service.network", address, "asks for the address {to}", "no longer asks for the address {from}",
     "asks for the address {to} instead of {from}", "others may know it by its address", Severity::low},
    {"service.network", dns, "asks {to} for names", "asks this machine's name servers again",
     "asks {to} for names instead of {from}", "who answers decides where its connections go"},
});
constexpr auto kIpv6 = ServiceRow{"service.network",    ipv6, "newly has IPv6 addresses",
                                  "no longer has IPv6", "",   "it can be reached, and reach, by them too"};
// Which of two profiles runs what; of a new one the whole is news.
constexpr auto kRun = ServiceRow{"service.run", run, "{item} is newly set", "{item} is no longer set",
                                 "{item} is set otherwise"};

std::string_view pattern_of(const ServiceRow& row, const std::string& before, const std::string& after) {
    return before.empty() ? row.gains : after.empty() ? row.loses : row.changes;
}

void add(std::vector<Finding>& all, const ServiceRow& row, const Subject& subject, const std::string& item,
         const std::string& before, const std::string& after) {
    if (before == after) return;
    auto finding = raise(row.check, subject, before, after);
    finding.item = item;
    finding.verdict = before.empty() ? Verdict::weaker : after.empty() ? Verdict::tighter : Verdict::changed;
    if (row.severity) finding.severity = *row.severity;
    if (finding.verdict == Verdict::tighter) finding.severity = finding.check->tighter;
    finding.why = row.why;
    finding.title = fmt::format(fmt::runtime(pattern_of(row, before, after)), fmt::arg("item", item),
                                fmt::arg("from", before), fmt::arg("to", after));
    all.push_back(std::move(finding));
}

void add_row(std::vector<Finding>& all, const ServiceRow& row, const Service& from, const Service& to,
             const Subject& subject) {
    auto before = row.facts(from);
    const auto after = row.facts(to);
    for (const auto& [item, value] : after) add(all, row, subject, item, before[item], value);
    for (const auto& [item, value] : before)
        if (!after.contains(item)) add(all, row, subject, item, value, "");
}

// A variable that the loader obeys brings other code into the program. ld.so(8)
void rank_variable(Finding& finding) {
    constexpr std::string_view kVariable = "process.env.";
    finding.verdict = Verdict::changed;
    if (!finding.item.starts_with(kVariable) || finding.observed.empty()) return;
    if (!changes_what_is_loaded(finding.item.substr(kVariable.size()))) return;
    const auto& check = check_of("program.loader");
    finding.severity = Severity::medium;
    finding.why = "the program itself looks untouched, and runs what that variable names";
    finding.risk = &check;
}

}  // namespace

std::vector<Finding> service_changes(const Profile* from, const Profile* to, const Subject& subject) {
    static const Service kNothing;
    const auto& before = from == nullptr ? kNothing : from->service;
    const auto& after = to == nullptr ? kNothing : to->service;
    std::vector<Finding> all;
    for (const auto& row : kRows) add_row(all, row, before, after, subject);
    if (!joined(before.network).empty() && !joined(after.network).empty())
        add_row(all, kIpv6, before, after, subject);
    if (from == nullptr || to == nullptr) return all;
    const auto rights = all.size();
    add_row(all, kRun, before, after, subject);
    for (auto& finding : std::span(all).subspan(rights)) rank_variable(finding);
    return all;
}

}  // namespace guard::review
