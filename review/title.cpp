#include "review/title.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "posture/compare.h"
#include "posture/fields.h"

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
    {"seccomp.content", high, info, "runs without the filter {item}", "runs with the filter {item} besides", ""},
    {"seccomp.access", medium, info, "newly allows {item}", "no longer allows {item}", "answers otherwise: {item}"},
    {"seccomp.failure", low, low, "", "", "refuses {item} otherwise: {from} -> {to}"},
    {"seccomp.supervision", medium, low, "{item}: {from} -> {to}", "", "{item}: {from} -> {to}"},
    {"landlock.domain", high, info, "leaves the file rules (Landlock)", "gets file rules (Landlock)", ""},
    {"landlock.read", low, info, "file rules newly let it read below {item}", "file rules no longer let it read below {item}", ""},
    {"landlock.write", medium, info, "file rules newly let it write below {item}", "file rules no longer let it write below {item}", ""},
    {"landlock.execute", medium, info, "file rules newly let it run programs below {item}", "file rules no longer let it run programs below {item}", ""},
    {"namespaces", high, info, "", "", "{item} namespace: {from} -> {to}"},
    {"mounts", medium, info, "newly sees {item}: {to}", "no longer sees {item}", "shows something else at {item}: {from} -> {to}"},
    {"mounts.revealed", high, info, "newly sees {item}, hidden otherwise", "hides {item} again", ""},
    {"devices", medium, info, "may newly use the device {item}", "may no longer use the device {item}", ""},
    {"limits", medium, low, "", "", "{item} limit {from} -> {to}"},
    {"limits.cpuset", low, low, "may newly run on core {item}", "may no longer run on core {item}", ""},
    {"limits.oom-score-adj", low, info, "goes later when memory ends: {from} -> {to}", "goes earlier when memory ends: {from} -> {to}", ""},
    {"rlimits", low, low, "", "", "limit of each process, {item}: {from} -> {to}"},
    {"network.interfaces", medium, info, "newly has the network interface {item}", "no longer has the network interface {item}", ""},
    {"network.publish", medium, info, "is newly reachable: {item}", "is no longer reachable: {item}", ""},
    {"network.listen", low, info, "may newly listen on port {item}", "may no longer listen on port {item}", ""},
    {"network.egress", medium, info, "may newly connect to {item}", "may no longer connect to {item}", ""},
    {"network.peers", medium, info, "may newly be reached by {item}", "may no longer be reached by {item}", ""},
    {"hostname", info, info, "", "", "is known on its network as {to}, not as {from}"},
    {"dumpable", low, info, "lets programs of the same user read its memory", "closes its memory", ""},
    {"traced", critical, info, "may be traced by a debugger", "may no longer be traced", ""},
    {"personality", medium, medium, "", "", "execution settings {from} -> {to}"},
    {"umask", low, info, "", "", "umask of new files {from} -> {to}"},
    {"scheduling.policy", high, info, "", "", "is scheduled as {to} instead of {from}"},
    {"scheduling.nice", low, info, "goes before others more often: nice {from} -> {to}", "goes before others less often: nice {from} -> {to}", ""},
    {"scheduling.cores", low, info, "", "", "runs on the cores {to} instead of {from}"},
    {"scheduling.disk", medium, info, "gets the disk before all others", "no longer gets the disk before all others", ""},
    {"network.routes", medium, info, "newly has the route {item}", "no longer has the route {item}", ""},
    {"network.rules", medium, info, "newly has packet rules of its own: {item}", "no longer has packet rules of its own: {item}", ""},
    {"network.settings", medium, medium, "", "", "its network's {item} is {to} instead of {from}"},
    {"handles.files", critical, info, "holds a file of this machine open: {item}", "no longer holds open: {item}", ""},
    {"handles.kernel", critical, info, "holds a way into the kernel open: {item}", "no longer holds open: {item}", ""},
    {"handles.sockets", critical, info, "holds a socket of another network or of a program outside: {item}", "no longer holds the socket: {item}", ""},
    {"program.hidden", critical, info, "runs a program that no file shows: {item}", "no longer runs {item}", ""},
    {"program.replaced", medium, info, "still runs what an update has replaced: {item}", "no longer runs {item}", ""},
    {"program.place", high, info, "runs a program from a folder that can be written: {item}", "no longer runs {item}", ""},
    {"program.name", low, info, "calls itself by another program's name: {item}", "no longer calls itself {item}", ""},
    {"program.write-exec", medium, info, "may have memory that is writable and executable", "has no memory that is writable and executable", ""},
    {"program.loader", medium, info, "is started with {item}, which brings other code in", "is started without {item}", ""},
    {"mounts.shared", high, info, "mounts in {item} come and go with this machine's", "mounts in {item} no longer come and go with this machine's", ""},
    {"limits.writable", high, info, "may change its own limits: {item}", "may no longer change its own limits: {item}", ""},
    {"terminal", medium, info, "has a terminal of this machine", "has no terminal of this machine", ""},
    {"lsm.label", high, high, "", "", "its security module label is {to} instead of {from}"},
    {"clocks", low, low, "", "", "its clocks are {to} instead of {from}"},
});
static_assert(std::apply([](const auto&... field) {
                  return ((std::ranges::find(kTitles, field.name, &TitleRow::field) != kTitles.end()) && ...);
              }, kFields),
              "a field of the posture has no title");

// Where an item is not a name that a title can hold.
struct ItemRow {
    std::string_view field, item, gains, loses;
};
constexpr auto kItems = std::to_array<ItemRow>({
    {"seccomp.access", kDeniedCalls, "newly allows every call that it does not name", "no longer allows every call that it does not name"},
    {"seccomp.failure", kDeniedCalls, "refuses what it does not allow otherwise: {from} -> {to}", ""},
    {"seccomp.access", kUnknownCalls, "newly allows calls newer than guard", "no longer allows calls newer than guard"},
    {"seccomp.failure", kUnknownCalls, "refuses calls newer than guard otherwise: {from} -> {to}", ""},
    {"seccomp.access", "abi i386", "newly lets in 32-bit programs: i386", "no longer lets in 32-bit programs: i386"},
    {"seccomp.access", "abi x32", "newly lets in programs for x32", "no longer lets in programs for x32"},
    {"limits.cpuset", "", "may newly run on {to}", "may only run on core {to}"},
    {"limits", "cpus", "limit of processor time {from} -> {to}", "limit of processor time {from} -> {to}"},
    {"limits", "pids", "limit of processes and threads {from} -> {to}", "limit of processes and threads {from} -> {to}"},
    {"limits", "cpu-weight", "share of the cores {from} -> {to}", "share of the cores {from} -> {to}"},
    {"limits", "io-weight", "share of the disks {from} -> {to}", "share of the disks {from} -> {to}"},
});

// Why it matters, where the check tells it of a process that was looked at.
struct WhyRow {
    std::string_view field, item, why;
};
constexpr auto kWhys = std::to_array<WhyRow>({
    {"hostname", "", "nothing of what it may do changes"},
    {"network.listen", "", "who can reach it can connect there"},
    {"network.interfaces", "", "it can be reached by whom publish and peers name, and reaches what egress names"},
    {"seccomp.supervision", "what is refused", "what is not logged, guard why-denied cannot show"},
    {"identity.uid", "", "files of that user inside are open to it, and no longer those of the other"},
    {"identity.gid", "", "files of that group inside are open to it, and no longer those of the other"},
});

// What a mount grants, where the change is one grant.
struct GrantRow {
    std::string_view ending;
    Severity gained;
    std::string_view gains, loses;
    std::string_view why = {};
};
constexpr auto kGrants = std::to_array<GrantRow>({
    {" write", medium, "may newly write to {item}", "may no longer write to {item}"},
    {" exec", medium, "may newly run programs from {item}", "may no longer run programs from {item}"},
    {" suid", high, "set-user-id programs newly work in {item}", "set-user-id programs no longer work in {item}"},
    {" dev", high, "device files newly work in {item}", "device files no longer work in {item}"},
    {" idmap", medium, "its own ids write to {item}, not the owner's", "only the owner's id writes to {item}"},
    {" size", low, "{item} may hold more: {from} -> {to}", "{item} may hold less: {from} -> {to}", "it can use up more memory"},
    {" recursive", medium, "newly sees what is mounted below {to}, at {item}", "no longer sees what is mounted below {from}, at {item}", "other disks and network mounts below it are then open too"},
    {" options", medium, "{item} is mounted with {to} instead of {from}", "", "who may read and write there can depend on it"},
    {" mode", low, "who inside may use {item}: mode {from} -> {to}", "", "other users inside may read or write what it keeps there"},
});
// clang-format on

constexpr std::string_view kGainedFix =
    "take it out if nothing needs it; else say why beside it, or waive it with an end date";
constexpr std::string_view kChangedFix = "check that it is meant";
constexpr std::string_view kLostFix = "nothing, if it is meant; else a program inside may fail";

bool is_lost(const Finding& finding) { return finding.verdict == Verdict::tighter; }

std::string filled(std::string_view pattern, const std::string& item, const Finding& finding) {
    const std::string_view nothing = finding.check->id == "hostname" ? "its own name" : "nothing";
    const auto or_nothing = [nothing](const std::string& text) {
        return text.empty() ? std::string(nothing) : text;
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
    finding.why = row->why;
    return true;
}

// What the item itself says about the risk; the field's own rank is in the middle.
Severity severity_of(const TitleRow& row, const Finding& finding) {
    if (is_lost(finding)) return row.lost;
    if (row.field == "network.publish" && finding.item.starts_with("any:")) return high;
    if (row.field == "network.publish" && finding.item.starts_with("localhost:")) return low;
    if (row.field == "network.egress" && finding.item == "dns") return low;
    if (row.field == "identity.uid" && finding.observed == "0") return high;
    if (row.field == "limits" && finding.item.ends_with("-weight")) return low;
    return row.gained;
}

std::string_view pattern_for(const TitleRow& row, const Finding& finding) {
    const auto* const own = std::ranges::find_if(
        kItems, [&](const ItemRow& one) { return one.field == row.field && one.item == finding.item; });
    if (own != kItems.end()) return is_lost(finding) ? own->loses : own->gains;
    if (finding.verdict == Verdict::changed && !row.changes.empty()) return row.changes;
    const auto pattern = is_lost(finding) ? row.loses : row.gains;
    return pattern.empty() ? row.changes : pattern;
}

std::string_view fix_for(const Finding& finding) {
    if (is_lost(finding)) return kLostFix;
    if (finding.check->id == "seccomp.failure" || finding.check->id == "seccomp.supervision")
        return finding.check->fix;
    return finding.verdict == Verdict::changed ? kChangedFix : kGainedFix;
}

}  // namespace

void tell_as_change(Finding& finding) {
    if (finding.verdict == Verdict::unknown) return;
    const auto* const row = std::ranges::find(kTitles, finding.check->id, &TitleRow::field);
    if (row == kTitles.end()) {
        if (finding.title.empty()) finding.title = finding.check->title;
        return;
    }
    finding.fix = fix_for(finding);
    if (tell_grant(finding)) return;
    finding.severity = severity_of(*row, finding);
    finding.title = filled(pattern_for(*row, finding), finding.item, finding);
    const auto* const why = std::ranges::find_if(kWhys, [&finding](const WhyRow& one) {
        return one.field == finding.check->id && (one.item.empty() || one.item == finding.item);
    });
    if (why != kWhys.end()) finding.why = why->why;
}

}  // namespace guard::review
