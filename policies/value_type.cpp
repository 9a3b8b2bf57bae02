#include "policies/value_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <cstring>

#include "base/ip_address.h"
#include "base/split.h"
#include "base/units.h"
#include "policies/nearest.h"
#include "policies/reach.h"
#include "posture/checks.h"
#include "posture/limit.h"
#include "posture/syscalls.h"

namespace guard::policies {
namespace {

using Faulty = std::optional<Fault>;

constexpr std::uint32_t kMostId = 4'294'967'294;  // the last one means "no id"
constexpr std::uint32_t kNamedUser = 999;
constexpr std::uint32_t kMostCore = 1023;

Fault not_a(const Value& value, std::string_view what, std::string note) {
    return {fmt::format("`{}` is not {}", value.kind == Kind::text ? value.text : written(value), what),
            std::move(note)};
}
Fault from_error(const Error& error) {
    return {fmt::format("`{}` {}", error.attempt, error.reason), error.fix};
}
template <class T>
Faulty from_result(const Result<T>& result) {
    if (result) return std::nullopt;
    return from_error(result.error());
}

bool bare_path_part(std::string_view part) { return !part.empty() && part != "." && part != ".."; }

// Absolute and in its one plain spelling, so that two lines about one place can't look like two places.
bool is_plain_path(std::string_view path) {
    if (path == "/") return true;
    if (!path.starts_with('/') || path.ends_with('/') || path.size() >= 4096) return false;
    const auto parts = split(path.substr(1), '/');
    return std::ranges::all_of(parts, bare_path_part);
}
constexpr std::string_view kPathNote = "want an absolute path without `.`, `..`, `//` or a / at its end";

bool of_letters(std::string_view text, std::string_view more) {
    return std::ranges::all_of(text, [more](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               more.find(c) != std::string_view::npos;
    });
}

Faulty any_text(const Value&, const Key&) { return std::nullopt; }

Faulty check_word(const Value& value, const Key& key) {
    const auto words = words_in(key.words);
    return Fault{fmt::format("`{}` is none of the words for {}", value.text, key_name(key)),
                 did_you_mean(value.text, words, fmt::format("one of {}", fmt::join(words, ", ")))};
}

Faulty check_integer(const Value& value, const Key& key) {
    if (value.integer >= key.least && value.integer <= key.most) return std::nullopt;
    if (key.most == std::numeric_limits<std::int64_t>::max())
        return Fault{fmt::format("{} is too small for {}", value.integer, key_name(key)),
                     fmt::format("want at least {}", key.least)};
    return Fault{fmt::format("{} is out of range for {}", value.integer, key_name(key)),
                 key.least == key.most ? fmt::format("this guard knows {}", key.least)
                                       : fmt::format("want {} to {}", key.least, key.most)};
}

Faulty check_cores(const Value& value, const Key&) {
    const double cores = value.kind == Kind::real ? value.real : static_cast<double>(value.integer);
    if (std::isfinite(cores) && cores >= kLeastCores && cores <= kMostCores) return std::nullopt;
    return not_a(value, "a number of cores", fmt::format("want {} to {}", kLeastCores, kMostCores));
}

Faulty check_size(const Value& value, const Key& key) {
    if (value.kind == Kind::text)
        if (auto size = parse_size(value.text); !size) return from_error(size.error());
    if (value.kind == Kind::integer && value.integer < 0)
        return not_a(value, "a size", "a size is not negative");
    const auto bytes = bytes_of(value);
    if (bytes < static_cast<std::uint64_t>(key.least))
        return Fault{fmt::format("{} is too little for {}", format_size(bytes), key_name(key)),
                     fmt::format("want at least {}", format_size(static_cast<std::uint64_t>(key.least)))};
    return std::nullopt;
}

Faulty check_duration(const Value& value, const Key& key) {
    const auto duration = parse_duration(value.text);
    if (!duration) return from_error(duration.error());
    if (duration->count() >= key.least && duration->count() <= key.most) return std::nullopt;
    return Fault{fmt::format("`{}` is out of range for {}", value.text, key_name(key)),
                 fmt::format("want {} to {}", format_duration(milliseconds(key.least)),
                             format_duration(milliseconds(key.most)))};
}

Faulty check_offset(const Value& value, const Key&) {
    std::string_view text = value.text;
    if (text.starts_with('-')) text.remove_prefix(1);
    return from_result(parse_duration(text));
}

Faulty check_mode(const Value& value, const Key&) {
    const auto& text = value.text;
    const bool octal =
        text.size() >= 3 && text.size() <= 4 && text.find_first_not_of("01234567") == std::string::npos;
    if (octal && (text.size() == 3 || text[0] == '0' || text[0] == '1')) return std::nullopt;
    return not_a(value, "a file mode", "want three octal digits, as in \"0755\" or \"1777\"");
}

Faulty check_date(const Value& value, const Key&) {
    if (value.kind == Kind::date) return std::nullopt;
    return not_a(value, "a date", "write a date without quotes, 2027-06-30, or \"never\"");
}

Faulty check_path(const Value& value, const Key&) {
    if (is_plain_path(value.text)) return std::nullopt;
    return not_a(value, "a path", std::string(kPathNote));
}

// Outside; {data} and {name} are filled in at a launch.
Faulty check_source(const Value& value, const Key&) {
    std::string path = value.text;
    if (path.starts_with("{data}")) path.replace(0, 6, "/data");
    for (auto at = path.find("{name}"); at != std::string::npos; at = path.find("{name}"))
        path.replace(at, 6, "name");
    if (is_plain_path(path) && path.find_first_of("{}") == std::string::npos) return std::nullopt;
    return not_a(value, "a path outside", fmt::format("{}; or one that begins with {{data}}", kPathNote));
}

Faulty check_place(const Value& value, const Key&) {
    if (value.text == "/")
        return Fault{"the root is no mount of its own", "it is [filesystem] root and write"};
    if (is_plain_path(value.text)) return std::nullopt;
    return not_a(value, "a place inside", std::string(kPathNote));
}

Faulty check_file_name(const Value& value, const Key&) {
    const bool fits = !value.text.empty() && value.text.size() <= 255 && value.text.front() != '.' &&
                      of_letters(value.text, "._-");
    if (fits) return std::nullopt;
    return not_a(value, "a file name", "want letters, digits, `.`, `_` and `-`, not beginning with `.`");
}

Faulty check_kernel_path(const Value& value, const Key&) {
    const bool below = value.text.starts_with("/proc/") || value.text.starts_with("/sys/");
    if (below && is_plain_path(value.text)) return std::nullopt;
    return not_a(value, "a path under /proc or /sys", std::string(kPathNote));
}

Faulty check_device(const Value& value, const Key&) {
    const auto colon = value.text.rfind(':');
    const auto path = value.text.substr(0, colon);
    const auto access = colon == std::string::npos ? "" : value.text.substr(colon + 1);
    const bool known = access == "r" || access == "w" || access == "rw";
    if (known && path.starts_with("/dev/") && is_plain_path(path)) return std::nullopt;
    return not_a(value, "a device and what may be done with it",
                 "want PATH:r, :w or :rw, as in \"/dev/dri/renderD128:rw\"");
}

Faulty check_block_device(const Value& value, const Key&) {
    if (value.text.starts_with("/dev/") && is_plain_path(value.text)) return std::nullopt;
    return not_a(value, "a disk", "want its path under /dev, as in \"/dev/sda\"");
}

Faulty check_user(const Value& value, const Key&) { return from_result(parse_user(value.text)); }

Faulty check_id(const Value& value, const Key& key) {
    if (value.integer >= key.least && value.integer <= std::int64_t{kMostId}) return std::nullopt;
    return not_a(value, "an id", fmt::format("want {} to {}", key.least, kMostId));
}

Faulty check_container(const Value& value, const Key&) {
    if (is_container_name(value.text)) return std::nullopt;
    return not_a(value, "a container's name", "want a-z, 0-9 and `-`, at most 63, not beginning with `-`");
}

Faulty check_host_name(const Value& value, const Key&) {
    const bool fits = !value.text.empty() && value.text.size() <= 64 && of_letters(value.text, ".-") &&
                      value.text.front() != '-' && value.text.front() != '.';
    if (fits) return std::nullopt;
    return not_a(value, "a host name", "want letters, digits, `-` and `.`, at most 64");
}

Faulty check_interface(const Value& value, const Key&) {
    const bool fits = !value.text.empty() && value.text.size() <= 15 && of_letters(value.text, "._-") &&
                      value.text != "." && value.text != "..";
    if (fits) return std::nullopt;
    return not_a(value, "an interface", "want at most 15 letters, digits, `.`, `_` and `-`");
}

Faulty check_address(const Value& value, const Key&) {
    if (parse_address(value.text)) return std::nullopt;
    return not_a(value, "an address", "want IPv4 or IPv6, as in \"10.88.0.7\" or \"fd00:88::7\"");
}

Faulty check_environment_name(const Value& value, const Key&) {
    const bool digit_first = !value.text.empty() && value.text[0] >= '0' && value.text[0] <= '9';
    if (!value.text.empty() && !digit_first && of_letters(value.text, "_")) return std::nullopt;
    return not_a(value, "a name of an environment variable", "want letters, digits and `_`");
}

template <class Rows, class Member>
std::vector<std::string_view> names_of(const Rows& rows, Member member) {
    std::vector<std::string_view> names;
    for (const auto& row : rows) names.push_back(row.*member);
    return names;
}

Faulty unknown_word(std::string_view what, const std::string& word,
                    const std::vector<std::string_view>& known, std::string otherwise = "") {
    if (std::ranges::find(known, word) != known.end()) return std::nullopt;
    return Fault{fmt::format("unknown {} `{}`", what, word), did_you_mean(word, known, std::move(otherwise))};
}

Faulty check_rlimit_name(const Value& value, const Key&) {
    return unknown_word("limit", value.text, names_of(kRlimits, &RlimitRow::name));
}
Faulty check_rlimit(const Value& value, const Key&) { return from_result(parse_rlimit(value)); }

const std::vector<std::string>& signal_names() {
    static const auto names = [] {
        std::vector<std::string> made;
        for (int number = 1; number < SIGRTMIN; ++number)
            if (const auto* short_name = sigabbrev_np(number))
                made.push_back(fmt::format("SIG{}", short_name));
        return made;
    }();
    return names;
}

Faulty check_signal(const Value& value, const Key&) {
    const auto& names = signal_names();
    return unknown_word("signal", value.text, {names.begin(), names.end()}, "as in \"SIGTERM\"");
}

Faulty check_capability(const Value& value, const Key&) {
    return unknown_word("capability", value.text, names_of(kCapabilities, &CapabilityRow::name),
                        "as in \"CAP_NET_BIND_SERVICE\"; capabilities(7) has all");
}

Faulty check_call(const Value& value, const Key&) {
    static const auto names = names_of(syscalls(), &SyscallRow::name);
    if (find_syscall(value.text) != nullptr) return std::nullopt;
    return unknown_word("system call", value.text, names);
}

bool is_group_name(std::string_view text) {
    return text.size() > 1 && text.size() <= 64 && text.front() == '@' &&
           std::ranges::all_of(text.substr(1), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}
Faulty check_group(const Value& value, const Key&) {
    if (is_group_name(value.text)) return std::nullopt;
    return not_a(value, "a group", "want @ and a-z, 0-9, `-`, as in \"@net-server\"");
}
Faulty check_call_or_group(const Value& value, const Key& key) {
    return value.text.starts_with('@') ? check_group(value, key) : check_call(value, key);
}

Faulty check_argument(const Value& value, const Key&) {
    if (value.kind == Kind::integer && value.integer >= 0 && value.integer <= 5) return std::nullopt;
    if (value.kind == Kind::text && !value.text.empty() && of_letters(value.text, "_")) return std::nullopt;
    return not_a(value, "an argument", "want its name as in the manual, or 0 to 5");
}

Faulty check_constant(const Value& value, const Key&) {
    if (value.kind == Kind::integer || (!value.text.empty() && of_letters(value.text, "_| -")))
        return std::nullopt;
    return not_a(value, "a number or constants", "constants are joined by |: \"CLONE_NEWUSER|CLONE_NEWNS\"");
}

Faulty check_namespace(const Value& value, const Key&) { return from_result(parse_relation(value.text)); }

Faulty check_network_mode(const Value& value, const Key& key) {
    constexpr std::string_view kJoin = "container:";
    if (value.text.starts_with(kJoin) && is_container_name(value.text.substr(kJoin.size())))
        return std::nullopt;
    return check_word(value, key);
}

Faulty check_publish(const Value& value, const Key&) { return from_result(parse_publish(value.text)); }
Faulty check_listen(const Value& value, const Key&) { return from_result(parse_listen(value.text)); }
Faulty check_egress(const Value& value, const Key&) { return from_result(parse_egress(value.text)); }
Faulty check_peer(const Value& value, const Key&) { return from_result(parse_peer(value.text)); }

std::optional<std::set<std::uint32_t>> parse_cores(std::string_view text) {
    std::set<std::uint32_t> cores;
    if (text.empty() || text.ends_with(',')) return std::nullopt;
    for (const auto part : split(text, ',')) {
        const auto dash = part.find('-');
        const auto first = number_of<std::uint32_t>(part.substr(0, dash));
        const auto last =
            dash == std::string_view::npos ? first : number_of<std::uint32_t>(part.substr(dash + 1));
        if (!first || !last || *last < *first || *last > kMostCore) return std::nullopt;
        for (auto core = *first; core <= *last; ++core) cores.insert(core);
    }
    return cores;
}
Faulty check_cpuset(const Value& value, const Key&) {
    if (parse_cores(value.text)) return std::nullopt;
    return not_a(value, "a list of cores", "want \"0-1\" or \"0,2\"");
}

Faulty check_url(const Value& value, const Key&) {
    const bool scheme = value.text.starts_with("http://") || value.text.starts_with("https://");
    const bool plain = std::ranges::all_of(value.text, [](char c) { return c > ' ' && c < 0x7F; });
    if (scheme && plain && value.text.find("://") + 3 < value.text.size()) return std::nullopt;
    return not_a(value, "an address to ask", "want \"http://localhost:8080/\" or https");
}

Faulty check_feature(const Value& value, const Key& key) {
    return unknown_word("feature", value.text, words_in(key.words),
                        fmt::format("one of {}", fmt::join(words_in(key.words), ", ")));
}

Faulty check_finding(const Value& value, const Key&) {
    if (find_check(value.text) != nullptr) return std::nullopt;
    return unknown_word("finding", value.text, check_ids(),
                        "ids stand at the end of each finding: \"mounts\"");
}

struct TypeRow {
    Type type;
    TypeInfo info;
    Faulty (*check)(const Value&, const Key&);
};
// Without "." and ".." as parts, without look-ahead, which not every reader of a schema knows.
constexpr std::string_view kPath = R"(^(/|(/([^/.][^/]*|\.[^/.][^/]*|\.\.[^/]+))+)$)";
constexpr std::string_view kPlace = R"(^(/([^/.][^/]*|\.[^/.][^/]*|\.\.[^/]+))+$)";
constexpr auto kValueTypes = std::to_array<TypeRow>({
    {Type::text, {"text", "string", ""}, any_text},
    {Type::word, {"one of its words", "string", ""}, check_word},
    {Type::boolean, {"true or false", "boolean", ""}, any_text},
    {Type::integer, {"a whole number", "integer", ""}, check_integer},
    {Type::cores, {"a number of cores", "integer|number", ""}, check_cores},
    {Type::size,
     {"a size as \"64MiB\", or a number of bytes", "string|integer", "^[0-9]+(B|KiB|MiB|GiB|TiB)$"},
     check_size},
    {Type::duration, {"a duration as \"10s\"", "string", "^[0-9]+(ms|s|min|h|d)$"}, check_duration},
    {Type::offset, {"a duration as \"10s\" or \"-1h\"", "string", "^-?[0-9]+(ms|s|min|h|d)$"}, check_offset},
    {Type::mode, {"octal digits in quotes, as \"0027\"", "string", "^[01]?[0-7]{3}$"}, check_mode},
    {Type::date,
     {"a date as 2027-06-30, without quotes", "string|date", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
     check_date},
    {Type::path, {"an absolute path", "string", kPath}, check_path},
    {Type::source, {"a path outside", "string", "^(/|\\{data\\})"}, check_source},
    {Type::place, {"an absolute path inside", "string", kPlace}, check_place},
    {Type::file_name, {"a file name", "string", "^[A-Za-z0-9_-][A-Za-z0-9._-]*$"}, check_file_name},
    {Type::kernel_path, {"a path under /proc or /sys", "string", "^/(proc|sys)/"}, check_kernel_path},
    {Type::device, {"a device as \"/dev/dri/renderD128:rw\"", "string", "^/dev/.+:(r|w|rw)$"}, check_device},
    {Type::block_device, {"a disk as \"/dev/sda\"", "string", "^/dev/"}, check_block_device},
    {Type::user,
     {"a name, \"id\" or \"id:gid\"", "string", "^([a-z_][a-z0-9_-]{0,31}|[0-9]+(:[0-9]+)?)$"},
     check_user},
    {Type::id, {"an id", "integer", ""}, check_id},
    {Type::container, {"a container's name", "string", "^[a-z0-9][a-z0-9-]{0,62}$"}, check_container},
    {Type::host_name, {"a host name", "string", "^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$"}, check_host_name},
    {Type::interface, {"a network interface", "string", "^[A-Za-z0-9._-]{1,15}$"}, check_interface},
    {Type::address, {"an IPv4 or IPv6 address", "string", "^[0-9a-fA-F.:]+$"}, check_address},
    {Type::environment_name,
     {"the name of an environment variable", "string", "^[A-Za-z_][A-Za-z0-9_]*$"},
     check_environment_name},
    {Type::rlimit_name, {"a limit of setrlimit(2), as nofile", "string", ""}, check_rlimit_name},
    {Type::rlimit,
     {"a number, \"SOFT:HARD\", \"max\" or \"unlimited\"", "integer|string",
      "^((max|unlimited|0|[1-9][0-9]*)(:(max|unlimited|0|[1-9][0-9]*))?)$"},
     check_rlimit},
    {Type::signal, {"a signal as \"SIGTERM\"", "string", "^SIG[A-Z0-9]+$"}, check_signal},
    {Type::capability, {"a capability as \"CAP_NET_RAW\"", "string", "^CAP_[A-Z_]+$"}, check_capability},
    {Type::call, {"a system call", "string", "^[a-z_][a-z0-9_]*$"}, check_call},
    {Type::call_or_group,
     {"a system call, or a group as \"@file\"", "string", "^(@[a-z0-9-]+|[a-z_][a-z0-9_]*)$"},
     check_call_or_group},
    {Type::group, {"a group as \"@file\"", "string", "^@[a-z0-9-]+$"}, check_group},
    {Type::argument,
     {"an argument's name, or 0 to 5", "string|integer", "^([0-5]|[a-z_][a-z0-9_]*)$"},
     check_argument},
    {Type::constant,
     {"a number, or constants joined by |", "string|integer", "^[A-Za-z0-9_| -]+$"},
     check_constant},
    {Type::namespace_of,
     {"new, host, container:NAME or path:/run/ns/X", "string",
      "^(new|host|container:[a-z0-9][a-z0-9-]*|path:/.+)$"},
     check_namespace},
    {Type::network_mode,
     {"one of its words, or container:NAME", "string", "^container:[a-z0-9][a-z0-9-]{0,62}$"},
     check_network_mode},
    {Type::publish, {"a port as \"lan:25565/tcp\"", "string", ""}, check_publish},
    {Type::listen, {"a port as \"5432/tcp\"", "string", "^[0-9]+(-[0-9]+)?(/(tcp|udp))?$"}, check_listen},
    {Type::egress, {"a target as \"internet:443/tcp\"", "string", ""}, check_egress},
    {Type::peer,
     {"a container and a port as \"portfolio:5432/tcp\"", "string",
      "^[a-z0-9][a-z0-9-]*:[0-9]+(-[0-9]+)?(/(tcp|udp))?$"},
     check_peer},
    {Type::cpuset, {"cores as \"0-1\"", "string", "^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$"}, check_cpuset},
    {Type::url, {"an http or https address", "string", "^https?://"}, check_url},
    {Type::feature, {"a feature as \"landlock\"", "string", ""}, check_feature},
    {Type::finding, {"the id of a finding as \"mounts\"", "string", "^[a-z0-9.-]+$"}, check_finding},
});
static_assert([] {
    for (std::size_t i = 0; i < kValueTypes.size(); ++i)
        if (kValueTypes[i].type != static_cast<Type>(i)) return false;
    return true;
}());
static_assert(kValueTypes.size() == static_cast<std::size_t>(Type::finding) + 1, "a type has no row");

const TypeRow& row_of(Type type) { return kValueTypes.at(static_cast<std::size_t>(type)); }

bool kind_fits(std::string_view kinds, Kind kind) {
    constexpr std::array<std::string_view, 6> kJson{"string", "integer", "number", "boolean", "date", "time"};
    if (kind == Kind::list || kind == Kind::table) return false;
    const auto words = words_in(kinds);
    return std::ranges::find(words, kJson.at(static_cast<std::size_t>(kind))) != words.end();
}

Fault wrong_kind(const Key& key, const Value& value) {
    const auto& info = row_of(key.type).info;
    auto note = fmt::format("want {}", info.want);
    if (key.type == Type::word) note = fmt::format("want one of {}", fmt::join(words_in(key.words), ", "));
    const bool takes_text = kind_fits(info.kinds, Kind::text);
    if (takes_text && value.kind == Kind::integer) note += fmt::format("; in quotes: \"{}\"", value.integer);
    if (value.kind == Kind::text && !takes_text && !value.text.empty() && value.text.size() < 20)
        note += "; without quotes";
    return {
        fmt::format("{} can't be {}", key_name(key) == "*" ? "this" : key_name(key), kind_name(value.kind)),
        note};
}

}  // namespace

std::optional<Fault> check_value(const Key& key, const Value& value) {
    if (value.kind == Kind::text) {
        if (value.text.find('\0') != std::string::npos)
            return Fault{"this text holds a NUL character", "the kernel would end it there"};
        if (word_index(key, value.text)) return std::nullopt;
    }
    const auto& row = row_of(key.type);
    if (!kind_fits(row.info.kinds, value.kind)) return wrong_kind(key, value);
    return row.check(value, key);
}

std::optional<Fault> check_name(const Key& map, const std::string& name) {
    Value value;
    value.text = name;
    return check_value(map, value);
}

TypeInfo type_info(Type type) { return row_of(type).info; }

std::uint64_t bytes_of(const Value& value) {
    if (value.kind == Kind::text) return parse_size(value.text).value_or(0);
    return static_cast<std::uint64_t>(value.integer);
}

milliseconds duration_of(const Value& value) {
    std::string_view text = value.text;
    const bool back = text.starts_with('-');
    if (back) text.remove_prefix(1);
    const auto duration = parse_duration(text).value_or(milliseconds(0));
    return back ? -duration : duration;
}

std::uint64_t microcores_of(const Value& value) {
    const double cores = value.kind == Kind::real ? value.real : static_cast<double>(value.integer);
    return static_cast<std::uint64_t>(std::llround(cores * 1e6));
}

unsigned mode_of(const Value& value) { return number_of<unsigned>(value.text, 8).value_or(0); }

int signal_of(const Value& value) {
    for (int number = 1; number < SIGRTMIN; ++number)
        if (const auto* name = sigabbrev_np(number);
            name != nullptr && "SIG" + std::string(name) == value.text)
            return number;
    return SIGTERM;
}

std::uint32_t id_of(const Value& value) { return static_cast<std::uint32_t>(value.integer); }

std::set<std::uint32_t> cores_of(const Value& value) {
    return parse_cores(value.text).value_or(std::set<std::uint32_t>{});
}

Result<UserSpec> parse_user(std::string_view text) {
    constexpr std::string_view kForm = "want a name, \"1000\" or \"1000:100\"";
    const std::string whole(text);
    const auto decimal = [](std::string_view digits) -> std::optional<std::uint32_t> {
        const bool padded = digits.size() > 1 && digits.front() == '0';
        const auto id = number_of<std::uint32_t>(digits);
        return padded || !id || *id > kMostId ? std::nullopt : id;
    };
    if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        const auto colon = text.find(':');
        const auto uid = decimal(text.substr(0, colon));
        const auto gid = colon == std::string_view::npos ? uid : decimal(text.substr(colon + 1));
        if (uid && gid) return UserSpec{"", *uid, *gid};
        return fail(whole, "is not a user", fmt::format("{}; ids go from 0 to {}", kForm, kMostId));
    }
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    const bool is_name =
        !text.empty() && text.size() <= 32 && letter(text.front()) &&
        std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; });
    if (!is_name) return fail(whole, "is not a user", std::string(kForm));
    if (text == "root") return fail(whole, "is id 0, and a name here is id 999", "write \"0\" if it must be");
    return UserSpec{whole, kNamedUser, kNamedUser};
}

namespace {
Result<std::optional<std::uint64_t>> rlimit_part(std::string_view text, const std::string& whole) {
    if (text == "unlimited") return std::nullopt;
    if (text == "max") return kHostHardLimit;
    const auto number = number_of<std::uint64_t>(text);
    const bool padded = text.size() > 1 && text.front() == '0';
    if (!number || padded || *number >= kHostHardLimit || text.starts_with('-'))
        return fail(whole, "is not a limit", "want a number, \"SOFT:HARD\", \"max\" or \"unlimited\"");
    return *number;
}
}  // namespace

Result<RlimitSpec> parse_rlimit(const Value& value) {
    if (value.kind == Kind::integer) {
        if (value.integer < 0) return fail(written(value), "is not a limit", "a limit is not negative");
        return RlimitSpec{static_cast<std::uint64_t>(value.integer),
                          static_cast<std::uint64_t>(value.integer)};
    }
    const std::string_view text = value.text;
    const auto colon = text.find(':');
    const auto soft = TRY(rlimit_part(text.substr(0, colon), value.text));
    const auto hard =
        colon == std::string_view::npos ? soft : TRY(rlimit_part(text.substr(colon + 1), value.text));
    if (hard && (!soft || *soft > *hard))
        return fail(value.text, "has a soft limit above the hard one",
                    "write SOFT:HARD, as in \"1024:4096\"");
    return RlimitSpec{soft, hard};
}

Result<Relation> parse_relation(std::string_view text) {
    constexpr std::string_view kContainer = "container:", kPathWord = "path:";
    if (text == "new") return Relation{Relation::To::own, ""};
    if (text == "host") return Relation{Relation::To::host, ""};
    if (text.starts_with(kContainer) && is_container_name(text.substr(kContainer.size())))
        return Relation{Relation::To::peer, std::string(text.substr(kContainer.size()))};
    if (text.starts_with(kPathWord) && is_plain_path(text.substr(kPathWord.size())))
        return Relation{Relation::To::peer, std::string(text.substr(kPathWord.size()))};
    return fail(std::string(text), "is no namespace", "want new, host, container:NAME or path:/run/ns/X");
}

}  // namespace guard::policies
