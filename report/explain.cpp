#include "report/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/units.h"
#include "posture/compare.h"
#include "posture/words.h"
#include "report/finding_words.h"
#include "report/grants_in_words.h"
#include "report/layout.h"

namespace guard::report {
namespace {

constexpr auto kSections = std::to_array<std::string_view>(
    {"process", "service", "health", "capabilities", "seccomp", "namespaces", "users", "filesystem",
     "secrets", "network", "limits", "landlock", "waiver"});

// Collects what is said about one profile.
struct Page {
    const Profile* profile;
    Detail detail;
    std::vector<Statement> statements;

    void say(std::string key, std::string text, unsigned depth = 1) {
        auto where = origin_of(profile->origins, key);
        statements.push_back({std::move(key), std::move(text), std::move(where), depth});
    }
};

std::string quoted(std::span<const std::string> words) {
    std::string text;
    for (const auto& word : words) {
        const bool plain = !word.empty() && word.find_first_of(" \t\"'$;|&<>()*?") == std::string::npos;
        text += (text.empty() ? "" : " ") + (plain ? word : fmt::format("'{}'", word));
    }
    return printable(text);
}

std::string signal_in_words(int signal) {
    const auto* const name = ::sigabbrev_np(signal);
    return name == nullptr ? fmt::format("signal {}", signal) : fmt::format("SIG{}", name);
}

void say_process(Page& page) {
    const auto& service = page.profile->service;
    page.say("process.command", service.command.empty()
                                    ? "no command: can only be extended, or launched with -- CMD"
                                    : "runs " + quoted(service.command));
    page.say("process.user", fmt::format("as the user {}", printable(service.users.name)));
    page.say("process.workdir", "in " + printable(service.workdir));
    for (const auto& [name, value] : service.env)
        page.say("process.env." + name, printable(fmt::format("with {}={}", name, value)));
    for (const auto& name : service.env_pass)
        page.say("process.env-pass/" + name, printable(fmt::format("with the caller's {}", name)));
    page.say("process.stdin",
             service.stdin_mode == Stdin::keep ? "its input stays open for guard attach" : "no input");
}

void say_service(Page& page) {
    const auto& service = page.profile->service;
    constexpr std::array<std::string_view, 3> kRestarts{
        "not started again when it ends", "started again when it fails", "started again whenever it ends"};
    std::string restart(kRestarts.at(static_cast<std::size_t>(service.restart)));
    if (service.restart != Restart::no)
        restart += fmt::format(", first after {}, at most {} times an hour",
                               format_duration(service.restart_delay), service.restart_limit);
    page.say("service.restart", restart);
    if (!service.stop_command.empty())
        page.say("service.stop-command", "before it is stopped: " + quoted(service.stop_command));
    page.say("service.stop-signal",
             fmt::format("stopped by {}, killed {} later", signal_in_words(service.stop_signal),
                         format_duration(service.stop_timeout)));
    for (const auto& name : service.depends)
        page.say("service.depends/" + name, fmt::format("started after {}, stopped before it", name));
    page.say("service.log", fmt::format("log: {} and {} older ones, {} each", "one file", service.log_keep,
                                        format_size(service.log_size)));
    for (const auto& feature : service.optional)
        page.say("optional/" + feature, fmt::format("starts also where this machine has no {}", feature));
}

std::string asked(const Health& health) {
    switch (health.check) {
        case HealthCheck::none: return "nobody asks whether it answers";
        case HealthCheck::tcp: return fmt::format("asked whether port {} takes a connection", health.port);
        case HealthCheck::http: return fmt::format("asked for {}", printable(health.url));
        case HealthCheck::minecraft:
            return fmt::format("asked at port {} for what a player's server list shows", health.port);
        case HealthCheck::command: return "asked by " + quoted(health.command);
    }
    return {};
}

void say_health(Page& page) {
    const auto& health = page.profile->service.health;
    page.say("health.check", asked(health));
    if (health.check == HealthCheck::none) return;
    constexpr std::array<std::string_view, 3> kActions{"started anew", "stopped", "reported"};
    page.say("health.interval", fmt::format("every {}, waiting {} for an answer; the first one may take {}",
                                            format_duration(health.interval), format_duration(health.timeout),
                                            format_duration(health.start_period)));
    page.say("health.on-failure", fmt::format("{} without an answer: {}", counted(health.failures, "time"),
                                              kActions.at(static_cast<std::size_t>(health.on_failure))));
}

// Where a group file or a profile allows system calls: calls by the condition under which they are allowed.
using ByCondition = std::map<std::string, std::vector<std::string>>;

// The group that a profile names at this place, or a file of a group; else the calls are named one by one.
std::string source_name(const Origins& origins, const Where& where) {
    constexpr std::string_view kList = "seccomp.allow/@";
    for (auto row = origins.lower_bound(std::string(kList));
         row != origins.end() && row->first.starts_with(kList); ++row)
        if (row->second == where) return row->first.substr(kList.size() - 1);
    const auto folder = where.file.rfind("groups/");
    if (folder == std::string::npos || !where.file.ends_with(".toml")) return "by name";
    const auto begin = folder + std::strlen("groups/");
    return "@" + where.file.substr(begin, where.file.size() - begin - std::strlen(".toml"));
}

void say_calls(Page& page, const std::string& key, const std::string& source, const ByCondition& calls) {
    for (const auto& [condition, names] : calls) {
        const bool always = condition.empty();
        auto text = fmt::format("{}: {}", source, counted(names.size(), "call"));
        if (!always || page.detail == Detail::all || source == "by name")
            text = fmt::format("{}: {}", source, listed(names));
        if (!always) text += ", where " + condition;
        page.say(key + "/" + names.front(), text);
    }
}

void say_seccomp(Page& page, std::span<const Change> changes) {
    std::map<std::string, ByCondition> sources;
    for (const auto& change : changes) {
        if (change.field != "seccomp.access" || change.to.empty()) continue;
        const auto where = origin_of(page.profile->origins, key_of(change));
        sources[source_name(page.profile->origins, where)][change.to == "always" ? "" : change.to].push_back(
            change.item);
    }
    for (const auto& [source, calls] : sources) say_calls(page, "seccomp.allow", source, calls);
    const auto* const rules = value_of(page.profile->posture.seccomp.access);
    if (rules == nullptr) return;
    const std::vector<std::string> absent(rules->absent.begin(), rules->absent.end());
    if (!absent.empty())
        page.say("seccomp.absent",
                 fmt::format("answered as if this kernel had no such call: {}", listed(absent)));
    page.say("seccomp.on-denied", fmt::format("every other call: {}{}", in_words(rules->on_denied),
                                              rules->log_denied ? ", with a line in the kernel's log" : ""));
    page.say("seccomp.on-unknown", fmt::format("a call newer than guard: {}", in_words(rules->on_unknown)));
    const std::vector<std::string> abis(rules->abis.begin(), rules->abis.end());
    page.say("seccomp.abis", fmt::format("calls by another ABI than {}: end the process", listed(abis)));
}

void say_secrets(Page& page) {
    for (const auto& [name, secret] : page.profile->service.secrets) {
        const auto from = !secret.file.empty()      ? secret.file
                          : !secret.command.empty() ? "the command " + quoted(secret.command)
                                                    : "the credential " + secret.credential;
        page.say("secrets." + name, printable(fmt::format("/run/secrets/{} from {}", name, from)));
    }
}

void say_network(Page& page) {
    const auto& setup = page.profile->service.network;
    constexpr std::array<std::string_view, 6> kModes{
        "no network but its own localhost",
        "own network, joined to this machine by a bridge",
        "this machine's network, with everything that listens on localhost",
        "the network of the container ",
        "own network, joined to this machine without root (pasta)",
        "own network, a neighbour of this machine on ",
    };
    std::string text(kModes.at(static_cast<std::size_t>(setup.mode)));
    if (setup.mode == NetworkMode::container) text += setup.container;
    if (setup.mode == NetworkMode::macvlan) text += setup.parent;
    page.say("network.mode", text);
}

// Limits are said whether or not they differ from what an empty profile has: each is a promise.
void say_limits(Page& page) {
    const auto* const limits = value_of(page.profile->posture.limits);
    const auto* const words = words_of("limits");
    if (limits == nullptr) return;
    const auto empty = nothing_granted();
    for (const auto& [item, bound] : *limits) {
        Change change{"limits", item, Shift::same, "", bound_in_words(item, bound.most)};
        page.say(key_of(change), words->say(change, page.profile->posture));
        const auto* const before = value_of(empty.limits);
        if (const auto row = before->find(item); row != before->end() && row->second != bound)
            page.statements.push_back({key_of(change),
                                       "without this line: " + bound_in_words(item, row->second.most),
                                       Where{"built in", 0, 0}, 2});
    }
}

void say_waivers(Page& page) {
    for (const auto& waiver : page.profile->waivers)
        page.statements.push_back(
            {"waiver",
             fmt::format("{}{} is accepted {}", waiver.finding,
                         waiver.what.empty() ? "" : " at " + waiver.what, waiver_in_words(waiver)),
             waiver.where, 1});
}

// Changes that say what another already says: the four further capability sets, what a namespace line tells,
// and fields that have a speaker of their own above.
bool is_said_elsewhere(const Change& change, std::span<const Change> all) {
    if (change.field == "seccomp.access" || change.field == "limits") return true;
    if (change.field == "program.write-exec") return true;
    if (change.field == "network.interfaces" || key_of(change) == "network.mode") return true;
    const bool in_set = change.field.starts_with("caps.") && change.field != "caps.effective";
    return in_set && std::ranges::any_of(all, [&change](const Change& other) {
               return other.field == "caps.effective" && other.item == change.item;
           });
}

void say_changes(Page& page, std::span<const Change> changes) {
    for (const auto& change : changes) {
        const auto* const words = words_of(change.field);
        if (words == nullptr || is_said_elsewhere(change, changes)) continue;
        page.say(key_of(change), printable(words->say(change, page.profile->posture)));
    }
}

// What is true of a section in which nothing was granted.
struct ClosedRow {
    std::string_view key, text;
};
constexpr auto kClosed = std::to_array<ClosedRow>({
    {"capabilities.allow", "no right of the administrator (no capability), in none of the five sets"},
    {"namespaces", "sees its own processes, files, users, shared memory, host name and limits only"},
    {"users.map", "own user ids; none of them is one of this machine's users"},
    {"filesystem.devices", "no device but null, zero, full, random, urandom, tty and ptmx"},
    {"network.publish", "nobody outside may connect"},
    {"network.egress", "may not connect to anything of its own accord"},
    {"network.peers", "other containers: none may connect"},
    {"landlock.enabled", "file rules (Landlock) made from its mounts hold it besides"},
});

bool is_under(const std::string& key, std::string_view path) {
    return key == path || (key.starts_with(path) && (key[path.size()] == '.' || key[path.size()] == '/'));
}

void say_closed(Page& page) {
    const bool has_network = page.profile->service.network.mode != NetworkMode::none;
    for (const auto& [key, text] : kClosed) {
        const auto said = [&key](const Statement& one) { return is_under(one.key, key); };
        if (std::ranges::any_of(page.statements, said)) continue;
        if (has_network || !key.starts_with("network.")) page.say(std::string(key), std::string(text));
    }
}

std::size_t section_of(const std::string& key) {
    const auto name = key.substr(0, key.find_first_of("./"));
    const auto* const row = std::ranges::find(kSections, name);
    return row == kSections.end() ? 1
                                  : static_cast<std::size_t>(row - kSections.begin());  // "optional": service
}

bool is_picked(const Statement& statement, std::span<const std::string> sections) {
    return sections.empty() || std::ranges::any_of(sections, [&](const auto& section) {
               return is_under(statement.key, section) || section == kSections.at(section_of(statement.key));
           });
}

std::string line_of(const Statement& statement, std::size_t width) {
    const auto indent = statement.depth * 2;
    const auto lines = wrap(statement.text, width - indent - 2);
    auto text = fmt::format("{}{}\n", padded(std::string(indent, ' ') + lines.front(), width),
                            where_in_words(statement.where));
    for (std::size_t i = 1; i < lines.size(); ++i) text += std::string(indent + 2, ' ') + lines[i] + "\n";
    return text;
}

}  // namespace

std::span<const std::string_view> explain_sections() { return kSections; }

std::vector<Statement> statements_of(const Profile& profile, Detail detail) {
    Page page{&profile, detail, {}};
    const auto changes = compare(nothing_granted(), profile.posture);
    for (const auto say :
         {say_process, say_service, say_health, say_secrets, say_network, say_limits, say_waivers})
        say(page);
    say_seccomp(page, changes);
    say_changes(page, changes);
    say_closed(page);
    std::ranges::stable_sort(page.statements, {}, [](const auto& one) { return section_of(one.key); });
    return std::move(page.statements);
}

std::string explain_text(const Profile& profile, std::span<const std::string> sections, Detail detail) {
    constexpr std::size_t kLeastPlace = 20;
    auto statements = statements_of(profile, detail);
    std::erase_if(statements, [&sections](const auto& one) { return !is_picked(one, sections); });
    auto place = kLeastPlace;
    for (const auto& one : statements) place = std::max(place, width_of(where_in_words(one.where)));
    const auto width = kPageWidth - std::min(place, kPageWidth / 2);
    std::string text;
    auto last = kSections.size();
    for (const auto& one : statements) {
        const auto section = section_of(one.key);
        if (section != last)
            text += text.empty() ? padded(kSections.at(section), width) + "FROM\n"
                                 : std::string(kSections.at(section)) + "\n";
        last = section;
        text += line_of(one, width);
    }
    return text;
}

std::string explain_json(const Profile& profile, std::span<const std::string> sections) {
    using Json = nlohmann::ordered_json;
    auto list = Json::array();
    for (const auto& one : statements_of(profile, Detail::all))
        if (is_picked(one, sections))
            list.push_back(
                {{"key", one.key},
                 {"text", one.text},
                 {"where",
                  {{"file", one.where.file}, {"line", one.where.line}, {"column", one.where.column}}}});
    const Json all{{"guard", 1}, {"profile", profile.name}, {"statements", list}};
    return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

bool explains(const Profile& profile, const std::string& section) {
    const auto statements = statements_of(profile, Detail::brief);
    const std::vector sections{section};
    return std::ranges::find(kSections, section) != kSections.end() ||
           std::ranges::any_of(statements, [&](const auto& one) { return is_picked(one, sections); });
}

}  // namespace guard::report
