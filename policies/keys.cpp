#include <algorithm>
#include <array>

#include "base/split.h"
#include "policies/draft.h"
#include "policies/key.h"
#include "policies/reach.h"
#include "policies/value_type.h"
#include "posture/limit.h"

namespace guard::policies {
namespace {

using D = Draft;
using S = Setting;

constexpr std::int64_t kSecond = 1000, kDay = 86'400'000;
constexpr std::string_view kRepeat =
    "limits.memory|limits.swap|limits.cpus|limits.cpu-weight|limits.cpuset|"
    "limits.pids|limits.io-weight|limits.io-max|landlock|network.ipv6|"
    "namespaces.cgroup|namespaces.time|filesystem.devices|memfd-noexec";

Service& service(D& d) { return d.profile.service; }
Posture& posture(D& d) { return d.profile.posture; }
Health& health(D& d) { return service(d).health; }

// The words of a choice stand in the order of its enumerators.
template <class Choice>
Choice choice(const S& s) {
    return static_cast<Choice>(word_index(*s.key, s.value.text).value_or(0));
}

void grant_texts(Known<Grants<std::string>>& field, const S& s) {
    for (const auto& item : s.value.items) made(field).all.insert(item.text);
}

void set_user(D& d, const S& s) {
    const auto user = parse_user(s.value.text).value_or(UserSpec{});
    if (!user.name.empty()) service(d).users.name = user.name;
    posture(d).identity.uid = Exact<std::uint32_t>{user.uid};
    posture(d).identity.gid = Exact<std::uint32_t>{user.gid};
}

void set_rlimit(D& d, const S& s) {
    const auto limit = parse_rlimit(s.value).value_or(RlimitSpec{});
    made(posture(d).rlimits)[s.names.front()] = {limit.hard};
    made(posture(d).rlimits)[s.names.front() + ":soft"] = {limit.soft};
}

void set_limit(D& d, const S& s) {
    auto name = s.path.back();
    if (!s.names.empty()) name = "io-max " + s.names.front() + " " + s.path.back();
    auto& limit = made(posture(d).limits)[name];
    limit.most.reset();
    if (s.value.kind == Kind::text && s.value.text == "none") return;
    switch (s.key->type) {
        case Type::cores: limit.most = microcores_of(s.value); break;
        case Type::size: limit.most = bytes_of(s.value); break;
        default: limit.most = static_cast<std::uint64_t>(s.value.integer);
    }
}

void set_namespace(D& d, const S& s) {
    made(posture(d).namespaces)[s.path.back()] = parse_relation(s.value.text).value_or(Relation{});
}

void set_network_mode(D& d, const S& s) {
    constexpr std::string_view kJoin = "container:";
    auto& network = service(d).network;
    constexpr std::array kModes{NetworkMode::none, NetworkMode::bridge, NetworkMode::host, NetworkMode::pasta,
                                NetworkMode::macvlan};
    if (const auto word = word_index(*s.key, s.value.text)) network.mode = kModes.at(*word);
    if (s.value.text.starts_with(kJoin)) {
        network.mode = NetworkMode::container;
        network.container = s.value.text.substr(kJoin.size());
    }
}

void set_id_map(D& d, const S& s) {
    auto& lines = s.path.back() == "uid-map" ? posture(d).identity.uid_map : posture(d).identity.gid_map;
    Grants<IdLine> made_lines;
    for (const auto& table : s.value.items) {
        const auto number = [&table](std::string_view name) {
            const auto* value = table.find(name);
            return value == nullptr ? 0U : id_of(*value);
        };
        made_lines.all.insert({number("inside"), false, number("outside"), number("count")});
    }
    lines = made_lines;
}

MountDraft& mount(D& d, const S& s) {
    auto& draft = d.mounts[s.names.front()];
    draft.place = s.name_place;
    draft.said[s.path.back()] = s.place;
    return draft;
}

template <MountGrant grant>
void set_grant(D& d, const S& s) {
    auto& grants = mount(d, s).mount.grants.all;
    if (s.value.flag)
        grants.insert(grant);
    else
        grants.erase(grant);
}

Secret& secret(D& d, const S& s) {
    d.secrets[s.names.front()][s.path.back()] = s.place;
    return service(d).secrets[s.names.front()];
}

template <class Normal>
void grant_normal(Known<Grants<std::string>>& field, const S& s, Normal normal) {
    for (const auto& item : s.value.items)
        if (auto text = normal(item.text)) made(field).all.insert(*text);
}

void set_publish(D& d, const S& s) {
    for (const auto& item : s.value.items) {
        const auto published = parse_publish(item.text);
        if (!published) continue;
        made(posture(d).network.publish).all.insert(format_publish(*published));
        made(posture(d).network.listen)
            .all.insert(format_ports(published->inner) + "/" + published->protocol);
    }
}

Waiver waiver_of(const Value& table) {
    Waiver waiver;
    const auto text = [&table](std::string_view name) {
        const auto* value = table.find(name);
        return value == nullptr ? std::string() : value->text;
    };
    waiver.finding = text("finding"), waiver.what = text("what");
    waiver.reason = text("reason"), waiver.owner = text("owner");
    waiver.where = where_of(table.place);
    const auto date = text("expires");
    if (date.size() != 10) return waiver;  // "never"
    const auto part = [&date](std::size_t at, std::size_t count) {
        return number_of<unsigned>(std::string_view(date).substr(at, count)).value_or(0);
    };
    waiver.expires = std::chrono::year(static_cast<int>(part(0, 4))) / part(5, 2) / part(8, 2);
    return waiver;
}

constexpr std::string_view kCapFields =
    "caps.bounding|caps.permitted|caps.effective|caps.inheritable|caps.ambient";

// clang-format off: one line a fact.
constexpr auto kTop = std::to_array<Key>({
    {.path = "guard", .type = Type::integer, .doc = "version of the profile language", .least = 1, .most = 1, .required = true},
    {.path = "description", .doc = "one line for people", .set = [](D& d, const S& s) { service(d).description = s.value.text; }, .merge = Merge::describe},
    {.path = "extends", .shape = Shape::list, .fallback = "[]", .doc = "profiles to start from: names, or paths relative to this file; parents before children, left before right"},
    {.path = "optional", .shape = Shape::list, .type = Type::feature, .fallback = "[]", .doc = "features that this host may lack; any other that is missing stops the launch", .set = [](D& d, const S& s) { for (auto& text : texts_of(s)) service(d).optional.insert(text); }, .words = kRepeat, .merge = Merge::append},

    {.path = "process", .shape = Shape::table, .doc = "what runs, as whom and where"},
    {.path = "process.command", .shape = Shape::list, .fallback = "[]", .doc = "program and arguments; without it the profile can only be extended, or launched with `-- CMD`", .set = [](D& d, const S& s) { service(d).command = texts_of(s); }},
    {.path = "process.workdir", .type = Type::path, .fallback = "\"/\"", .doc = "working directory inside", .set = [](D& d, const S& s) { service(d).workdir = s.value.text; }},
    {.path = "process.user", .type = Type::user, .fallback = "\"app\"", .doc = "name, \"id\" or \"id:gid\" inside; a name is id 999, made in the generated passwd", .set = set_user, .fields = "identity.uid|identity.gid"},
    {.path = "process.groups", .shape = Shape::list, .type = Type::id, .fallback = "[]", .doc = "further group ids inside", .set = [](D& d, const S& s) { for (const auto& item : s.value.items) made(posture(d).identity.groups).all.insert(id_of(item)); }, .merge = Merge::append, .fields = "identity.groups"},
    {.path = "process.env", .shape = Shape::map, .type = Type::environment_name, .fallback = "{}", .doc = "environment; nothing of the caller's gets in unless `env-pass` names it"},
    {.path = "process.env.*", .doc = "value of the variable", .set = [](D& d, const S& s) { service(d).env[s.names.front()] = s.value.text; }},
    {.path = "process.env-pass", .shape = Shape::list, .type = Type::environment_name, .fallback = "[]", .doc = "variables of the caller that get in", .set = [](D& d, const S& s) { service(d).env_pass = texts_of(s); }, .merge = Merge::append},
    {.path = "process.umask", .type = Type::mode, .fallback = "\"0027\"", .doc = "rights that new files never get", .set = [](D& d, const S& s) { posture(d).umask = Exact<std::uint32_t>{mode_of(s.value)}; }, .fields = "umask"},
    {.path = "process.rlimits", .shape = Shape::map, .type = Type::rlimit_name, .fallback = "{ core = 0 }", .doc = "limits of each process, setrlimit(2)"},
    {.path = "process.rlimits.*", .type = Type::rlimit, .doc = "N, \"SOFT:HARD\", \"max\" (the host's hard limit) or \"unlimited\"; core = 0 also stops a piped handler", .set = set_rlimit, .fields = "rlimits/*|rlimits/*:soft"},
    {.path = "process.stdin", .type = Type::word, .fallback = "\"none\"", .doc = "none, or keep: an open pipe that `guard attach` writes to", .set = [](D& d, const S& s) { service(d).stdin_mode = choice<Stdin>(s); }, .words = "none|keep"},

    {.path = "service", .shape = Shape::table, .doc = "its life"},
    {.path = "service.restart", .type = Type::word, .fallback = "\"no\"", .doc = "when to start it again; a set-up error is never retried", .set = [](D& d, const S& s) { service(d).restart = choice<Restart>(s); }, .words = "no|on-failure|always"},
    {.path = "service.restart-delay", .type = Type::duration, .fallback = "\"1s\"", .doc = "doubles at each failure up to 5min", .set = [](D& d, const S& s) { service(d).restart_delay = duration_of(s.value); }, .most = kDay},
    {.path = "service.restart-limit", .type = Type::integer, .fallback = "5", .doc = "restarts within an hour; then it stays down and says so", .set = [](D& d, const S& s) { service(d).restart_limit = id_of(s.value); }, .most = 1000},
    {.path = "service.stop-command", .shape = Shape::list, .fallback = "[]", .doc = "run inside before stop-signal, e.g. a save", .set = [](D& d, const S& s) { service(d).stop_command = texts_of(s); }},
    {.path = "service.stop-signal", .type = Type::signal, .fallback = "\"SIGTERM\"", .doc = "what asks it to end", .set = [](D& d, const S& s) { service(d).stop_signal = signal_of(s.value); }},
    {.path = "service.stop-timeout", .type = Type::duration, .fallback = "\"10s\"", .doc = "how long it may take to end; then it is killed", .set = [](D& d, const S& s) { service(d).stop_timeout = duration_of(s.value); }, .most = kDay},
    {.path = "service.reload-signal", .type = Type::signal, .fallback = "\"SIGHUP\"", .doc = "what `guard reload` sends; secrets are read anew first", .set = [](D& d, const S& s) { service(d).reload_signal = signal_of(s.value); }},
    {.path = "service.depends", .shape = Shape::list, .type = Type::container, .fallback = "[]", .doc = "containers started before and stopped after this one", .set = [](D& d, const S& s) { service(d).depends = texts_of(s); }, .merge = Merge::append},
    {.path = "service.log", .shape = Shape::table, .doc = "what is kept of its output"},
    {.path = "service.log.size", .type = Type::size, .fallback = "\"10MiB\"", .doc = "size at which the log is rotated", .set = [](D& d, const S& s) { service(d).log_size = bytes_of(s.value); }, .least = 4096},
    {.path = "service.log.keep", .type = Type::integer, .fallback = "3", .doc = "rotated logs that are kept", .set = [](D& d, const S& s) { service(d).log_keep = id_of(s.value); }, .most = 100},

    {.path = "health", .shape = Shape::table, .doc = "how guard finds out whether it answers"},
    {.path = "health.check", .type = Type::word, .fallback = "\"none\"", .doc = "what to ask, inside the container's network", .set = [](D& d, const S& s) { health(d).check = choice<HealthCheck>(s); }, .words = "none|tcp|http|minecraft|command"},
    {.path = "health.port", .type = Type::integer, .doc = "for tcp and minecraft: the inner port", .set = [](D& d, const S& s) { health(d).port = static_cast<std::uint16_t>(s.value.integer); }, .least = 1, .most = 65535},
    {.path = "health.url", .type = Type::url, .doc = "for http: what must answer with success", .set = [](D& d, const S& s) { health(d).url = s.value.text; }},
    {.path = "health.command", .shape = Shape::list, .doc = "for command: what must end with status 0, run inside", .set = [](D& d, const S& s) { health(d).command = texts_of(s); }},
    {.path = "health.interval", .type = Type::duration, .fallback = "\"30s\"", .doc = "between two questions", .set = [](D& d, const S& s) { health(d).interval = duration_of(s.value); }, .least = kSecond, .most = kDay},
    {.path = "health.timeout", .type = Type::duration, .fallback = "\"5s\"", .doc = "how long an answer may take", .set = [](D& d, const S& s) { health(d).timeout = duration_of(s.value); }, .least = 1, .most = kDay},
    {.path = "health.start-period", .type = Type::duration, .fallback = "\"2min\"", .doc = "how long it may take to answer at all", .set = [](D& d, const S& s) { health(d).start_period = duration_of(s.value); }, .most = kDay},
    {.path = "health.failures", .type = Type::integer, .fallback = "3", .doc = "failures in a row that count as one", .set = [](D& d, const S& s) { health(d).failures = id_of(s.value); }, .least = 1, .most = 1000},
    {.path = "health.on-failure", .type = Type::word, .fallback = "\"restart\"", .doc = "what to do then", .set = [](D& d, const S& s) { health(d).on_failure = choice<HealthAction>(s); }, .words = "restart|stop|report"},

    {.path = "capabilities", .shape = Shape::table, .doc = "rights of root, in parts; none by default"},
    {.path = "capabilities.allow", .shape = Shape::list, .type = Type::capability, .fallback = "[]", .doc = "what the command holds, root or not: bounding, permitted, effective and, for a user other than 0, inheritable and ambient", .set = [](D& d, const S& s) { for (const auto& item : s.value.items) made(posture(d).caps.bounding).mask |= 1ULL << static_cast<unsigned>(capability_number(item.text).value_or(0)); }, .merge = Merge::append, .fields = kCapFields},

    {.path = "seccomp", .shape = Shape::table, .doc = "which system calls are allowed: (every allow) minus (every deny)"},
    {.path = "seccomp.allow", .shape = Shape::list, .type = Type::call_or_group, .fallback = "[\"@base\"]", .doc = "groups and names; @base is always there", .set = [](D& d, const S& s) { d.allow = s.value.items; }, .merge = Merge::append},
    {.path = "seccomp.deny", .shape = Shape::list, .type = Type::call_or_group, .fallback = "[]", .doc = "beats every allow, wherever it stands", .set = [](D& d, const S& s) { d.deny = s.value.items; }, .merge = Merge::append},
    {.path = "seccomp.absent", .shape = Shape::list, .type = Type::call, .fallback = "[]", .doc = "answered ENOSYS where not allowed, so that libc takes an older call whose flags a filter can see", .set = [](D& d, const S& s) { d.absent = s.value.items; }, .merge = Merge::append},
    {.path = "seccomp.on-denied", .type = Type::word, .fallback = "\"EPERM\"", .doc = "answer to a known call that is not allowed", .set = [](D& d, const S& s) { made(posture(d).seccomp.access).on_denied = choice<Denial>(s); }, .words = "EPERM|ENOSYS|kill|allow-and-log", .fields = "seccomp.access"},
    {.path = "seccomp.on-unknown", .type = Type::word, .fallback = "\"ENOSYS\"", .doc = "answer to a number newer than guard's table", .set = [](D& d, const S& s) { made(posture(d).seccomp.access).on_unknown = choice<Denial>(s); }, .words = "EPERM|ENOSYS|kill", .fields = "seccomp.access"},
    {.path = "seccomp.log-denied", .type = Type::boolean, .fallback = "false", .doc = "one kernel log line for each denied call", .set = [](D& d, const S& s) { made(posture(d).seccomp.access).log_denied = s.value.flag; }},
    {.path = "seccomp.abis", .shape = Shape::list, .type = Type::word, .fallback = "[\"native\"]", .doc = "system call tables that may be used; every other is killed", .set = [](D& d, const S& s) { auto& abis = made(posture(d).seccomp.access).abis; abis.clear(); for (auto& text : texts_of(s)) abis.insert(text); }, .words = "native|i386|x32", .fields = "seccomp.access/abi"},
    {.path = "seccomp.rule", .shape = Shape::tables, .doc = "a grant or a refusal under a condition", .set = [](D& d, const S& s) { d.rules = s.value.items; }, .merge = Merge::append},
    {.path = "seccomp.rule[].effect", .type = Type::word, .doc = "what the rule does", .words = "allow|deny", .required = true},
    {.path = "seccomp.rule[].syscalls", .shape = Shape::list, .type = Type::call, .doc = "which calls", .required = true},
    {.path = "seccomp.rule[].when", .shape = Shape::tables, .doc = "conditions; all must hold", .required = true},
    {.path = "seccomp.rule[].why", .doc = "one sentence", .required = true},
    {.path = "seccomp.rule[].when[].arg", .type = Type::argument, .doc = "which argument", .required = true},
    {.path = "seccomp.rule[].when[].mask", .type = Type::constant, .doc = "bits of the argument that are looked at; default all"},
    {.path = "seccomp.rule[].when[].in", .shape = Shape::list, .type = Type::constant, .doc = "it is one of these"},
    {.path = "seccomp.rule[].when[].not-in", .shape = Shape::list, .type = Type::constant, .doc = "it is none of these"},
    {.path = "seccomp.rule[].when[].at-least", .type = Type::constant, .doc = "it is this or more"},
    {.path = "seccomp.rule[].when[].at-most", .type = Type::constant, .doc = "it is this or less"},

    {.path = "namespaces", .shape = Shape::table, .doc = "what it has for itself; network and user namespaces are [network] mode and [users] map"},
    {.path = "namespaces.pid", .type = Type::namespace_of, .fallback = "\"new\"", .doc = "processes it can see", .set = set_namespace, .fields = "namespaces/pid"},
    {.path = "namespaces.mount", .type = Type::word, .fallback = "\"new\"", .doc = "file tree; never the host's", .set = set_namespace, .words = "new", .fields = "namespaces/mount"},
    {.path = "namespaces.ipc", .type = Type::namespace_of, .fallback = "\"new\"", .doc = "shared memory and message queues", .set = set_namespace, .fields = "namespaces/ipc"},
    {.path = "namespaces.uts", .type = Type::namespace_of, .fallback = "\"new\"", .doc = "host name", .set = set_namespace, .fields = "namespaces/uts"},
    {.path = "namespaces.cgroup", .type = Type::namespace_of, .fallback = "\"new\"", .doc = "view of its limits", .set = set_namespace, .fields = "namespaces/cgroup"},
    {.path = "namespaces.time", .type = Type::namespace_of, .fallback = "\"host\"", .doc = "clocks: in step with the host; new with time-offset", .set = set_namespace, .fields = "namespaces/time"},
    {.path = "namespaces.time-offset", .shape = Shape::table, .doc = "how far its clocks are from the host's"},
    {.path = "namespaces.time-offset.boottime", .type = Type::offset, .fallback = "\"0s\"", .doc = "CLOCK_BOOTTIME", .set = [](D& d, const S& s) { service(d).boottime_offset = duration_of(s.value); d.asks_time_offset = true; }},
    {.path = "namespaces.time-offset.monotonic", .type = Type::offset, .fallback = "\"0s\"", .doc = "CLOCK_MONOTONIC", .set = [](D& d, const S& s) { service(d).monotonic_offset = duration_of(s.value); d.asks_time_offset = true; }},

    {.path = "users", .shape = Shape::table, .doc = "which ids outside its ids stand for"},
    {.path = "users.map", .type = Type::word, .fallback = "\"auto\"", .doc = "auto: an own range of 65,536 ids, stable over restarts; host; explicit: uid-map and gid-map", .set = [](D& d, const S& s) { service(d).users.map = choice<UserMap>(s); }, .words = "auto|host|explicit", .fields = "users.uid-map|users.gid-map|namespaces/user"},
    {.path = "users.uid-map", .shape = Shape::tables, .doc = "lines of an explicit map of user ids", .set = set_id_map, .merge = Merge::append, .fields = "users.uid-map"},
    {.path = "users.uid-map[].inside", .type = Type::id, .doc = "first id inside", .required = true},
    {.path = "users.uid-map[].outside", .type = Type::id, .doc = "first id outside; never 0", .least = 1, .required = true},
    {.path = "users.uid-map[].count", .type = Type::id, .doc = "how many", .least = 1, .required = true},
    {.path = "users.gid-map", .shape = Shape::tables, .doc = "lines of an explicit map of group ids", .set = set_id_map, .merge = Merge::append, .fields = "users.gid-map"},
    {.path = "users.gid-map[].inside", .type = Type::id, .doc = "first id inside", .required = true},
    {.path = "users.gid-map[].outside", .type = Type::id, .doc = "first id outside; never 0", .least = 1, .required = true},
    {.path = "users.gid-map[].count", .type = Type::id, .doc = "how many", .least = 1, .required = true},

    {.path = "filesystem", .shape = Shape::table, .doc = "the files it sees"},
    {.path = "filesystem.root", .type = Type::path, .fallback = "\"host\"", .doc = "host: /usr read-only and a generated /etc; or the absolute path of a directory, a squashfs or an erofs file", .set = [](D& d, const S& s) { service(d).root = s.value.text; }, .words = "host", .fields = "mounts//"},
    {.path = "filesystem.write", .type = Type::boolean, .fallback = "false", .doc = "whether the root can be written", .set = [](D& d, const S& s) { auto& grants = made(posture(d).mounts)["/"].grants.all; grants.clear(); if (s.value.flag) grants.insert(MountGrant::write); }, .fields = "mounts// write"},
    {.path = "filesystem.devices", .shape = Shape::list, .type = Type::device, .fallback = "[]", .doc = "beyond null zero full random urandom tty ptmx: \"/dev/dri/renderD128:rw\"", .set = [](D& d, const S& s) { grant_texts(posture(d).devices, s); }, .merge = Merge::append, .fields = "devices"},
    {.path = "filesystem.reveal", .shape = Shape::list, .type = Type::kernel_path, .fallback = "[]", .doc = "masked paths under /proc and /sys to be shown again", .set = [](D& d, const S& s) { grant_texts(posture(d).revealed, s); }, .merge = Merge::append, .fields = "mounts.revealed"},
    {.path = "filesystem.mounts", .shape = Shape::map, .type = Type::place, .fallback = "{}", .doc = "one line each, by its place inside", .fields = "mounts/*"},
    {.path = "filesystem.mounts.*", .shape = Shape::table, .doc = "a mount; {data} is the container's own directory outside, {name} its name"},
    {.path = "filesystem.mounts.*.type", .type = Type::word, .doc = "what is mounted; none takes an inherited mount away", .set = [](D& d, const S& s) { mount(d, s).mount.type = s.value.text; }, .words = "bind|tmpfs|overlay|proc|sysfs|devpts|mqueue|cgroup|fuse|nfs|cifs|9p|none"},
    {.path = "filesystem.mounts.*.source", .shape = Shape::one, .type = Type::text, .doc = "bind: the path outside; fuse, nfs, cifs, 9p: as mount(8) takes it", .set = [](D& d, const S& s) { mount(d, s).mount.source = s.value.text; }},
    {.path = "filesystem.mounts.*.write", .type = Type::boolean, .fallback = "false", .doc = "files can be written", .set = set_grant<MountGrant::write>, .fields = "mounts/* write"},
    {.path = "filesystem.mounts.*.exec", .type = Type::boolean, .fallback = "false", .doc = "files can be run", .set = set_grant<MountGrant::exec>, .fields = "mounts/* exec"},
    {.path = "filesystem.mounts.*.suid", .type = Type::boolean, .fallback = "false", .doc = "set-user-id bits count", .set = set_grant<MountGrant::suid>, .fields = "mounts/* suid"},
    {.path = "filesystem.mounts.*.dev", .type = Type::boolean, .fallback = "false", .doc = "device files can be opened", .set = set_grant<MountGrant::dev>, .fields = "mounts/* dev"},
    {.path = "filesystem.mounts.*.recursive", .type = Type::boolean, .fallback = "false", .doc = "bind: with the mounts below the source", .set = [](D& d, const S& s) { mount(d, s).mount.recursive = s.value.flag; }},
    {.path = "filesystem.mounts.*.create", .type = Type::boolean, .fallback = "false", .doc = "bind: makes a missing source", .set = [](D& d, const S& s) { mount(d, s).create = s.value.flag; }},
    {.path = "filesystem.mounts.*.idmap", .type = Type::boolean, .fallback = "true where users.map is not host", .doc = "bind: the host owner of the source appears as `user` inside, and no other id can be written there", .set = [](D& d, const S& s) { mount(d, s).idmap = s.value.flag; }, .fields = "mounts/* idmap"},
    {.path = "filesystem.mounts.*.size", .type = Type::size, .fallback = "\"64MiB\"", .doc = "tmpfs: bytes it may hold", .set = [](D& d, const S& s) { mount(d, s).mount.size.most = bytes_of(s.value); }, .least = 4096, .fields = "mounts/* size"},
    {.path = "filesystem.mounts.*.mode", .type = Type::mode, .fallback = "\"0755\"; \"1777\" at /tmp", .doc = "tmpfs: rights of its top directory", .set = [](D& d, const S& s) { mount(d, s).mount.mode = mode_of(s.value); }},
    {.path = "filesystem.mounts.*.lower", .shape = Shape::list, .type = Type::source, .doc = "overlay: directories below, the first on top", .set = [](D& d, const S& s) { mount(d, s).lower = texts_of(s); }, .merge = Merge::append},
    {.path = "filesystem.mounts.*.upper", .type = Type::source, .doc = "overlay: directory that takes what is written", .set = [](D& d, const S& s) { mount(d, s).upper = s.value.text; }},
    {.path = "filesystem.mounts.*.work", .type = Type::source, .doc = "overlay: empty directory beside upper", .set = [](D& d, const S& s) { mount(d, s).work = s.value.text; }},
    {.path = "filesystem.mounts.*.options", .shape = Shape::list, .doc = "fuse, nfs, cifs, 9p: as mount(8) takes them", .set = [](D& d, const S& s) { mount(d, s).mount.options = texts_of(s); }, .merge = Merge::append},

    {.path = "secrets", .shape = Shape::map, .type = Type::file_name, .fallback = "{}", .doc = "files /run/secrets/KEY, mode 0400, owned by `user`, in memory that is never swapped out"},
    {.path = "secrets.*", .shape = Shape::table, .doc = "where it comes from: one of file, command and credential"},
    {.path = "secrets.*.file", .type = Type::path, .doc = "a file outside", .set = [](D& d, const S& s) { secret(d, s).file = s.value.text; }},
    {.path = "secrets.*.command", .shape = Shape::list, .doc = "a command outside whose output it is", .set = [](D& d, const S& s) { secret(d, s).command = texts_of(s); }},
    {.path = "secrets.*.credential", .type = Type::file_name, .doc = "a credential of systemd", .set = [](D& d, const S& s) { secret(d, s).credential = s.value.text; }},

    {.path = "network", .shape = Shape::table, .doc = "whom it reaches and who reaches it"},
    {.path = "network.mode", .type = Type::network_mode, .fallback = "\"none\"", .doc = "how it is joined to the world", .set = set_network_mode, .words = "none|bridge|host|pasta|macvlan", .fields = "namespaces/network|network.interfaces"},
    {.path = "network.hostname", .type = Type::host_name, .fallback = "the container's name", .doc = "its name, in /etc/hosts too", .set = [](D& d, const S& s) { service(d).network.hostname = s.value.text; posture(d).hostname = Exact<std::string>{s.value.text}; }, .fields = "hostname"},
    {.path = "network.parent", .type = Type::interface, .fallback = "\"eth0\"", .doc = "macvlan: the interface of this machine", .set = [](D& d, const S& s) { service(d).network.parent = s.value.text; }},
    {.path = "network.bridge", .type = Type::interface, .fallback = "\"guard0\"", .doc = "bridge: which one; containers of one bridge reach each other only by `peers`", .set = [](D& d, const S& s) { service(d).network.bridge = s.value.text; }},
    {.path = "network.address", .shape = Shape::list, .type = Type::address, .fallback = "\"auto\"", .doc = "its addresses; auto: chosen, stable over restarts", .set = [](D& d, const S& s) { service(d).network.address = texts_of(s); }, .words = "auto"},
    {.path = "network.ipv6", .type = Type::boolean, .fallback = "true", .doc = "whether it has IPv6", .set = [](D& d, const S& s) { service(d).network.ipv6 = s.value.flag; }},
    {.path = "network.publish", .shape = Shape::list, .type = Type::publish, .fallback = "[]", .doc = "[WHERE:][HOSTPORT:]PORT[/tcp|udp], ranges 1-9; WHERE: localhost (default), lan (the host's private addresses), any, or an address, IPv6 in brackets", .set = set_publish, .merge = Merge::append, .fields = "network.publish|network.listen"},
    {.path = "network.listen", .shape = Shape::list, .type = Type::listen, .fallback = "[]", .doc = "further ports that may listen inside; published ones are meant already", .set = [](D& d, const S& s) { grant_normal(posture(d).network.listen, s, parse_listen); }, .merge = Merge::append, .fields = "network.listen"},
    {.path = "network.egress", .shape = Shape::list, .type = Type::egress, .fallback = "[]", .doc = "TARGET[:PORT][/tcp|udp]; TARGET: dns, internet (nothing private), lan, host, any, a name, an address or a range", .set = [](D& d, const S& s) { grant_normal(posture(d).network.egress, s, parse_egress); }, .merge = Merge::append, .fields = "network.egress"},
    {.path = "network.peers", .shape = Shape::list, .type = Type::peer, .fallback = "[]", .doc = "containers that may connect to this one, and where to: \"portfolio:25565/tcp\"; this grants their side too", .set = [](D& d, const S& s) { grant_normal(posture(d).network.peers, s, parse_peer); }, .merge = Merge::append, .fields = "network.peers"},
    {.path = "network.dns", .shape = Shape::list, .type = Type::address, .fallback = "\"host\"", .doc = "whom to ask for names; asked only where egress holds \"dns\"", .set = [](D& d, const S& s) { service(d).network.dns = texts_of(s); }, .words = "host"},

    {.path = "limits", .shape = Shape::table, .doc = "what it may use; \"none\" must be written to have none"},
    {.path = "limits.memory", .type = Type::size, .fallback = "\"512MiB\"", .doc = "memory", .set = set_limit, .words = "none", .least = 1 << 20, .fields = "limits/memory"},
    {.path = "limits.swap", .type = Type::size, .fallback = "0", .doc = "swap, beyond memory", .set = set_limit, .words = "none", .fields = "limits/swap"},
    {.path = "limits.cpus", .type = Type::cores, .fallback = "1", .doc = "cores, whole or not", .set = set_limit, .words = "none", .fields = "limits/cpus"},
    {.path = "limits.cpu-weight", .type = Type::integer, .fallback = "100", .doc = "share when several want more than there is", .set = set_limit, .least = 1, .most = 10'000, .fields = "limits/cpu-weight"},
    {.path = "limits.cpuset", .type = Type::cpuset, .fallback = "every core", .doc = "cores it may run on", .set = [](D& d, const S& s) { posture(d).cpuset = Grants<std::uint32_t>{cores_of(s.value)}; }, .fields = "limits.cpuset"},
    {.path = "limits.pids", .type = Type::integer, .fallback = "128", .doc = "processes and threads", .set = set_limit, .words = "none", .least = 1, .most = 4'194'304, .fields = "limits/pids"},
    {.path = "limits.io-weight", .type = Type::integer, .fallback = "the host's", .doc = "share of the disks", .set = set_limit, .least = 1, .most = 10'000, .fields = "limits/io-weight"},
    {.path = "limits.io-max", .shape = Shape::map, .type = Type::block_device, .fallback = "{}", .doc = "bytes a second, by disk"},
    {.path = "limits.io-max.*", .shape = Shape::table, .doc = "a disk"},
    {.path = "limits.io-max.*.read", .type = Type::size, .doc = "read a second", .set = set_limit, .words = "none", .least = 4096, .fields = "limits/io-max * read"},
    {.path = "limits.io-max.*.write", .type = Type::size, .doc = "written a second", .set = set_limit, .words = "none", .least = 4096, .fields = "limits/io-max * write"},
    {.path = "limits.oom-score-adj", .type = Type::integer, .fallback = "0", .doc = "above 0: goes before the host's own programs when memory ends", .set = [](D& d, const S& s) { posture(d).oom_score_adj = Floor<int>{static_cast<int>(s.value.integer)}; }, .least = -1000, .most = 1000, .fields = "limits.oom-score-adj"},

    {.path = "landlock", .shape = Shape::table, .doc = "file rules beside the mounts: derived from mounts, executables and network"},
    {.path = "landlock.enabled", .type = Type::boolean, .fallback = "true", .doc = "whether they are applied", .set = [](D& d, const S& s) { service(d).landlock = s.value.flag; posture(d).landlock.domain = s.value.flag ? Lock::held : Lock::open; }, .fields = "landlock.domain"},
    {.path = "landlock.read", .shape = Shape::list, .type = Type::path, .fallback = "[]", .doc = "further paths that can be read", .set = [](D& d, const S& s) { grant_texts(posture(d).landlock.read, s); }, .merge = Merge::append, .fields = "landlock.read"},
    {.path = "landlock.write", .shape = Shape::list, .type = Type::path, .fallback = "[]", .doc = "further paths that can be written", .set = [](D& d, const S& s) { grant_texts(posture(d).landlock.write, s); }, .merge = Merge::append, .fields = "landlock.write"},
    {.path = "landlock.execute", .shape = Shape::list, .type = Type::path, .fallback = "[]", .doc = "further paths that can be run", .set = [](D& d, const S& s) { grant_texts(posture(d).landlock.execute, s); }, .merge = Merge::append, .fields = "landlock.execute"},

    {.path = "waiver", .shape = Shape::tables, .doc = "a finding that is accepted, by audit, check and review alike", .set = [](D& d, const S& s) { for (const auto& item : s.value.items) d.profile.waivers.push_back(waiver_of(item)); }, .merge = Merge::append},
    {.path = "waiver[].finding", .type = Type::finding, .doc = "id of the finding", .required = true},
    {.path = "waiver[].what", .doc = "the mount, call, capability or key it is about; without it the finding must be unique"},
    {.path = "waiver[].reason", .doc = "why it is accepted", .required = true},
    {.path = "waiver[].owner", .doc = "who answers for it", .required = true},
    {.path = "waiver[].expires", .type = Type::date, .doc = "last day it counts, 2027-06-30; \"never\" only for medium and below", .words = "never", .required = true},
});

constexpr auto kGroup = std::to_array<Key>({
    {.path = "guard", .type = Type::integer, .doc = "version of the profile language", .least = 1, .most = 1, .required = true},
    {.path = "description", .doc = "one line for people", .required = true},
    {.path = "includes", .shape = Shape::list, .type = Type::group, .fallback = "[]", .doc = "groups that are part of this one"},
    {.path = "syscalls", .shape = Shape::map, .type = Type::call, .fallback = "{}", .doc = "calls allowed with any arguments, each with its reason"},
    {.path = "syscalls.*", .doc = "why"},
    {.path = "absent", .shape = Shape::list, .type = Type::call, .fallback = "[]", .doc = "answered ENOSYS where not allowed, so that libc takes an older call"},
    {.path = "rule", .shape = Shape::tables, .doc = "calls allowed under a condition"},
    {.path = "rule[].syscalls", .shape = Shape::list, .type = Type::call, .doc = "which calls", .required = true},
    {.path = "rule[].when", .shape = Shape::tables, .doc = "conditions; all must hold", .required = true},
    {.path = "rule[].why", .doc = "one sentence", .required = true},
    {.path = "rule[].when[].arg", .type = Type::argument, .doc = "which argument", .required = true},
    {.path = "rule[].when[].mask", .type = Type::constant, .doc = "bits of the argument that are looked at; default all"},
    {.path = "rule[].when[].in", .shape = Shape::list, .type = Type::constant, .doc = "it is one of these"},
    {.path = "rule[].when[].not-in", .shape = Shape::list, .type = Type::constant, .doc = "it is none of these"},
    {.path = "rule[].when[].at-least", .type = Type::constant, .doc = "it is this or more"},
    {.path = "rule[].when[].at-most", .type = Type::constant, .doc = "it is this or less"},
});
// clang-format on

}  // namespace

std::vector<std::string> texts_of(const Setting& setting) {
    std::vector<std::string> texts;
    for (const auto& item : setting.value.items) texts.push_back(item.text);
    return texts;
}

std::span<const Key> profile_keys() { return kTop; }
std::span<const Key> group_keys() { return kGroup; }

}  // namespace guard::policies
