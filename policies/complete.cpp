#include "policies/complete.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "policies/value_type.h"

namespace guard::policies {
namespace {

constexpr std::uint64_t kTmpfsSize = 64ULL << 20U;
constexpr unsigned kOrdinaryMode = 0755, kSharedMode = 01777;

// A key that only some types of mount have.
struct MountKey {
    std::string_view key, types;
};
constexpr auto kMountKeys = std::to_array<MountKey>({
    {"source", "bind|fuse|nfs|cifs|9p"},
    {"recursive", "bind"},
    {"create", "bind"},
    {"idmap", "bind"},
    {"size", "tmpfs"},
    {"mode", "tmpfs"},
    {"lower", "overlay"},
    {"upper", "overlay"},
    {"work", "overlay"},
    {"options", "fuse|nfs|cifs|9p"},
});

bool has_word(std::string_view list, std::string_view word) {
    const auto words = words_in(list);
    return std::ranges::find(words, word) != words.end();
}

class MountCompletion {
public:
    MountCompletion(Draft& draft, const Broken& broken, std::vector<Diagnostic>& diagnostics)
        : draft_(&draft), broken_(&broken), diagnostics_(&diagnostics) {}

    void run() {
        auto& tree = made(draft_->profile.posture.mounts);
        for (auto& [place, draft] : draft_->mounts) {
            const auto& type = draft.mount.type;
            if (type == "none") continue;
            if (broken_->contains("filesystem.mounts." + place) || !fits(place, draft)) continue;
            if (type == "tmpfs") tmpfs(place, draft.mount);
            if (type == "bind") draft.mount.idmap = draft.idmap.value_or(mapped());
            if (type == "overlay") overlay(draft);
            if (draft.create) draft_->profile.service.create.insert(place);
            tree[place] = draft.mount;
        }
    }

private:
    [[nodiscard]] bool mapped() const { return draft_->profile.service.users.map != UserMap::host; }

    bool error(const Place& place, std::string message, std::string note) {
        diagnostics_->push_back({Level::error, std::move(message), {mark_at(place, std::move(note))}});
        return false;
    }

    bool fits(const std::string& place, const MountDraft& draft) {
        const auto& mount = draft.mount;
        if (mount.type.empty())
            return error(draft.place, fmt::format("the mount at {} has no type", place),
                         "say `type`: bind, tmpfs, ...");
        bool right = true;
        for (const auto& [key, types] : kMountKeys) {
            const auto said = draft.said.find(std::string(key));
            if (said != draft.said.end() && !has_word(types, mount.type))
                right = stray(place, draft, std::string(key), std::string(types));
        }
        return right && source_fits(place, draft) && overlay_fits(place, draft);
    }

    bool stray(const std::string& place, const MountDraft& draft, const std::string& key,
               const std::string& types) {
        Diagnostic diagnostic{
            Level::error,
            fmt::format("`{}` is nothing that a mount of type {} has, at {}", key, draft.mount.type, place),
            {}};
        diagnostic.marks.push_back(
            mark_at(draft.said.at(key), fmt::format("only {} have it", fmt::join(words_in(types), ", "))));
        diagnostic.marks.push_back(
            mark_at(draft.said.at("type"),
                    fmt::format("the type; `replace = [\"{}\"]` drops what was inherited", place)));
        diagnostics_->push_back(std::move(diagnostic));
        return false;
    }

    bool source_fits(const std::string& place, const MountDraft& draft) {
        const auto& mount = draft.mount;
        const bool wants = has_word("bind|fuse|nfs|cifs|9p", mount.type);
        const auto said = draft.said.find("source");
        if (wants && said == draft.said.end())
            return error(draft.said.at("type"), fmt::format("the mount at {} has no source", place),
                         fmt::format("a {} needs `source`", mount.type));
        if (mount.type != "bind") return true;
        Key key;
        key.type = Type::source;
        Value value;
        value.text = mount.source;
        const auto fault = check_value(key, value);
        return fault ? error(said->second, fault->message, fault->note) : true;
    }

    bool overlay_fits(const std::string& place, const MountDraft& draft) {
        if (draft.mount.type != "overlay") return true;
        if (draft.lower.empty())
            return error(draft.said.at("type"), fmt::format("the overlay at {} has nothing below", place),
                         "an overlay needs `lower`");
        if (draft.upper.empty() != draft.work.empty())
            return error(draft.said.at("type"), fmt::format("the overlay at {} is half writable", place),
                         "`upper` and `work` go together");
        return true;
    }

    static void tmpfs(const std::string& place, Mount& mount) {
        if (!mount.size.most) mount.size.most = kTmpfsSize;
        if (!mount.mode) mount.mode = place == "/tmp" ? kSharedMode : kOrdinaryMode;
    }

    static void overlay(MountDraft& draft) {
        auto& options = draft.mount.options;
        options = {fmt::format("lowerdir={}", fmt::join(draft.lower, ":"))};
        if (!draft.upper.empty()) options.push_back("upperdir=" + draft.upper);
        if (!draft.work.empty()) options.push_back("workdir=" + draft.work);
    }

    Draft* draft_;
    const Broken* broken_;
    std::vector<Diagnostic>* diagnostics_;
};

void complete_root(Draft& draft) {
    auto& root = made(draft.profile.posture.mounts)["/"];
    const auto& path = draft.profile.service.root;
    root.type = path == "host" ? "host" : "directory";
    root.source = path == "host" ? "" : path;
}

// With the securebit noroot, which every profile has, exec keeps what is inheritable and ambient alone, for
// user 0 as for any other. capabilities(7)
void complete_capabilities(Posture& posture) {
    const auto allowed = made(posture.caps.bounding);
    for (auto* set :
         {&posture.caps.permitted, &posture.caps.effective, &posture.caps.inheritable, &posture.caps.ambient})
        *set = allowed;
}

void complete_users(Draft& draft) {
    constexpr std::uint32_t kAllIds = 4'294'967'295;
    auto& posture = draft.profile.posture;
    if (draft.profile.service.users.map != UserMap::host) return;
    posture.identity.uid_map = posture.identity.gid_map = Grants<IdLine>{{{0, false, 0, kAllIds}}};
    made(posture.namespaces)["user"] = {Relation::To::host, ""};
}

struct ModeRow {
    NetworkMode mode;
    Relation::To network;
    bool own_interface;
};
constexpr auto kModes = std::to_array<ModeRow>({
    {NetworkMode::none, Relation::To::own, false},
    {NetworkMode::bridge, Relation::To::own, true},
    {NetworkMode::host, Relation::To::host, false},
    {NetworkMode::container, Relation::To::peer, false},
    {NetworkMode::pasta, Relation::To::own, true},
    {NetworkMode::macvlan, Relation::To::own, true},
});

void complete_network(Draft& draft) {
    const auto& network = draft.profile.service.network;
    auto& posture = draft.profile.posture;
    const auto* const row = std::ranges::find(kModes, network.mode, &ModeRow::mode);
    made(posture.namespaces)["network"] = {row->network, network.container};
    if (row->own_interface) made(posture.network.interfaces).all = {"lo", "eth0"};
    // Which interfaces another network has is not this profile's to say.
    if (row->network != Relation::To::own) posture.network.interfaces = Absent{"not a network of its own"};
}

}  // namespace

void complete(Draft& draft, const Broken& broken, std::vector<Diagnostic>& diagnostics) {
    complete_root(draft);
    complete_capabilities(draft.profile.posture);
    complete_users(draft);
    complete_network(draft);
    MountCompletion(draft, broken, diagnostics).run();
}

}  // namespace guard::policies
