#include "review/oci_config.h"

#include <fmt/format.h>
#include <sys/personality.h>

#include <algorithm>
#include <array>

#include "posture/limit.h"
#include "review/seccomp_json.h"

namespace guard::review {
namespace {

// Paths that runtimes hide or hold read-only by default; one that the file leaves out is shown.
constexpr std::array<std::string_view, 15> kHidden{
    "/proc/acpi",       "/proc/asound",      "/proc/kcore",       "/proc/keys", "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    "/proc/bus",        "/proc/fs",          "/proc/irq",         "/proc/sys",  "/proc/sysrq-trigger"};

// What a posture holds; everything else of the file is compared as it is written.
constexpr std::array<std::string_view, 29> kSaid{"ociVersion",
                                                 "hostname",
                                                 "root.path",
                                                 "root.readonly",
                                                 "mounts",
                                                 "process.user.uid",
                                                 "process.user.gid",
                                                 "process.user.umask",
                                                 "process.user.additionalGids",
                                                 "process.capabilities",
                                                 "process.rlimits",
                                                 "process.noNewPrivileges",
                                                 "process.oomScoreAdj",
                                                 "linux.namespaces",
                                                 "linux.uidMappings",
                                                 "linux.gidMappings",
                                                 "linux.maskedPaths",
                                                 "linux.readonlyPaths",
                                                 "linux.devices",
                                                 "linux.seccomp",
                                                 "linux.personality.domain",
                                                 "linux.rootfsPropagation",
                                                 "linux.resources.memory.limit",
                                                 "linux.resources.memory.swap",
                                                 "linux.resources.cpu.quota",
                                                 "linux.resources.cpu.period",
                                                 "linux.resources.cpu.shares",
                                                 "linux.resources.pids.limit",
                                                 "linux.resources.blockIO.weight"};

// Parts that grant nothing: what runs, and labels.
constexpr std::array<std::string_view, 7> kHarmless{"process.args",     "process.cwd", "process.env",
                                                    "process.terminal", "annotations", "process.consoleSize",
                                                    "linux.cgroupsPath"};

// Of a mount: what its type, grants and propagation say, and how access times are kept.
constexpr auto kToldOptions = std::to_array<std::string_view>(
    {"bind",    "rbind",   "ro",       "rw",         "nosuid",   "suid",       "nodev",       "dev",
     "noexec",  "exec",    "shared",   "rshared",    "slave",    "rslave",     "private",     "rprivate",
     "atime",   "noatime", "diratime", "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime",
     "defaults"});

struct NamespaceType {
    std::string_view oci, name;
};
constexpr auto kTypes = std::to_array<NamespaceType>({{"pid", "pid"},
                                                      {"network", "network"},
                                                      {"mount", "mount"},
                                                      {"ipc", "ipc"},
                                                      {"uts", "uts"},
                                                      {"user", "user"},
                                                      {"cgroup", "cgroup"},
                                                      {"time", "time"}});

const Json& at_path(const Json& json, std::string_view path) {
    static const Json kNone;
    const Json* here = &json;
    while (!path.empty()) {
        const auto part = path.substr(0, path.find('.'));
        const auto next = here->is_object() ? here->find(part) : here->end();
        if (!here->is_object() || next == here->end()) return kNone;
        here = &*next;
        path.remove_prefix(std::min(part.size() + 1, path.size()));
    }
    return *here;
}

const Json& list_at(const Json& json, std::string_view path) {
    static const Json kEmpty = Json::array();
    const auto& found = at_path(json, path);
    return found.is_array() ? found : kEmpty;
}

template <class Number>
std::optional<Number> number_at(const Json& json, std::string_view path) {
    const auto& found = at_path(json, path);
    if (!found.is_number()) return std::nullopt;
    return found.get<Number>();
}

class Config {
public:
    Config(const std::string& path, const std::string& text, const Json& json)
        : path_(&path), text_(&text), json_(&json) {}

    Result<FromJson> read() {
        made_.form = FromJson::Form::oci;
        made_.profile.posture = nothing_granted();
        identity();
        capabilities();
        namespaces();
        mounts();
        limits();
        CHECK(filter());
        runtime();
        collect(*json_, "");
        return std::move(made_);
    }

private:
    Posture& posture() { return made_.profile.posture; }
    void origin(const std::string& key, const std::string& word) {
        made_.profile.origins.emplace(key, place_of_word(*path_, *text_, word));
    }

    void identity() {
        auto& identity = posture().identity;
        identity.uid = Exact<std::uint32_t>{number_at<std::uint32_t>(*json_, "process.user.uid").value_or(0)};
        identity.gid = Exact<std::uint32_t>{number_at<std::uint32_t>(*json_, "process.user.gid").value_or(0)};
        for (const auto& gid : list_at(*json_, "process.user.additionalGids"))
            made(identity.groups).all.insert(gid.get<std::uint32_t>());
        if (const auto umask = number_at<std::uint32_t>(*json_, "process.user.umask"))
            posture().umask = Exact<std::uint32_t>{*umask};
        else
            posture().umask = Exact<std::uint32_t>{0022};
        identity.uid_map = id_lines("linux.uidMappings");
        identity.gid_map = id_lines("linux.gidMappings");
        const auto& domain = at_path(*json_, "linux.personality.domain");
        if (domain == "LINUX32") posture().personality = Exact<std::uint32_t>{PER_LINUX32};
        origin("personality", "domain");
        origin("identity.uid", "uid");
        origin("users.uid-map", "uidMappings");
    }

    Grants<IdLine> id_lines(std::string_view key) {
        Grants<IdLine> lines;
        for (const auto& line : list_at(*json_, key))
            lines.all.insert(
                {line.value("containerID", 0U), false, line.value("hostID", 0U), line.value("size", 0U)});
        constexpr std::uint32_t kAllIds = 4'294'967'295;
        if (lines.all.empty()) lines.all.insert({0, false, 0, kAllIds});
        return lines;
    }

    void capabilities() {
        auto& caps = posture().caps;
        struct Set {
            std::string_view key;
            Known<CapabilitySet>* set;
        };
        for (const auto& [key, set] : {Set{"bounding", &caps.bounding}, Set{"permitted", &caps.permitted},
                                       Set{"effective", &caps.effective},
                                       Set{"inheritable", &caps.inheritable}, Set{"ambient", &caps.ambient}})
            for (const auto& name : list_at(*json_, fmt::format("process.capabilities.{}", key))) {
                const auto number = capability_number(name.get<std::string>());
                if (!number) {
                    made_.unsaid.emplace(fmt::format("process.capabilities.{}", key),
                                         "a capability newer than guard");
                    continue;
                }
                made(*set).mask |= 1ULL << static_cast<unsigned>(*number);
                origin(fmt::format("caps.{}/{}", key, name.get<std::string>()), name.get<std::string>());
            }
        const auto& locked = at_path(*json_, "process.noNewPrivileges");
        posture().no_new_privs = locked.is_boolean() && locked.get<bool>() ? Lock::held : Lock::open;
        origin("no-new-privs", "noNewPrivileges");
        // Runtimes leave the rules for user 0 as they are.
        posture().securebits = Named<Lock>{};
    }

    void namespaces() {
        auto& all = made(posture().namespaces);
        for (const auto& row : kTypes) all[std::string(row.name)] = {Relation::To::host, ""};
        for (const auto& json : list_at(*json_, "linux.namespaces")) {
            const auto type = json.value("type", std::string());
            const auto* const row = std::ranges::find(kTypes, type, &NamespaceType::oci);
            if (row == kTypes.end()) {
                made_.unsaid.emplace("linux.namespaces", "a type newer than guard: " + type);
                continue;
            }
            const auto joined = json.value("path", std::string());
            all[std::string(row->name)] =
                joined.empty() ? Relation{Relation::To::own, ""} : Relation{Relation::To::peer, joined};
            origin("namespaces/" + std::string(row->name), type);
        }
        if (all["user"].to == Relation::To::host) return;
        if (!list_at(*json_, "linux.uidMappings").empty()) return;
        posture().identity.uid_map = posture().identity.gid_map = Grants<IdLine>{};
    }

    void mounts() {
        auto& tree = made(posture().mounts);
        tree["/"] = {.type = "directory",
                     .source = at_path(*json_, "root.path").is_string()
                                   ? at_path(*json_, "root.path").get<std::string>()
                                   : std::string("rootfs")};
        tree["/"].grants.all = {MountGrant::exec, MountGrant::suid, MountGrant::dev};
        const auto& readonly = at_path(*json_, "root.readonly");
        if (!readonly.is_boolean() || !readonly.get<bool>()) tree["/"].grants.all.insert(MountGrant::write);
        for (const auto& json : list_at(*json_, "mounts")) {
            const auto place = json.at("destination").get<std::string>();
            tree[place] = mount_of(json);
            origin("mounts/" + place, place);
            propagation(place, json);
        }
        const auto& root = at_path(*json_, "linux.rootfsPropagation");
        if (root == "shared" || root == "slave") made(posture().shared_mounts).all.insert("/");
        origin("mounts.shared", "rootfsPropagation");
        auto& devices = made(posture().devices);
        for (const auto& device : list_at(*json_, "linux.devices"))
            devices.all.insert(device.at("path").get<std::string>() + ":rw");
        std::set<std::string> held;
        for (const auto* key : {"linux.maskedPaths", "linux.readonlyPaths"})
            for (const auto& hidden : list_at(*json_, key)) held.insert(hidden.get<std::string>());
        auto& revealed = made(posture().revealed);
        for (const auto hidden : kHidden)
            if (!held.contains(std::string(hidden))) revealed.all.emplace(hidden);
        origin("mounts.revealed", "maskedPaths");
    }

    // A shared mount hands mounts both ways, a slave takes this machine's. mount_namespaces(7)
    void propagation(const std::string& place, const Json& json) {
        constexpr auto kShared = std::to_array<std::string_view>({"shared", "rshared", "slave", "rslave"});
        const auto options = json.find("options");
        if (options == json.end() || !options->is_array()) return;
        for (const auto& option : *options)
            if (std::ranges::find(kShared, option.get<std::string>()) != kShared.end()) {
                made(posture().shared_mounts).all.insert(place);
                origin("mounts.shared/" + place, option.get<std::string>());
            }
    }

    static Mount mount_of(const Json& json) {
        Mount mount{.type = json.value("type", std::string("bind")),
                    .source = json.value("source", std::string())};
        std::set<std::string> options;
        if (const auto list = json.find("options"); list != json.end() && list->is_array())
            for (const auto& option : *list) options.insert(option.get<std::string>());
        const bool bind = options.contains("bind") || options.contains("rbind");
        if (bind) mount.type = "bind";
        if (mount.type != "bind") mount.source.clear();
        mount.recursive = options.contains("rbind");
        for (const auto& row : kMountGrants)
            if (!options.contains(std::string(row.denied))) mount.grants.all.insert(row.grant);
        for (const auto& option : options)
            if (std::ranges::find(kToldOptions, option) == kToldOptions.end())
                mount.options.push_back(option);
        return mount;
    }

    void limits() {
        auto& all = made(posture().limits);
        all = {{"memory", {}}, {"swap", {}}, {"cpus", {}}, {"pids", {}}, {"cpu-weight", {100}}};
        const auto memory = number_at<std::int64_t>(*json_, "linux.resources.memory.limit").value_or(-1);
        if (memory > 0) all["memory"].most = static_cast<std::uint64_t>(memory);
        // As cgroup v1 counts: memory and swap together.
        const auto both = number_at<std::int64_t>(*json_, "linux.resources.memory.swap").value_or(-1);
        if (both >= 0 && memory > 0)
            all["swap"].most = static_cast<std::uint64_t>(std::max<std::int64_t>(both - memory, 0));
        const auto quota = number_at<std::int64_t>(*json_, "linux.resources.cpu.quota").value_or(-1);
        const auto period = number_at<std::uint64_t>(*json_, "linux.resources.cpu.period").value_or(100'000);
        if (quota > 0 && period > 0)
            all["cpus"].most = static_cast<std::uint64_t>(quota) * 1'000'000 / period;
        const auto pids = number_at<std::int64_t>(*json_, "linux.resources.pids.limit").value_or(-1);
        if (pids > 0) all["pids"].most = static_cast<std::uint64_t>(pids);
        if (const auto shares = number_at<std::uint64_t>(*json_, "linux.resources.cpu.shares"))
            all["cpu-weight"].most = std::max<std::uint64_t>(*shares * 100 / 1024, 1);
        if (const auto weight = number_at<std::uint64_t>(*json_, "linux.resources.blockIO.weight"))
            all["io-weight"].most = *weight;
        origin("limits/memory", "memory");
        origin("limits/pids", "pids");
        rlimits();
    }

    void rlimits() {
        auto& all = made(posture().rlimits);
        all.clear();
        for (const auto& json : list_at(*json_, "process.rlimits")) {
            auto name = json.at("type").get<std::string>();
            if (name.starts_with("RLIMIT_")) name.erase(0, 7);
            std::ranges::transform(name, name.begin(),
                                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
            const auto bound = [](std::uint64_t value) {
                return value == ~0ULL ? Ceiling<std::uint64_t>{} : Ceiling<std::uint64_t>{value};
            };
            all[name] = bound(json.value("hard", ~std::uint64_t{0}));
            all[name + ":soft"] = bound(json.value("soft", ~std::uint64_t{0}));
        }
        if (const auto score = number_at<int>(*json_, "process.oomScoreAdj"))
            posture().oom_score_adj = Floor<int>{*score};
    }

    Result<void> filter() {
        const auto& json = at_path(*json_, "linux.seccomp");
        if (!json.is_object()) {
            posture().seccomp.mode = Lock::open;
            posture().seccomp.filters = Floor<unsigned>{0};
            posture().seccomp.access = Absent{"there is no filter"};
            return {};
        }
        auto part = TRY(profile_of_seccomp(*path_, *text_, json, {}));
        posture().seccomp.access = std::move(part.profile.posture.seccomp.access);
        made_.profile.origins.merge(part.profile.origins);
        for (auto& [key, value] : part.unsaid) made_.unsaid.emplace("linux.seccomp." + key, value);
        return {};
    }

    // What no runtime sets, or decides by itself.
    void runtime() {
        posture().landlock.domain = Lock::open;
        for (auto* part : {&posture().landlock.read, &posture().landlock.write, &posture().landlock.execute})
            *part = Absent{"a runtime has no such rules"};
        for (auto* part : {&posture().network.interfaces, &posture().network.publish,
                           &posture().network.listen, &posture().network.egress, &posture().network.peers})
            *part = Unknown{0, "config.json does not say what its network lets through"};
        const auto& hostname = at_path(*json_, "hostname");
        posture().hostname =
            Exact<std::string>{hostname.is_string() ? hostname.get<std::string>() : std::string()};
    }

    // Everything that no posture holds, by its path.
    void collect(const Json& json, const std::string& path) {
        const auto is_in = [&path](const auto& all) { return std::ranges::find(all, path) != all.end(); };
        if (is_in(kSaid) || is_in(kHarmless)) return;
        if (!json.is_object()) {
            made_.unsaid.emplace(path, json.dump(-1, ' ', false, Json::error_handler_t::replace));
            return;
        }
        for (const auto& [key, value] : json.items()) collect(value, path.empty() ? key : path + "." + key);
    }

    const std::string* path_;
    const std::string* text_;
    const Json* json_;
    FromJson made_;
};

}  // namespace

Result<FromJson> profile_of_oci(const std::string& path, const std::string& text, const Json& json) {
    return Config(path, text, json).read();
}

}  // namespace guard::review
