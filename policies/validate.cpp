#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "policies/complete.h"
#include "policies/reach.h"
#include "policies/value_type.h"

namespace guard::policies {
namespace {

const Service& service(const Draft& d) { return d.profile.service; }
const Posture& posture(const Draft& d) { return d.profile.posture; }
NetworkMode mode(const Draft& d) { return service(d).network.mode; }
bool own_network(const Draft& d) {
    return mode(d) == NetworkMode::bridge || mode(d) == NetworkMode::pasta || mode(d) == NetworkMode::macvlan;
}
template <class T>
bool any(const Known<Grants<T>>& grants) {
    const auto* all = value_of(grants);
    return all != nullptr && !all->all.empty();
}
bool resolves(const Draft& d) {
    const auto* egress = value_of(posture(d).network.egress);
    return egress != nullptr && egress->all.contains("dns");
}
HealthCheck check(const Draft& d) { return service(d).health.check; }
bool own_time(const Draft& d) {
    const auto* namespaces = value_of(posture(d).namespaces);
    return namespaces != nullptr && namespaces->at("time").to == Relation::To::own;
}

/// Two keys that can't both stand. `holds` is asked where `written` is written somewhere; `other` may be left
/// to its default.
struct Contradiction {
    std::string_view written, other;
    bool (*holds)(const Draft&);
    Level level;
    std::string_view message, note;
};
// clang-format off: one line a fact.
constexpr auto kContradictions = std::to_array<Contradiction>({
    {"network.publish", "network.mode", [](const Draft& d) { return any(posture(d).network.publish) && !own_network(d); }, Level::error, "ports are published, but there is no network of its own to publish them from", "write mode = \"bridge\", or replace = [\"publish\"]"},
    {"network.egress", "network.mode", [](const Draft& d) { return any(posture(d).network.egress) && !own_network(d); }, Level::error, "places to go are listed, but there is no network of its own to go from", "write mode = \"bridge\", or replace = [\"egress\"]"},
    {"network.peers", "network.mode", [](const Draft& d) { return any(posture(d).network.peers) && mode(d) != NetworkMode::bridge; }, Level::error, "containers may connect, but it is on no bridge", "write mode = \"bridge\", or replace = [\"peers\"]"},
    {"network.parent", "network.mode", [](const Draft& d) { return mode(d) != NetworkMode::macvlan; }, Level::warning, "`parent` has no effect: the mode is not macvlan", ""},
    {"network.bridge", "network.mode", [](const Draft& d) { return mode(d) != NetworkMode::bridge; }, Level::warning, "`bridge` has no effect: the mode is not bridge", ""},
    {"network.address", "network.mode", [](const Draft& d) { return !service(d).network.address.empty() && !own_network(d); }, Level::error, "an address is given, but there is no network of its own to have it in", "write mode = \"bridge\", or replace = [\"address\"]"},
    {"network.dns", "network.egress", [](const Draft& d) { return !service(d).network.dns.empty() && !resolves(d); }, Level::warning, "`dns` has no effect: egress does not hold \"dns\"", ""},
    {"users.uid-map", "users.map", [](const Draft& d) { return service(d).users.map != UserMap::explicit_lines; }, Level::error, "lines of a map are given, but the map is not explicit", "write map = \"explicit\""},
    {"users.gid-map", "users.map", [](const Draft& d) { return service(d).users.map != UserMap::explicit_lines; }, Level::error, "lines of a map are given, but the map is not explicit", "write map = \"explicit\""},
    {"namespaces.time", "namespaces.time-offset", [](const Draft& d) { return own_time(d) && !d.asks_time_offset; }, Level::error, "an own clock that is not set", "write time-offset = { boottime = \"0s\" }, or time = \"host\""},
    {"namespaces.time-offset.boottime", "namespaces.time", [](const Draft& d) { return !own_time(d); }, Level::error, "a clock is set that is the host's", "write time = \"new\""},
    {"namespaces.time-offset.monotonic", "namespaces.time", [](const Draft& d) { return !own_time(d); }, Level::error, "a clock is set that is the host's", "write time = \"new\""},
    {"network.hostname", "namespaces.uts", [](const Draft& d) { const auto* all = value_of(posture(d).namespaces); return all != nullptr && all->at("uts").to != Relation::To::own; }, Level::error, "a host name is given, but it is not its own to set", "write uts = \"new\", or leave the name out"},
    {"health.url", "health.check", [](const Draft& d) { return check(d) != HealthCheck::none && check(d) != HealthCheck::http; }, Level::warning, "`url` has no effect: the check is not http", ""},
    {"health.port", "health.check", [](const Draft& d) { return check(d) == HealthCheck::http || check(d) == HealthCheck::command; }, Level::warning, "`port` has no effect: only tcp and minecraft ask a port", ""},
    {"health.command", "health.check", [](const Draft& d) { return check(d) != HealthCheck::none && check(d) != HealthCheck::command; }, Level::warning, "`command` has no effect: the check is not command", ""},
    {"landlock.read", "landlock.enabled", [](const Draft& d) { return !service(d).landlock; }, Level::error, "paths for Landlock are given, but it is not enabled", "write enabled = true"},
    {"landlock.write", "landlock.enabled", [](const Draft& d) { return !service(d).landlock; }, Level::error, "paths for Landlock are given, but it is not enabled", "write enabled = true"},
    {"landlock.execute", "landlock.enabled", [](const Draft& d) { return !service(d).landlock; }, Level::error, "paths for Landlock are given, but it is not enabled", "write enabled = true"},
});

/// A key that another one can't do without.
struct Need {
    std::string_view because, needs;
    bool (*holds)(const Draft&);
    std::string_view message, note;
};
constexpr auto kNeeds = std::to_array<Need>({
    {"health.check", "health.port", [](const Draft& d) { return (check(d) == HealthCheck::tcp || check(d) == HealthCheck::minecraft) && service(d).health.port == 0; }, "a port must be named to be asked", "add `port` under [health]"},
    {"health.check", "health.url", [](const Draft& d) { return check(d) == HealthCheck::http && service(d).health.url.empty(); }, "an address must be named to be asked", "add `url` under [health]"},
    {"health.check", "health.command", [](const Draft& d) { return check(d) == HealthCheck::command && service(d).health.command.empty(); }, "a command must be named to be asked", "add `command` under [health]"},
    {"users.map", "users.uid-map", [](const Draft& d) { return service(d).users.map == UserMap::explicit_lines; }, "an explicit map has no lines for users", "add uid-map = [{ inside = 0, outside = 300000, count = 65536 }]"},
    {"users.map", "users.gid-map", [](const Draft& d) { return service(d).users.map == UserMap::explicit_lines; }, "an explicit map has no lines for groups", "add gid-map = [{ inside = 0, outside = 300000, count = 65536 }]"},
});

// clang-format on

class Validator {
public:
    Validator(const Draft& draft, const std::vector<Setting>& settings, const Broken& broken,
              std::vector<Diagnostic>& diagnostics)
        : draft_(&draft), settings_(&settings), broken_(&broken), diagnostics_(&diagnostics) {}

    void run() {
        for (const auto& row : kContradictions) contradiction(row);
        for (const auto& row : kNeeds) need(row);
        secrets();
        published();
        id_map("users.uid-map");
        id_map("users.gid-map");
        mapped_user();
        idmapped_mounts();
        allowed_and_absent();
        lasting_waivers();
    }

private:
    [[nodiscard]] const Setting* find(std::string_view path) const {
        for (const auto& setting : *settings_)
            if (format_path(setting.path) == path) return &setting;
        return nullptr;
    }
    [[nodiscard]] bool said_wrongly(std::string_view path) const {
        return broken_->contains(std::string(path));
    }
    [[nodiscard]] bool written_below(std::string_view path) const {
        return std::ranges::any_of(*settings_, [path](const Setting& setting) {
            const auto text = format_path(setting.path);
            return text == path || text.starts_with(std::string(path) + ".");
        });
    }

    void add(Level level, std::string message, const std::vector<std::pair<Place, std::string>>& places) {
        Diagnostic diagnostic{level, std::move(message), {}};
        for (const auto& [place, note] : places) diagnostic.marks.push_back(mark_at(place, note));
        diagnostics_->push_back(std::move(diagnostic));
    }

    void contradiction(const Contradiction& row) {
        const auto* written = find(row.written);
        if (written == nullptr || said_wrongly(row.other) || !row.holds(*draft_)) return;
        std::vector<std::pair<Place, std::string>> places{{written->place, std::string(row.note)}};
        if (const auto* other = find(row.other))
            places.emplace_back(other->place, "here");
        else
            places.front().second +=
                fmt::format("{}{} is left to its default", row.note.empty() ? "" : "; ", row.other);
        add(row.level, std::string(row.message), places);
        if (row.level == Level::error) return;
        diagnostics_->back().check = "profile.idle-key";
        diagnostics_->back().item = row.written;
    }

    void need(const Need& row) {
        const auto* because = find(row.because);
        const bool said = said_wrongly(row.needs) || written_below(row.needs);
        if (because == nullptr || said || !row.holds(*draft_)) return;
        add(Level::error, std::string(row.message), {{because->place, std::string(row.note)}});
    }

    void secrets() {
        for (const auto& [name, said] : draft_->secrets) {
            if (said.size() == 1) continue;
            std::vector<std::pair<Place, std::string>> places;
            for (const auto& [key, place] : said) places.emplace_back(place, key);
            add(Level::error, fmt::format("the secret {} comes from {} places", name, said.size()), places);
        }
        for (const auto& setting : *settings_)
            if (setting.path.front() == "secrets" && setting.value.kind == Kind::list &&
                setting.value.items.empty())
                add(Level::error, "a secret from no command",
                    {{setting.place, "want a program and its arguments"}});
    }

    // One port of the host can't lead to two ports inside.
    void published() {
        const auto* publish = find("network.publish");
        if (publish == nullptr) return;
        const auto& items = publish->value.items;
        for (std::size_t i = 0; i < items.size(); ++i)
            for (std::size_t j = 0; j < i; ++j) {
                const auto one = parse_publish(items[j].text);
                const auto other = parse_publish(items[i].text);
                if (!one || !other || !collide(*one, *other)) continue;
                add(Level::error, "two lines publish the same port of this machine",
                    {{items[j].place, ""}, {items[i].place, ""}});
            }
    }
    static bool collide(const Published& one, const Published& other) {
        const bool apart = one.outer.last < other.outer.first || other.outer.last < one.outer.first;
        const bool meet = one.where == other.where || one.where == "any" || other.where == "any";
        return !apart && meet && one.protocol == other.protocol;
    }

    void id_map(std::string_view path) {
        const auto* map = find(path);
        if (map == nullptr) return;
        const auto& lines = map->value.items;
        constexpr std::size_t kMostLines = 340;  // user_namespaces(7)
        if (lines.size() > kMostLines)
            add(Level::error, fmt::format("a map has at most {} lines", kMostLines), {{map->place, ""}});
        for (std::size_t i = 0; i < lines.size(); ++i) {
            for (const auto* side : {"inside", "outside"}) id_line(lines, i, side);
        }
    }
    void id_line(const std::vector<Value>& lines, std::size_t at, const char* side) {
        constexpr std::uint64_t kEnd = 4'294'967'295;
        const auto range = [&lines, side](std::size_t line) {
            const auto* first = lines[line].find(side);
            const auto* count = lines[line].find("count");
            const auto begin = first == nullptr ? 0 : static_cast<std::uint64_t>(first->integer);
            return std::pair{begin,
                             begin + (count == nullptr ? 0 : static_cast<std::uint64_t>(count->integer))};
        };
        const auto [begin, end] = range(at);
        if (end > kEnd)
            add(Level::error, "a line of the map goes beyond the last id",
                {{lines[at].place, "the last is 4294967294"}});
        for (std::size_t before = 0; before < at; ++before) {
            const auto [other, other_end] = range(before);
            if (begin < other_end && other < end)
                add(Level::error, fmt::format("two lines of the map overlap {}", side),
                    {{lines[before].place, ""}, {lines[at].place, ""}});
        }
    }

    void mapped_user() {
        if (said_wrongly("users") || said_wrongly("process.user")) return;
        const auto* user = find("process.user");
        outside_map(user, value_of(posture(*draft_).identity.uid), posture(*draft_).identity.uid_map, "user");
        outside_map(user, value_of(posture(*draft_).identity.gid), posture(*draft_).identity.gid_map,
                    "group");
        const auto* groups = find("process.groups");
        if (groups == nullptr) return;
        for (const auto& item : groups->value.items) {
            const Exact<std::uint32_t> id{id_of(item)};
            Setting single = *groups;
            single.place = item.place;
            outside_map(&single, &id, posture(*draft_).identity.gid_map, "group");
        }
    }
    void outside_map(const Setting* setting, const Exact<std::uint32_t>* id, const Known<Grants<IdLine>>& map,
                     std::string_view what) {
        const auto* lines = value_of(map);
        if (id == nullptr || lines == nullptr) return;
        const bool inside = std::ranges::any_of(lines->all, [id](const IdLine& line) {
            return id->value >= line.inside && id->value - line.inside < line.count;
        });
        if (inside) return;
        std::vector<std::pair<Place, std::string>> places;
        if (setting != nullptr) places.emplace_back(setting->place, "");
        for (const auto* path : {"users.map", "users.uid-map", "users.gid-map"})
            if (const auto* said = find(path)) places.emplace_back(said->place, "");
        add(Level::error, fmt::format("{} {} is in no line of the map, so it can't be", what, id->value),
            places);
    }

    void idmapped_mounts() {
        if (service(*draft_).users.map != UserMap::host) return;
        for (const auto& [place, mount] : draft_->mounts) {
            if (!mount.idmap.value_or(false)) continue;
            std::vector<std::pair<Place, std::string>> places{{mount.said.at("idmap"), "take it away"}};
            if (const auto* map = find("users.map"))
                places.emplace_back(map->place, "ids inside are the host's");
            add(Level::error, fmt::format("the mount at {} maps ids, but no id is mapped", place), places);
        }
    }

    void allowed_and_absent() {
        for (const auto& absent : draft_->absent)
            for (const auto& allowed : draft_->allow)
                if (absent.text == allowed.text)
                    add(Level::error, fmt::format("{} is both allowed and absent", absent.text),
                        {{allowed.place, "allowed here"}, {absent.place, "absent here"}});
    }

    void lasting_waivers() {
        const auto* waivers = find("waiver");
        if (waivers == nullptr) return;
        for (const auto& table : waivers->value.items) {
            const auto* reason = table.find("reason");
            if (reason != nullptr && reason->text.empty())
                add(Level::error, "a waiver without a reason", {{reason->place, "write one sentence"}});
        }
    }

    const Draft* draft_;
    const std::vector<Setting>* settings_;
    const Broken* broken_;
    std::vector<Diagnostic>* diagnostics_;
};

}  // namespace

void validate(const Draft& draft, const std::vector<Setting>& settings, const Broken& broken,
              std::vector<Diagnostic>& diagnostics) {
    Validator(draft, settings, broken, diagnostics).run();
}

}  // namespace guard::policies
