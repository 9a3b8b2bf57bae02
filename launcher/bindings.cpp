#include "launcher/bindings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <ctime>

#include "base/cgroup_layout.h"
#include "base/mountinfo.h"
#include "base/sys.h"

namespace guard::launcher {
namespace {

Result<pid_t> pid_of(int pidfd) {
    const auto text = TRY(sys::read_file(fmt::format("/proc/self/fdinfo/{}", pidfd)));
    constexpr std::string_view kLine = "\nPid:";
    const auto at = text.find(kLine);
    pid_t pid = 0;
    if (at != std::string::npos) {
        const auto digits = text.find_first_not_of(" \t", at + kLine.size());
        std::from_chars(text.data() + digits, text.data() + text.size(), pid);
    }
    if (pid <= 0) return fail_errno("find the command's process", ESRCH);
    return pid;
}

Result<void> bind_namespaces(Bindings& bindings, const LaunchPlan& plan, pid_t payload) {
    const auto own = TRY(sys::open(fmt::format("/proc/{}/ns", payload), O_RDONLY | O_DIRECTORY));
    const auto host = TRY(sys::open("/proc/self/ns", O_RDONLY | O_DIRECTORY));
    bindings.ids_are_unique = true;
    for (const auto& row : kNamespaces) {
        const std::string name(row.name), entry(row.entry);
        const auto of_host = sys::openat(host.get(), entry, O_RDONLY);
        if (!of_host) continue;  // a kernel without this type of namespace has none to be in
        const auto host_id = TRY(namespace_id(of_host->get()));
        bindings.host[name] = host_id.id;
        bindings.ids_are_unique = bindings.ids_are_unique && host_id.unique;
        if ((plan.namespaces & row.clone_flag) == 0) continue;
        const auto of_own = TRY(sys::openat(own.get(), entry, O_RDONLY));
        bindings.own[name] = TRY(namespace_id(of_own.get())).id;
    }
    return {};
}

// What mountinfo calls a source depends on the file system; the kernel is asked once the tree stands.
Result<void> bind_sources(Bindings& bindings, const LaunchPlan& plan, pid_t payload) {
    const auto text = TRY(sys::read_file(fmt::format("/proc/{}/mountinfo", payload)));
    const auto lines = TRY(parse_mountinfo(text));
    std::map<std::string, std::string> names;
    for (const auto& line : lines) names[line.place] = line.device + " " + line.root;
    for (const auto& planned : plan.mounts) {
        if (planned.mount.source.empty()) continue;
        const auto found = names.find(planned.place);
        if (found == names.end())
            return fail("check the mounts", planned.place + " is not mounted although it was to be");
        bindings.sources[found->second] = planned.mount.source;
    }
    return {};
}

Result<void> bind_cgroups(Bindings& bindings, const LaunchPlan& plan) {
    if (plan.cgroup.leaves.empty()) return {};
    const auto layout = TRY(find_cgroup_layout());
    for (const auto& [controller, folder] : plan.cgroup.leaves)
        if (const auto path = cgroup_path(layout, controller, folder)) bindings.cgroups[controller] = *path;
    return {};
}

}  // namespace

Result<Record> record_of(const LaunchPlan& plan) {
    Record record;
    record.name = plan.name;
    record.launched = plan.profile;
    record.launched.posture = plan.expected;
    record.launched.service.command = plan.command;
    record.reaper = plan.reaper;
    record.made = plan.cgroup.will_make;
    record.made.insert(record.made.end(), plan.network.will_make.begin(), plan.network.will_make.end());
    record.filter = plan.filter;
    record.reaper_filter = plan.reaper_filter;
    record.stage = "preparing";
    record.data = plan.data;
    record.log = plan.log;
    auto& bindings = record.bindings;
    bindings.boot_id = TRY(boot_id());
    bindings.supervisor = TRY(open_process(::getpid())).id;
    if (plan.own_users) {
        bindings.uid_base = bindings.gid_base = plan.ids.base;
        bindings.id_count = plan.ids.count;
    }
    for (const auto* address : {&plan.network.address4, &plan.network.address6})
        if (!address->empty()) bindings.addresses.push_back(*address);
    bindings.veth = plan.network.veth;
    CHECK(bind_cgroups(bindings, plan));
    return record;
}

Result<void> bind_record(Record& record, const LaunchPlan& plan, pid_t init, int payload_pidfd) {
    auto& bindings = record.bindings;
    bindings.init = TRY(open_process(init)).id;
    const auto payload = TRY(pid_of(payload_pidfd));
    bindings.payload = TRY(open_process(payload)).id;
    CHECK(bind_namespaces(bindings, plan, bindings.payload.pid));
    CHECK(bind_sources(bindings, plan, bindings.payload.pid));
    record.started = ::time(nullptr);
    record.stage = "running";
    return {};
}

}  // namespace guard::launcher
