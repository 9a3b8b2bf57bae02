#include "review/side.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/split.h"
#include "policies/load.h"
#include "review/tree_files.h"

namespace guard::review {
namespace {

Diagnostic about_file(const std::string& path, std::string message, std::string fix = "") {
    return {Level::error, std::move(message), {Mark{{path, 0, 0}, "", 1, std::move(fix)}}};
}

bool is_json(const std::string& path) { return path.ends_with(".json"); }

// Where profiles are, below one of the paths.
class Finder {
public:
    explicit Finder(Side& side) : side_(&side) {}

    void below(const std::string& root) {
        const auto place = resolved(*side_->tree, root);
        if (!place) return stray(root);
        const auto kind = side_->tree->kind(*place);
        if (kind == NodeKind::directory) return directory(*place, *place, 0);
        if (kind == NodeKind::other) return submodule(*place);
        add(*place, place->rfind('/') == std::string::npos ? "" : place->substr(0, place->rfind('/')));
    }

private:
    // Not there, which is all right on one side; but a link that leads out of the tree is a trap.
    void stray(const std::string& root) {
        std::string at = root;
        while (at.ends_with('/')) at.pop_back();
        if (!at.starts_with('/') && side_->tree->kind(at) == NodeKind::link)
            side_->diagnostics.push_back(
                about_file(at, fmt::format("{} is a link to nowhere, or out of {}", at, side_->name)));
    }

    void submodule(const std::string& place) {
        side_->diagnostics.push_back(about_file(
            place,
            fmt::format("{} is a submodule or no file: what is in it is not in this repository", place),
            "review it in the repository that it comes from, or leave it out of `paths`"));
    }

    void directory(const std::string& place, const std::string& root, unsigned depth) {
        constexpr unsigned kDeepest = 16;
        if (depth > kDeepest || !seen_.insert(place).second) return;
        for (const auto& [name, kind] : side_->tree->list(place)) {
            const auto path = place.empty() ? name : place + "/" + name;
            if (name.starts_with('.') || name == "groups") continue;
            if (kind == NodeKind::directory) {
                directory(path, root, depth + 1);
            } else if (kind == NodeKind::link && !name.ends_with(".toml")) {
                const auto target = resolved(*side_->tree, path);
                if (target && side_->tree->kind(*target) == NodeKind::directory)
                    directory(*target, root, depth + 1);
            } else if (kind == NodeKind::other && depth + 1 < kDeepest && !name.ends_with(".toml")) {
                submodule(path);
            } else if (name.ends_with(".toml")) {
                add(path, root);
            }
        }
    }

    void add(const std::string& path, const std::string& root) {
        const bool known =
            std::ranges::any_of(side_->members, [&](const Member& one) { return one.path == path; });
        if (known) return;
        Member member;
        member.path = path;
        member.unit = root.empty() ? path : path.substr(root.size() + 1);
        if (member.unit.ends_with(".toml")) member.unit.resize(member.unit.size() - 5);
        const bool taken =
            std::ranges::any_of(side_->members, [&](const Member& one) { return one.unit == member.unit; });
        if (taken) member.unit = path;
        side_->members.push_back(std::move(member));
    }

    Side* side_;
    std::set<std::string> seen_;
};

void read_json(const Side& side, Member& member, const std::set<std::string>& capabilities) {
    const auto text = side.tree->bytes(member.path, kMostJson);
    auto made = text ? profile_of_json(member.path, *text, capabilities)
                     : Result<FromJson>(std::unexpected(
                           Error{"read " + member.path, text.error().reason, text.error().code, ""}));
    if (!made) {
        member.diagnostics.push_back(
            about_file(member.path, "cannot " + describe(made.error()), made.error().fix));
        return;
    }
    member.digest = digest_of(*text);
    member.json = std::move(*made);
    member.json->profile.name = member.unit;
}

void read_toml(const Side& side, const LoadOptions& options, Member& member) {
    auto loaded = load_profile(member.path, options);
    member.profile = std::move(loaded.profile);
    std::ranges::copy_if(loaded.diagnostics, std::back_inserter(member.diagnostics),
                         [](const Diagnostic& one) { return one.level == Level::error; });
    if (const auto place = resolved(*side.tree, member.path))
        if (const auto bytes = side.tree->bytes(*place, policies::kMostBytes))
            member.digest = digest_of(*bytes);
}

}  // namespace

Requirements requirements_of(Side& side) {
    if (side.is_file || side.tree->kind(kRequirementsFile) != NodeKind::file) return {};
    const auto bytes = side.tree->bytes(kRequirementsFile, policies::kMostBytes);
    if (!bytes) {
        side.diagnostics.push_back(about_file(kRequirementsFile, describe(bytes.error())));
        return {};
    }
    auto read = read_requirements(kRequirementsFile, *bytes);
    std::ranges::move(read.diagnostics, std::back_inserter(side.diagnostics));
    return read.requirements.value_or(Requirements{});
}

void read_members(Side& side, const std::vector<std::string>& paths,
                  const std::set<std::string>& json_capabilities) {
    Finder finder(side);
    for (const auto& path : paths) finder.below(path);
    const TreeFiles files(*side.tree, side.shipped);
    LoadOptions options;
    options.search_path = side.shipped;
    options.files = &files;
    for (auto& member : side.members)
        is_json(member.path) ? read_json(side, member, json_capabilities) : read_toml(side, options, member);
}

const std::vector<std::string>& Lines::of(const std::string& path) const {
    if (const auto known = read_.find(path); known != read_.end()) return known->second;
    const TreeFiles files(*side_->tree, side_->shipped);
    auto& lines = read_[path];
    const auto source = files.read(path, LoadOptions::Trust::any);
    if (!source) return lines;
    for (auto line : split(source->bytes, '\n')) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.emplace_back(line);
    }
    return lines;
}

}  // namespace guard::review
