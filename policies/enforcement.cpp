#include "policies/enforcement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace guard {
namespace {

// What of a profile asks for it, in words: empty where nothing does.
using Asks = std::string (*)(const Profile&);

struct GapRow {
    Gap::Kind kind;
    std::string_view key;
    std::string_view note;  ///< for the reference
    Asks asks;
    std::string_view fix;
};

std::string_view mode_name(NetworkMode mode) {
    if (mode == NetworkMode::pasta) return "pasta";
    return mode == NetworkMode::macvlan ? "macvlan" : "container:NAME";
}

std::string network_mode(const Profile& profile) {
    const auto mode = profile.service.network.mode;
    const bool done = mode == NetworkMode::none || mode == NetworkMode::bridge || mode == NetworkMode::host;
    return done ? "" : fmt::format("network mode {}", mode_name(mode));
}

std::string joined_namespace(const Profile& profile) {
    const auto* namespaces = value_of(profile.posture.namespaces);
    if (namespaces == nullptr) return "";
    for (const auto& [name, relation] : *namespaces)
        if (relation.to == Relation::To::peer && name != "network")
            return fmt::format("joining the {} namespace of {}", name, relation.whom);
    return "";
}

std::string host_processes(const Profile& profile) {
    const auto* namespaces = value_of(profile.posture.namespaces);
    const bool host = namespaces != nullptr && namespaces->at("pid").to == Relation::To::host;
    return host ? "running without a pid namespace" : "";
}

std::string image_root(const Profile& profile) {
    const auto& root = profile.service.root;
    for (const std::string_view end : {".squashfs", ".sqfs", ".sqsh", ".erofs", ".img"})
        if (root.ends_with(end)) return fmt::format("the image {} as root", root);
    return "";
}

std::string foreign_mount(const Profile& profile) {
    constexpr auto kTypes = std::to_array<std::string_view>({"overlay", "fuse", "nfs", "cifs", "9p"});
    const auto* mounts = value_of(profile.posture.mounts);
    if (mounts == nullptr) return "";
    for (const auto& [place, mount] : *mounts)
        if (std::ranges::find(kTypes, mount.type) != kTypes.end())
            return fmt::format("the mount of type {} at {}", mount.type, place);
    return "";
}

std::string any_secret(const Profile& profile) {
    const auto& secrets = profile.service.secrets;
    return secrets.empty() ? "" : fmt::format("the secret {}", secrets.begin()->first);
}

std::string stop_command(const Profile& profile) {
    return profile.service.stop_command.empty() ? "" : "service.stop-command";
}

std::string restart(const Profile& profile) {
    return profile.service.restart == Restart::no ? "" : "service.restart";
}
std::string health(const Profile& profile) {
    return profile.service.health.check == HealthCheck::none ? "" : "[health]";
}
std::string depends(const Profile& profile) {
    return profile.service.depends.empty() ? "" : "service.depends";
}

constexpr auto kRefused = Gap::Kind::refused;
constexpr auto kNotActedOn = Gap::Kind::not_acted_on;
constexpr auto kGaps = std::to_array<GapRow>({
    {kRefused, "network.mode", "pasta, macvlan and container:NAME: not yet, launch refuses them",
     network_mode, "write bridge, none or host"},
    {kRefused, "namespaces", "container:NAME and path:...: not yet, launch refuses them", joined_namespace,
     "write \"new\""},
    {kRefused, "namespaces.pid", "host: not yet, launch refuses it", host_processes, "write pid = \"new\""},
    {kRefused, "filesystem.root", "squashfs and erofs: not yet, launch refuses them", image_root,
     "unpack it into a directory and name that"},
    {kRefused, "filesystem.mounts", "overlay, fuse, nfs, cifs, 9p: not yet, launch refuses them",
     foreign_mount, "mount it on the host and give it with type = \"bind\""},
    {kRefused, "secrets", "not yet, launch refuses them", any_secret,
     "mount the file read-only with type = \"bind\" until then"},
    {kRefused, "service.stop-command", "not yet, launch refuses it", stop_command, "use stop-signal alone"},
    {kNotActedOn, "service.restart", "not acted on yet", restart, ""},
    {kNotActedOn, "health.check", "not acted on yet", health, ""},
    {kNotActedOn, "service.depends", "not acted on yet", depends, ""},
});

// Of a table that has no place of its own, where its first entry stands.
Where place_of(const Profile& profile, const std::string& key) {
    const auto where = origin_of(profile.origins, key);
    const auto first = profile.origins.lower_bound(key + ".");
    const bool below = first != profile.origins.end() && first->first.starts_with(key + ".");
    return where.line == 0 && below ? first->second : where;
}

}  // namespace

std::vector<Gap> gaps_of(const Profile& profile) {
    std::vector<Gap> gaps;
    for (const auto& row : kGaps) {
        const auto asked = row.asks(profile);
        if (asked.empty()) continue;
        const auto* says =
            row.kind == kRefused ? "{} can't be done by this version of guard yet" : "{} is not acted on yet";
        gaps.push_back({row.kind, std::string(row.key), fmt::format(fmt::runtime(says), asked),
                        std::string(row.fix), place_of(profile, std::string(row.key))});
    }
    return gaps;
}

std::string gap_note(std::string_view key) {
    const auto* const row = std::ranges::find(kGaps, key, &GapRow::key);
    return row == kGaps.end() ? "" : std::string(row->note);
}

}  // namespace guard
