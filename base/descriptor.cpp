#include "base/descriptor.h"

#include <algorithm>
#include <array>

#include "base/split.h"

namespace guard {
namespace {

constexpr auto kKernelObjects = std::to_array<KernelObjectRow>({
    {"anon_inode:[io_uring]", "io_uring queue", "io_uring_setup"},
    {"anon_inode:[userfaultfd]", "userfaultfd", "userfaultfd"},
    {"anon_inode:bpf-map", "BPF map", "bpf"},
    {"anon_inode:bpf-prog", "BPF program", "bpf"},
    {"anon_inode:bpf_link", "BPF link", "bpf"},
    {"anon_inode:bpf_iter", "BPF iterator", "bpf"},
    {"anon_inode:btf", "BPF types", "bpf"},
    {"anon_inode:[perf_event]", "perf event", "perf_event_open"},
    {"anon_inode:[fanotify]", "fanotify group", "fanotify_init"},
    {"anon_inode:seccomp notify", "another task's system calls (seccomp notify)", "seccomp"},
    {"anon_inode:[fscontext]", "file system to be mounted", "fsopen"},
    {"anon_inode:kvm-vm", "virtual machine", "ioctl"},
    {"anon_inode:kvm-vcpu", "virtual processor", "ioctl"},
});

constexpr auto kNamespaceLinks = std::to_array<std::string_view>(
    {"cgroup:[", "ipc:[", "mnt:[", "net:[", "pid:[", "time:[", "user:[", "uts:["});

constexpr auto kMemoryFiles = std::to_array<std::string_view>({"/memfd:", "/SYSV", "/dev/zero (deleted)"});

template <class Table>
bool begins_with_any(std::string_view link, const Table& table) {
    return std::ranges::any_of(table, [link](std::string_view begin) { return link.starts_with(begin); });
}

}  // namespace

DescriptorKind kind_of_descriptor(std::string_view link) {
    if (link.starts_with("socket:[")) return DescriptorKind::socket;
    if (begins_with_any(link, kMemoryFiles)) return DescriptorKind::memory_file;
    if (link.starts_with('/') || link.starts_with("(unreachable)")) return DescriptorKind::file;
    if (begins_with_any(link, kNamespaceLinks)) return DescriptorKind::ns_handle;
    // 6.9 called it "pidfd:[N]"; all others call it as an anonymous inode.
    if (link == "anon_inode:[pidfd]" || link.starts_with("pidfd:[")) return DescriptorKind::process_handle;
    return kernel_object_of(link) != nullptr ? DescriptorKind::kernel_object : DescriptorKind::plain;
}

std::optional<std::uint64_t> inode_in_link(std::string_view link) {
    const auto open = link.find('[');
    if (open == std::string_view::npos || !link.ends_with(']')) return std::nullopt;
    return number_of<std::uint64_t>(link.substr(open + 1, link.size() - open - 2));
}

const KernelObjectRow* kernel_object_of(std::string_view link) {
    const auto* const row = std::ranges::find_if(
        kKernelObjects, [link](const KernelObjectRow& object) { return link.starts_with(object.link); });
    return row == kKernelObjects.end() ? nullptr : row;
}

}  // namespace guard
