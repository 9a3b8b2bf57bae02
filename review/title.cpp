#include "review/title.h"

#include <fmt/format.h>

#include <algorithm>

namespace guard::review {
namespace {

using enum Severity;

// How a change of one field reads: {item}, {from} and {to} are those of the change. `changed` is for what is
// neither more nor less; empty: as gained.
struct TitleRow {
    std::string_view field;
    Severity gained, lost;
    std::string_view gains, loses, changes;
};
// clang-format off
constexpr auto kTitles = std::to_array<TitleRow>({
    {"identity.uid", medium, info, "", "", "runs as user id {to} inside instead of {from}"},
    {"identity.gid", medium, info, "", "", "runs in group id {to} inside instead of {from}"},
    {"identity.groups", medium, info, "is newly in group {item} inside", "is no longer in group {item}", ""},
    {"users.uid-map", high, info, "maps user ids newly: {item}", "no longer maps user ids: {item}", ""},
    {"users.gid-map", high, info, "maps group ids newly: {item}", "no longer maps group ids: {item}", ""},
    {"caps.bounding", medium, info, "could newly gain {item} by running a program", "can no longer gain {item}", ""},
    {"caps.permitted", high, info, "may newly switch on {item}", "can no longer switch on {item}", ""},
    {"caps.effective", high, info, "newly holds {item}", "no longer holds {item}", ""},
    {"caps.inheritable", medium, info, "newly hands on {item} to programs made for it", "no longer hands on {item}", ""},
    {"caps.ambient", high, info, "newly hands on {item} to every program", "no longer hands on {item}", ""},
    {"securebits", medium, info, "opens a lock on the rights of user 0: {item}", "locks the rights of user 0: {item}", ""},
    {"no-new-privs", high, info, "lets programs inside gain rights (set-user-id works)", "programs inside can no longer gain rights", ""},
    {"seccomp.mode", critical, info, "runs without a system call filter", "gets a system call filter", ""},
    {"seccomp.filters", high, info, "has fewer filters: {from} -> {to}", "has more filters: {from} -> {to}", ""},
    {"seccomp.access", medium, info, "newly allows {item}", "no longer allows {item}", "answers otherwise: {item}"},
    {"seccomp.failure", low, low, "", "", "refuses {item} otherwise: {from} -> {to}"},
    {"seccomp.supervision", medium, low, "{item}: {from} -> {to}", "", "{item}: {from} -> {to}"},
    {"landlock.domain", high, info, "leaves the file rules (Landlock)", "gets file rules (Landlock)", ""},
    {"landlock.read", low, info, "file rules newly let it read below {item}", "file rules no longer let it read below {item}", ""},
    {"landlock.write", medium, info, "file rules newly let it write below {item}", "file rules no longer let it write below {item}", ""},
    {"landlock.execute", medium, info, "file rules newly let it run programs below {item}", "file rules no longer let it run programs below {item}", ""},
    {"namespaces", high, info, "{item} namespace: {from} -> {to}", "{item} namespace: {from} -> {to}", "{item} namespace: {from} -> {to}"},
    {"mounts", medium, info, "newly sees {item}: {to}", "no longer sees {item}", "{item}: {from} -> {to}"},
    {"mounts.revealed", high, info, "newly sees {item}, which is hidden otherwise", "hides {item} again", ""},
    {"devices", medium, info, "may newly use the device {item}", "may no longer use the device {item}", ""},
    {"limits", medium, low, "{item} limit {from} -> {to}", "{item} limit {from} -> {to}", ""},
    {"limits.cpuset", low, low, "may newly run on core {item}", "may no longer run on core {item}", ""},
    {"limits.oom-score-adj", low, info, "goes later when memory ends: {from} -> {to}", "goes earlier when memory ends: {from} -> {to}", ""},
    {"rlimits", low, low, "{item} of a process {from} -> {to}", "{item} of a process {from} -> {to}", ""},
    {"network.interfaces", medium, info, "newly has the network interface {item}", "no longer has the network interface {item}", ""},
    {"network.publish", medium, info, "is newly reachable: {item}", "is no longer reachable: {item}", ""},
    {"network.listen", low, info, "may newly listen on port {item}", "may no longer listen on port {item}", ""},
    {"network.egress", medium, info, "may newly connect to {item}", "may no longer connect to {item}", ""},
    {"network.peers", medium, info, "may newly be reached by {item}", "may no longer be reached by {item}", ""},
    {"hostname", low, low, "", "", "host name \"{from}\" -> \"{to}\""},
    {"dumpable", low, info, "lets programs of the same user read its memory", "closes its memory", ""},
    {"traced", critical, info, "may be traced by a debugger", "may no longer be traced", ""},
    {"personality", medium, medium, "", "", "execution settings {from} -> {to}"},
    {"umask", low, low, "", "", "umask of new files {from} -> {to}"},
});

// What a mount grants, where the change is one grant.
struct GrantRow {
    std::string_view ending;
    Severity gained;
    std::string_view gains, loses;
};
constexpr auto kGrants = std::to_array<GrantRow>({
    {" write", medium, "may newly write to {item}", "may no longer write to {item}"},
    {" exec", medium, "may newly run programs from {item}", "may no longer run programs from {item}"},
    {" suid", high, "set-user-id programs newly work in {item}", "set-user-id programs no longer work in {item}"},
    {" dev", high, "device files newly work in {item}", "device files no longer work in {item}"},
    {" idmap", medium, "its own ids write to {item}, not the owner's", "only the owner's id writes to {item}"},
    {" size", low, "{item} may hold more: {from} -> {to}", "{item} may hold less: {from} -> {to}"},
});
// clang-format on

constexpr std::string_view kGainedFix =
    "take it out if nothing needs it; else say why beside it, or waive it with an end date";
constexpr std::string_view kLostFix = "nothing, if it is meant; else a program inside may fail";

bool is_lost(const Finding& finding) { return finding.verdict == Verdict::tighter; }

std::string filled(std::string_view pattern, const std::string& item, const Finding& finding) {
    const auto or_nothing = [](const std::string& text) {
        return text.empty() ? std::string("nothing") : text;
    };
    return fmt::format(fmt::runtime(pattern), fmt::arg("item", item),
                       fmt::arg("from", or_nothing(finding.expected)),
                       fmt::arg("to", or_nothing(finding.observed)));
}

bool tell_grant(Finding& finding) {
    const auto* const row = std::ranges::find_if(
        kGrants, [&finding](const GrantRow& one) { return finding.item.ends_with(one.ending); });
    if (finding.check->id != "mounts" || row == kGrants.end()) return false;
    const auto place = finding.item.substr(0, finding.item.size() - row->ending.size());
    finding.severity = is_lost(finding) ? info : row->gained;
    finding.title = filled(is_lost(finding) ? row->loses : row->gains, place, finding);
    return true;
}

// What the item itself says about the risk; the field's own rank is in the middle.
Severity severity_of(const TitleRow& row, const Finding& finding) {
    if (is_lost(finding)) return row.lost;
    if (row.field == "network.publish" && finding.item.starts_with("any:")) return high;
    if (row.field == "network.publish" && finding.item.starts_with("localhost:")) return low;
    if (row.field == "network.egress" && finding.item == "dns") return low;
    if (row.field == "identity.uid" && finding.observed == "0") return high;
    return row.gained;
}

}  // namespace

void tell_as_change(Finding& finding) {
    if (finding.verdict == Verdict::unknown) return;
    const auto* const row = std::ranges::find(kTitles, finding.check->id, &TitleRow::field);
    if (row == kTitles.end()) {
        if (finding.title.empty()) finding.title = finding.check->title;
        return;
    }
    finding.fix = is_lost(finding) ? kLostFix : kGainedFix;
    if (tell_grant(finding)) return;
    finding.severity = severity_of(*row, finding);
    auto pattern = is_lost(finding) ? row->loses : row->gains;
    if (finding.verdict == Verdict::changed && !row->changes.empty()) pattern = row->changes;
    if (pattern.empty()) pattern = row->changes;
    finding.title = filled(pattern, finding.item, finding);
}

}  // namespace guard::review
