#include "audit/devices.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "audit/known.h"
#include "base/proc_stat.h"
#include "base/split.h"

namespace guard::audit {
namespace {

// null zero full random urandom tty ptmx, pseudo-terminals; console is a pseudo-terminal where there is one.
constexpr auto kHarmless =
    std::to_array<std::string_view>({"c 1:3", "c 1:5", "c 1:7", "c 1:8", "c 1:9", "c 5:0", "c 5:2"});
constexpr std::string_view kPseudoTerminals = "c 136:";  // and the seven majors after it are not used

std::string as_declared(const std::string& path, const Grants<std::string>* declared) {
    if (declared != nullptr)
        for (const auto& word : declared->all)
            if (word.substr(0, word.rfind(':')) == path) return word;
    return path + ":rw";
}

// "c 1:3 rw": fine where it is harmless and makes no nodes, or belongs to a device that was found.
bool is_expected_rule(std::string_view line, const std::set<DeviceNode>& nodes) {
    const auto access = line.rfind(' ');
    const auto number = line.substr(0, access);
    if (line.substr(access).find('m') != std::string_view::npos) return false;
    return is_harmless_device(number) ||
           std::ranges::any_of(nodes, [number](const DeviceNode& node) { return node.number == number; });
}

// The v1 cgroup's rules that would let more be used than what is there.
Known<Grants<std::string>> let_by_rules(const CgroupPaths& at, const SharedFacts& shared,
                                        const std::set<DeviceNode>& nodes) {
    const auto path = at.find("devices");
    if (path == at.end()) return Grants<std::string>{};
    const auto found = shared.cgroups.find({"devices", path->second});
    if (found == shared.cgroups.end()) return Unknown{};
    return map_known(found->second, [&nodes](const CgroupTexts& texts) {
        Grants<std::string> reach;
        if (const auto list = texts.find("devices.list"); list != texts.end())
            for (const auto line : lines_of(list->second))
                if (!is_expected_rule(line, nodes))
                    reach.all.insert("any device by rule " + std::string(line));
        return reach;
    });
}

// That guard loaded it: after its supervisor had started, and before the command had. Another one may let
// through what it likes. proc_pid_stat(5) field 22
bool is_of_launch(std::uint64_t loaded, const Bindings& launch) {
    if (launch.supervisor.pid == 0) return true;  // nobody's record: who knows
    const auto at = clock_ticks(loaded);
    return at >= launch.supervisor.start && at <= launch.payload.start;
}

// On v2 programs decide, and what one refuses is refused; without one everything is let through that has a
// device file.
Known<Grants<std::string>> let_by_programs(const CgroupPaths& at, const SharedFacts& shared,
                                           const Bindings& launch) {
    const auto path = at.find("");
    const auto found = path == at.end() ? shared.owners.end() : shared.owners.find({"", path->second});
    if (found == shared.owners.end()) return Unknown{};
    const auto* owner = value_of(found->second);
    if (owner == nullptr) return std::get<Unknown>(found->second);
    return map_known(owner->device_programs, [&launch](const std::vector<std::uint64_t>& programs) {
        if (programs.empty()) return Grants<std::string>{{"any device: no program decides"}};
        const bool kept = std::ranges::any_of(
            programs, [&launch](std::uint64_t loaded) { return is_of_launch(loaded, launch); });
        return kept ? Grants<std::string>{} : Grants<std::string>{{"any device: another program decides"}};
    });
}

}  // namespace

bool is_harmless_device(std::string_view number) {
    return number.starts_with(kPseudoTerminals) || std::ranges::find(kHarmless, number) != kHarmless.end();
}

Known<Grants<std::string>> devices_of(const TreeFacts& tree, const CgroupPaths& at, const SharedFacts& shared,
                                      const Bindings& launch, const Known<Grants<std::string>>& launched) {
    const auto* nodes = value_of(tree.devices);
    if (nodes == nullptr) return std::get<Unknown>(tree.devices);
    auto reach =
        shared.layout.unified() ? let_by_programs(at, shared, launch) : let_by_rules(at, shared, *nodes);
    if (auto* known_reach = value_of(reach))
        for (const auto& node : *nodes)
            if (!is_harmless_device(node.number))
                known_reach->all.insert(as_declared(node.path, value_of(launched)));
    return reach;
}

}  // namespace guard::audit
