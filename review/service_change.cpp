#include "review/service_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

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

Facts network(const Service& service) {
    const auto& setup = service.network;
    if (setup.mode == NetworkMode::none || setup.mode == NetworkMode::host) return {};
    Facts facts{{"IPv6", setup.ipv6 ? "on" : "off"}};
    if (setup.mode == NetworkMode::bridge) facts["bridge"] = setup.bridge;
    if (setup.mode == NetworkMode::macvlan) facts["parent"] = setup.parent;
    if (!setup.address.empty()) facts["address"] = fmt::format("{}", fmt::join(setup.address, ", "));
    if (!setup.dns.empty()) facts["dns"] = fmt::format("{}", fmt::join(setup.dns, ", "));
    return facts;
}

struct ServiceRow {
    std::string_view check;
    Facts (*facts)(const Service& service);
    std::string_view gains, loses, changes;
};
constexpr auto kRows = std::to_array<ServiceRow>({
    {"service.secrets", secrets, "is given the secret {}: {}", "no longer has the secret {}",
     "its secret {} is now {}"},
    {"service.optional", optional, "may newly run without the protection {}", "can no longer run without {}",
     ""},
    {"service.network", network, "joins the network with {} {}", "joins the network without {}",
     "joins the network with {} {}"},
});

void add(std::vector<Finding>& all, const ServiceRow& row, const Subject& subject, const std::string& item,
         const std::string& before, const std::string& after) {
    if (before == after) return;
    auto finding = raise(row.check, subject, before, after);
    finding.item = item;
    finding.verdict = before.empty() ? Verdict::weaker : after.empty() ? Verdict::tighter : Verdict::changed;
    if (finding.verdict == Verdict::tighter) finding.severity = finding.check->tighter;
    const auto pattern = before.empty() ? row.gains : after.empty() ? row.loses : row.changes;
    finding.title = fmt::format(fmt::runtime(pattern), item, after);
    all.push_back(std::move(finding));
}

}  // namespace

std::vector<Finding> service_changes(const Profile* from, const Profile* to, const Subject& subject) {
    static const Service kNothing;
    std::vector<Finding> all;
    for (const auto& row : kRows) {
        auto before = row.facts(from == nullptr ? kNothing : from->service);
        const auto after = row.facts(to == nullptr ? kNothing : to->service);
        for (const auto& [item, value] : after) add(all, row, subject, item, before[item], value);
        for (const auto& [item, value] : before)
            if (!after.contains(item)) add(all, row, subject, item, value, "");
    }
    return all;
}

}  // namespace guard::review
