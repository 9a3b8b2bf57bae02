#include "audit/devices.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/split.h"

namespace guard::audit {
namespace {

// null zero full random urandom tty ptmx, pseudo-terminals; console is a pseudo-terminal where there is one.
constexpr auto kHarmless =
    std::to_array<std::string_view>({"c 1:3", "c 1:5", "c 1:7", "c 1:8", "c 1:9", "c 5:0", "c 5:2"});
constexpr std::string_view kPseudoTerminals = "c 136:";  // and the seven majors after it are not used

bool is_harmless(std::string_view number) {
    return number.starts_with(kPseudoTerminals) || std::ranges::find(kHarmless, number) != kHarmless.end();
}

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
    return is_harmless(number) ||
           std::ranges::any_of(nodes, [number](const DeviceNode& node) { return node.number == number; });
}

}  // namespace

Known<Grants<std::string>> devices_of(const TreeFacts& tree, const CgroupPaths& at, const SharedFacts& shared,
                                      const Known<Grants<std::string>>& launched) {
    const auto* nodes = value_of(tree.devices);
    if (nodes == nullptr) return std::get<Unknown>(tree.devices);
    Grants<std::string> reach;
    for (const auto& node : *nodes)
        if (!is_harmless(node.number)) reach.all.insert(as_declared(node.path, value_of(launched)));
    const auto path = at.find("devices");
    if (path == at.end()) return reach;
    const auto found = shared.cgroups.find({"devices", path->second});
    const auto* texts = found == shared.cgroups.end() ? nullptr : value_of(found->second);
    const auto list = texts == nullptr ? CgroupTexts::const_iterator{} : texts->find("devices.list");
    if (texts == nullptr || list == texts->end()) return reach;
    for (const auto line : lines_of(list->second))
        if (!is_expected_rule(line, *nodes)) reach.all.insert("any device by rule " + std::string(line));
    return reach;
}

}  // namespace guard::audit
