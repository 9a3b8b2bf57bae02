#include "audit/host.h"

#include <array>
#include <string>

#include "base/sys.h"

namespace guard::audit {
namespace {

bool may_call(const Record& record, std::string_view call) {
    const auto* access = value_of(record.launched.posture.seccomp.access);
    return access != nullptr && access->calls.contains(std::string(call));
}

// At a limit of 1 a handler is not run, and no file is written. core(5)
bool may_dump(const Record& record) {
    const auto* limits = value_of(record.launched.posture.rlimits);
    if (limits == nullptr) return false;
    const auto core = limits->find("core");
    return core == limits->end() || !core->second.most || *core->second.most > 1;
}

struct SettingRow {
    std::string_view check;
    const char* file;
    bool (*open)(const std::string& text);  // `text` is empty where the file is not there
    bool (*matters)(const Record& record);
    std::string_view expected;
};
constexpr auto kSettings = std::to_array<SettingRow>({
    {"host.core-dumps", "/proc/sys/kernel/core_pattern",
     [](const std::string& text) { return text.starts_with('|'); }, may_dump, "no program as the handler"},
    {"host.bpf", "/proc/sys/kernel/unprivileged_bpf_disabled",
     [](const std::string& text) { return text.starts_with('0'); },
     [](const Record& record) { return may_call(record, "bpf"); }, "1 or 2"},
    {"host.ptrace", "/proc/sys/kernel/yama/ptrace_scope",
     [](const std::string& text) { return text.empty() || text.starts_with('0'); },
     [](const Record& record) { return may_call(record, "ptrace"); }, "1 or more"},
});

}  // namespace

std::vector<Finding> host_findings(const Record& record) {
    std::vector<Finding> findings;
    for (const auto& row : kSettings) {
        if (!row.matters(record)) continue;
        auto text = sys::read_file(row.file).value_or("");
        if (!row.open(text)) continue;
        while (!text.empty() && text.back() == '\n') text.pop_back();
        findings.push_back(raise(row.check, Subject{record.name, 0, 0, 0, "", ""}, std::string(row.expected),
                                 std::string(row.file) + (text.empty() ? " is not there" : " is " + text)));
    }
    return findings;
}

}  // namespace guard::audit
