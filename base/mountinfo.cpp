#include "base/mountinfo.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/split.h"

namespace guard {
namespace {

std::vector<std::string> list_of(std::string_view text) {
    std::vector<std::string> list;
    for (const auto part : split(text, ',')) list.push_back(unescape_octal(part));
    return list;
}

Result<MountLine> parse_line(std::string_view line) {
    const auto wrong = [line] { return fail("read mountinfo", "line " + std::string(line)); };
    const auto words = words_of(line);
    const auto dash = std::ranges::find(words, "-");
    // Six fields, any number of optional ones, "-", type, source, options. A source may be empty, and then
    // words_of sees two fields after the dash.
    if (dash - words.begin() < 6 || words.end() - dash < 3) return wrong();
    const auto id = number_of<int>(words[0]);
    const auto parent = number_of<int>(words[1]);
    if (!id || !parent) return wrong();
    MountLine mount{*id,
                    *parent,
                    std::string(words[2]),
                    unescape_octal(words[3]),
                    unescape_octal(words[4]),
                    list_of(words[5]),
                    {},
                    std::string(dash[1]),
                    "",
                    {}};
    mount.propagation.assign(words.begin() + 6, dash);
    if (words.end() - dash > 3) mount.source = unescape_octal(dash[2]);
    mount.super_options = list_of(words.back());
    return mount;
}

bool is_below(std::string_view place, std::string_view folder) {
    if (folder == "/") return place != "/";
    return place.size() > folder.size() && place.starts_with(folder) && place[folder.size()] == '/';
}

}  // namespace

bool MountLine::has(std::string_view option) const {
    return std::ranges::find(options, option) != options.end();
}
bool MountLine::super_has(std::string_view option) const {
    return std::ranges::find(super_options, option) != super_options.end();
}

std::string unescape_octal(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto code = text[at] == '\\' ? number_of<unsigned>(text.substr(at + 1, 3), 8) : std::nullopt;
        if (code && at + 3 < text.size()) {
            plain += static_cast<char>(*code);
            at += 3;
        } else {
            plain += text[at];
        }
    }
    return plain;
}

Result<std::vector<MountLine>> parse_mountinfo(std::string_view text) {
    std::vector<MountLine> mounts;
    for (const auto line : lines_of(text)) mounts.push_back(TRY(parse_line(line)));
    return mounts;
}

std::vector<MountLine> visible_mounts(std::vector<MountLine> mounts) {
    std::map<int, std::vector<const MountLine*>> children;
    std::set<int> ids;
    for (const auto& mount : mounts) {
        children[mount.parent].push_back(&mount);
        ids.insert(mount.id);
    }
    // A mount is covered by one on its own place (its child), or by a sibling on a directory above it.
    const auto covered_itself = [&](const MountLine& mount) {
        const auto on_top = [&](const MountLine* child) {
            return child->id != mount.id && child->place == mount.place;
        };
        const auto above = [&](const MountLine* sibling) { return is_below(mount.place, sibling->place); };
        return std::ranges::any_of(children[mount.id], on_top) ||
               (ids.contains(mount.parent) && std::ranges::any_of(children[mount.parent], above));
    };
    std::set<int> hidden;
    for (const auto& mount : mounts)
        if (covered_itself(mount)) hidden.insert(mount.id);
    // What stands in a covered mount is covered with it, unless it is what covers it.
    for (bool grew = true; grew;) {
        grew = false;
        for (const auto& mount : mounts) {
            const auto parent = std::ranges::find(mounts, mount.parent, &MountLine::id);
            if (parent == mounts.end() || parent->place == mount.place || !hidden.contains(parent->id))
                continue;
            grew |= hidden.insert(mount.id).second;
        }
    }
    std::erase_if(mounts, [&hidden](const MountLine& mount) { return hidden.contains(mount.id); });
    return mounts;
}

}  // namespace guard
