#include "posture/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <concepts>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "posture/fields.h"

// JSON for postures and records. Each struct names its members once, in `members`; writing and reading loop
// over that list, so that neither can forget what the other knows.
namespace guard {
namespace {

using nlohmann::json;

// What is wrong with a record, and at which member: thrown here, turned into an Error at the end of this
// file.
struct BadMember : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <class Class, class T>
struct Member {
    std::string_view name;
    T Class::* of;
};
template <class Class, class T>
Member(std::string_view, T Class::*) -> Member<Class, T>;

constexpr auto members(const Unknown*) {
    return std::tuple{Member{"code", &Unknown::code}, Member{"why", &Unknown::why}};
}
constexpr auto members(const Relation*) {
    return std::tuple{Member{"to", &Relation::to}, Member{"whom", &Relation::whom}};
}
constexpr auto members(const IdLine*) {
    return std::tuple{Member{"inside", &IdLine::inside}, Member{"own", &IdLine::own},
                      Member{"outside", &IdLine::outside}, Member{"count", &IdLine::count}};
}
constexpr auto members(const Mount*) {
    return std::tuple{Member{"type", &Mount::type},           Member{"source", &Mount::source},
                      Member{"grants", &Mount::grants},       Member{"size", &Mount::size},
                      Member{"mode", &Mount::mode},           Member{"idmap", &Mount::idmap},
                      Member{"recursive", &Mount::recursive}, Member{"options", &Mount::options}};
}
constexpr auto members(const Cube*) {
    return std::tuple{Member{"mask", &Cube::mask}, Member{"value", &Cube::value}};
}
constexpr auto members(const CallRule*) { return std::tuple{Member{"when", &CallRule::when}}; }
constexpr auto members(const FilterRules*) {
    return std::tuple{
        Member{"calls", &FilterRules::calls},           Member{"absent", &FilterRules::absent},
        Member{"on-denied", &FilterRules::on_denied},   Member{"on-unknown", &FilterRules::on_unknown},
        Member{"log-denied", &FilterRules::log_denied}, Member{"abis", &FilterRules::abis}};
}
constexpr auto members(const Health*) {
    return std::tuple{Member{"check", &Health::check},
                      Member{"port", &Health::port},
                      Member{"url", &Health::url},
                      Member{"command", &Health::command},
                      Member{"interval", &Health::interval},
                      Member{"timeout", &Health::timeout},
                      Member{"start-period", &Health::start_period},
                      Member{"failures", &Health::failures},
                      Member{"on-failure", &Health::on_failure}};
}
constexpr auto members(const Secret*) {
    return std::tuple{Member{"file", &Secret::file}, Member{"command", &Secret::command},
                      Member{"credential", &Secret::credential}};
}
constexpr auto members(const NetworkSetup*) {
    return std::tuple{
        Member{"mode", &NetworkSetup::mode},         Member{"container", &NetworkSetup::container},
        Member{"hostname", &NetworkSetup::hostname}, Member{"parent", &NetworkSetup::parent},
        Member{"bridge", &NetworkSetup::bridge},     Member{"address", &NetworkSetup::address},
        Member{"ipv6", &NetworkSetup::ipv6},         Member{"dns", &NetworkSetup::dns}};
}
constexpr auto members(const UserSetup*) {
    return std::tuple{Member{"map", &UserSetup::map}, Member{"name", &UserSetup::name}};
}
constexpr auto members(const Service*) {
    return std::tuple{
        Member{"description", &Service::description},
        Member{"optional", &Service::optional},
        Member{"command", &Service::command},
        Member{"workdir", &Service::workdir},
        Member{"env", &Service::env},
        Member{"env-pass", &Service::env_pass},
        Member{"stdin", &Service::stdin_mode},
        Member{"restart", &Service::restart},
        Member{"restart-delay", &Service::restart_delay},
        Member{"restart-limit", &Service::restart_limit},
        Member{"stop-command", &Service::stop_command},
        Member{"stop-signal", &Service::stop_signal},
        Member{"stop-timeout", &Service::stop_timeout},
        Member{"reload-signal", &Service::reload_signal},
        Member{"depends", &Service::depends},
        Member{"log-size", &Service::log_size},
        Member{"log-keep", &Service::log_keep},
        Member{"health", &Service::health},
        Member{"users", &Service::users},
        Member{"network", &Service::network},
        Member{"root", &Service::root},
        Member{"create", &Service::create},
        Member{"secrets", &Service::secrets},
        Member{"boottime-offset", &Service::boottime_offset},
        Member{"monotonic-offset", &Service::monotonic_offset},
        Member{"landlock", &Service::landlock},
    };
}
constexpr auto members(const Where*) {
    return std::tuple{Member{"file", &Where::file}, Member{"line", &Where::line},
                      Member{"column", &Where::column}};
}
constexpr auto members(const Waiver*) {
    return std::tuple{Member{"finding", &Waiver::finding}, Member{"what", &Waiver::what},
                      Member{"reason", &Waiver::reason},   Member{"owner", &Waiver::owner},
                      Member{"expires", &Waiver::expires}, Member{"where", &Waiver::where}};
}
constexpr auto members(const SourceFile*) {
    return std::tuple{Member{"path", &SourceFile::path}, Member{"digest", &SourceFile::digest}};
}
constexpr auto members(const Profile*) {
    return std::tuple{Member{"name", &Profile::name},       Member{"posture", &Profile::posture},
                      Member{"service", &Profile::service}, Member{"origins", &Profile::origins},
                      Member{"waivers", &Profile::waivers}, Member{"sources", &Profile::sources}};
}
constexpr auto members(const TaskId*) {
    return std::tuple{Member{"pid", &TaskId::pid}, Member{"start", &TaskId::start},
                      Member{"pidfd-inode", &TaskId::pidfd_inode}};
}
constexpr auto members(const Bindings*) {
    return std::tuple{Member{"boot-id", &Bindings::boot_id},
                      Member{"supervisor", &Bindings::supervisor},
                      Member{"init", &Bindings::init},
                      Member{"payload", &Bindings::payload},
                      Member{"own", &Bindings::own},
                      Member{"host", &Bindings::host},
                      Member{"ids-are-unique", &Bindings::ids_are_unique},
                      Member{"uid-base", &Bindings::uid_base},
                      Member{"gid-base", &Bindings::gid_base},
                      Member{"id-count", &Bindings::id_count},
                      Member{"cgroups", &Bindings::cgroups},
                      Member{"sources", &Bindings::sources},
                      Member{"addresses", &Bindings::addresses},
                      Member{"veth", &Bindings::veth}};
}
constexpr auto members(const Made*) {
    return std::tuple{Member{"kind", &Made::kind}, Member{"what", &Made::what},
                      Member{"detail", &Made::detail}};
}
// The bytes of the filters are written apart: JSON strings are text.
constexpr auto members(const Record*) {
    return std::tuple{Member{"name", &Record::name},     Member{"launched", &Record::launched},
                      Member{"reaper", &Record::reaper}, Member{"bindings", &Record::bindings},
                      Member{"made", &Record::made},     Member{"started", &Record::started},
                      Member{"stage", &Record::stage},   Member{"data", &Record::data},
                      Member{"log", &Record::log}};
}

template <class T>
concept HasMembers = requires(const T* type) { members(type); };

// ---- writing

// Straight to text: a tree of json values first takes ten times as long, and a launch waits for it twice.

void put(std::string& out, const std::string& text) {
    const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
    if (std::ranges::all_of(text, plain)) {
        ((out += '"') += text) += '"';
        return;
    }
    // Paths and commands may hold any bytes: what is no UTF-8 is replaced rather than refused.
    out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}
template <std::integral T>
void put(std::string& out, T value) {
    if constexpr (std::same_as<T, bool>)
        out += value ? "true" : "false";
    else
        fmt::format_to(std::back_inserter(out), "{}", value);
}
template <class T>
    requires std::is_enum_v<T>
void put(std::string& out, const T& value) {
    put(out, static_cast<std::int64_t>(value));
}
void put(std::string& out, Lock lock) { out += lock == Lock::held ? R"("held")" : R"("open")"; }
void put(std::string& out, const std::chrono::milliseconds& time) {
    put(out, static_cast<std::int64_t>(time.count()));
}
void put(std::string& out, const std::chrono::year_month_day& day) {
    fmt::format_to(std::back_inserter(out), "\"{:04}-{:02}-{:02}\"", static_cast<int>(day.year()),
                   static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

// The commas and brackets of a list or an object.
class Brackets {
public:
    Brackets(std::string& out, char open, char close) : out_(out), close_(close) { out_ += open; }
    Brackets(const Brackets&) = delete;
    Brackets& operator=(const Brackets&) = delete;
    ~Brackets() { out_ += close_; }
    void next() {
        if (!first_) out_ += ',';
        first_ = false;
    }
    void name(std::string_view name) {
        next();
        put(out_, std::string(name));
        out_ += ':';
    }

private:
    std::string& out_;
    char close_;
    bool first_ = true;
};

void put(std::string& out, const CapabilitySet& set) {
    Brackets list(out, '[', ']');
    for (int bit = 0; bit < 64; ++bit)
        if (((set.mask >> static_cast<unsigned>(bit)) & 1U) != 0) {
            list.next();
            put(out, capability_name(bit));
        }
}
void put(std::string& out, const Posture& posture);
void put(std::string& out, const Origins& origins);
template <class T>
void put(std::string& out, const std::vector<T>& list);
template <class T, std::size_t N>
void put(std::string& out, const std::array<T, N>& list);
template <class T>
void put(std::string& out, const std::set<T>& set);
template <class T>
void put(std::string& out, const std::map<std::string, T>& map);
template <class T>
void put(std::string& out, const std::optional<T>& value) {
    if (value)
        put(out, *value);
    else
        out += "null";
}
template <class T>
void put(std::string& out, const Grants<T>& grants) {
    put(out, grants.all);
}
template <class T>
void put(std::string& out, const Ceiling<T>& ceiling) {
    put(out, ceiling.most);
}
template <class T>
void put(std::string& out, const Floor<T>& floor) {
    put(out, floor.least);
}
template <class T>
void put(std::string& out, const Exact<T>& exact) {
    put(out, exact.value);
}
template <HasMembers T>
void put(std::string& out, const T& value);
template <HasMembers T>
void put_members(std::string& out, Brackets& object, const T& value) {
    const auto one = [&](const auto& row) {
        object.name(row.name);
        put(out, value.*row.of);
    };
    std::apply([&](const auto&... row) { (one(row), ...); }, members(&value));
}
template <HasMembers T>
void put(std::string& out, const T& value) {
    Brackets object(out, '{', '}');
    put_members(out, object, value);
}
template <class Range>
void put_each(std::string& out, const Range& range) {
    Brackets list(out, '[', ']');
    for (const auto& element : range) {
        list.next();
        put(out, element);
    }
}
template <class T>
void put(std::string& out, const std::vector<T>& list) {
    put_each(out, list);
}
template <class T, std::size_t N>
void put(std::string& out, const std::array<T, N>& list) {
    put_each(out, list);
}
template <class T>
void put(std::string& out, const std::set<T>& set) {
    put_each(out, set);
}
template <class T>
void put(std::string& out, const std::map<std::string, T>& map) {
    Brackets object(out, '{', '}');
    for (const auto& [name, value] : map) {
        object.name(name);
        put(out, value);
    }
}
// By file: each profile has hundreds of them, and they lie in a handful of files.
void put(std::string& out, const Origins& origins) {
    std::map<std::string_view, std::vector<const Origins::value_type*>> files;
    for (const auto& origin : origins) files[origin.second.file].push_back(&origin);
    Brackets object(out, '{', '}');
    for (const auto& [file, paths] : files) {
        object.name(file);
        Brackets places(out, '{', '}');
        for (const auto* origin : paths) {
            places.name(origin->first);
            put(out, std::array{origin->second.line, origin->second.column});
        }
    }
}
template <class T>
void put_known(std::string& out, const Known<T>& known) {
    Brackets object(out, '{', '}');
    if (const auto* value = value_of(known)) {
        object.name("value");
        put(out, *value);
    } else if (const auto* absent = std::get_if<Absent>(&known)) {
        object.name("absent");
        put(out, absent->why);
    } else {
        object.name("unknown");
        put(out, std::get<Unknown>(known));
    }
}
void put(std::string& out, const Posture& posture) {
    Brackets object(out, '{', '}');
    each_field(posture, [&](std::string_view name, const auto& field) {
        object.name(name);
        put_known(out, field);
    });
}

// ---- reading

[[noreturn]] void bad(const std::string& what) { throw BadMember(what); }

// Says at which member a fault inside it was.
template <class Read>
void at(const std::string& name, Read&& read) {
    try {
        read();
    } catch (const BadMember& fault) {
        bad(name + (fault.what()[0] == ':' ? "" : ".") + fault.what());
    } catch (const json::exception&) {
        bad(name + ": not what belongs here");
    }
}

const json& member(const json& object, const std::string& name) {
    const auto found = object.find(name);
    if (!object.is_object() || found == object.end()) bad(name + ": missing");
    return *found;
}

template <class T>
    requires std::integral<T> || std::same_as<T, std::string>
void take(const json& from, T& to) {
    if constexpr (std::integral<T> && !std::same_as<T, bool>) {
        if (!from.is_number_integer()) bad(": want a whole number");
        if (from.is_number_unsigned() ? !std::in_range<T>(from.get<std::uint64_t>())
                                      : !std::in_range<T>(from.get<std::int64_t>()))
            bad(": number out of range");
    }
    to = from.get<T>();
}
template <class T>
    requires std::is_enum_v<T>
void take(const json& from, T& to) {
    std::underlying_type_t<T> number{};
    take(from, number);
    to = static_cast<T>(number);
}
void take(const json& from, Lock& to) {
    const auto word = from.get<std::string>();
    if (word != "held" && word != "open") bad(": want held or open");
    to = word == "held" ? Lock::held : Lock::open;
}
void take(const json& from, std::chrono::milliseconds& to) {
    to = std::chrono::milliseconds(from.get<std::int64_t>());
}
void take(const json& from, std::chrono::year_month_day& to) {
    const auto text = from.get<std::string>();
    int year = 0;
    unsigned month = 0, day = 0;
    if (std::sscanf(text.c_str(), "%d-%u-%u", &year, &month, &day) != 3) bad(": want a date");
    to = std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day);
    if (!to.ok()) bad(": want a date");
}
void take(const json& from, CapabilitySet& to) {
    to.mask = 0;
    for (const auto& name : from) {
        const auto number = capability_number(name.get<std::string>());
        if (!number) bad(": unknown capability " + name.get<std::string>());
        to.mask |= 1ULL << static_cast<unsigned>(*number);
    }
}
void take(const json& from, Posture& to);
void take(const json& from, Origins& to);
template <class T>
void take(const json& from, std::vector<T>& to);
template <class T, std::size_t N>
void take(const json& from, std::array<T, N>& to);
template <class T>
void take(const json& from, std::set<T>& to);
template <class T>
void take(const json& from, std::map<std::string, T>& to);
template <class T>
void take(const json& from, std::optional<T>& to) {
    to.reset();
    if (!from.is_null()) take(from, to.emplace());
}
template <class T>
void take(const json& from, Grants<T>& to) {
    take(from, to.all);
}
template <class T>
void take(const json& from, Ceiling<T>& to) {
    take(from, to.most);
}
template <class T>
void take(const json& from, Floor<T>& to) {
    take(from, to.least);
}
template <class T>
void take(const json& from, Exact<T>& to) {
    take(from, to.value);
}
template <HasMembers T>
void take(const json& from, T& to) {
    const auto one = [&](const auto& row) {
        const std::string name(row.name);
        const auto& value = member(from, name);
        at(name, [&] { take(value, to.*row.of); });
    };
    std::apply([&](const auto&... row) { (one(row), ...); }, members(&to));
}
template <class Insert>
void take_each(const json& from, Insert&& insert) {
    if (!from.is_array()) bad(": want a list");
    std::size_t index = 0;
    for (const auto& element : from) at(std::to_string(index++), [&] { insert(element); });
}
template <class T>
void take(const json& from, std::vector<T>& to) {
    to.clear();
    take_each(from, [&to](const json& element) { take(element, to.emplace_back()); });
}
template <class T, std::size_t N>
void take(const json& from, std::array<T, N>& to) {
    if (from.size() != N) bad(": want " + std::to_string(N) + " numbers");
    std::size_t index = 0;
    take_each(from, [&](const json& element) { take(element, to.at(index++)); });
}
template <class T>
void take(const json& from, std::set<T>& to) {
    to.clear();
    take_each(from, [&to](const json& element) {
        T value{};
        take(element, value);
        to.insert(std::move(value));
    });
}
void take(const json& from, Origins& to) {
    if (!from.is_object()) bad(": want an object");
    to.clear();
    for (const auto& file : from.items())
        at(file.key(), [&] {
            for (const auto& path : file.value().items())
                at(path.key(), [&] {
                    std::array<unsigned, 2> numbers{};
                    take(path.value(), numbers);
                    to[path.key()] = {file.key(), numbers[0], numbers[1]};
                });
        });
}
template <class T>
void take(const json& from, std::map<std::string, T>& to) {
    if (!from.is_object()) bad(": want an object");
    to.clear();
    for (const auto& row : from.items()) at(row.key(), [&] { take(row.value(), to[row.key()]); });
}
template <class T>
void take_known(const json& from, Known<T>& to) {
    if (from.contains("value")) return take(from.at("value"), made(to));
    if (from.contains("absent")) {
        to = Absent{from.at("absent").get<std::string>()};
        return;
    }
    Unknown unknown;
    take(member(from, "unknown"), unknown);
    to = std::move(unknown);
}
void take(const json& from, Posture& to) {
    each_field(to, [&from](std::string_view name, auto& field) {
        const std::string path(name);
        if (!from.is_object()) bad(": want an object");
        // A guard that did not know the field launched this: the rest of what it wrote is as good as before.
        const auto found = from.find(path);
        if (found == from.end())
            field = Unknown{0, std::string(kNotRecorded)};
        else
            at(path, [&] { take_known(*found, field); });
    });
}

// ---- the filters' bytes

std::string to_hex(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const unsigned char byte : bytes) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 15U];
    }
    return text;
}

std::string from_hex(const std::string& text) {
    std::string bytes;
    if (text.size() % 2 != 0) bad(": an odd number of hexadecimal digits");
    for (std::size_t at_digit = 0; at_digit < text.size(); at_digit += 2) {
        unsigned byte = 0;
        const auto* const begin = text.data() + at_digit;
        const auto [end, error] = std::from_chars(begin, begin + 2, byte, 16);
        if (error != std::errc{} || end != begin + 2) bad(": want hexadecimal digits");
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

template <class T, class Read>
Result<T> parsed(const std::string& text, const std::string& what, Read&& read) {
    try {
        T value;
        read(json::parse(text), value);
        return value;
    } catch (const BadMember& fault) {
        return fail("read " + what, fault.what());
    } catch (const json::exception& fault) {
        return fail("read " + what, fault.what());
    }
}

constexpr int kRecordVersion = 1;

}  // namespace

std::string record_to_json(const Record& record) {
    std::string out;
    {
        Brackets object(out, '{', '}');
        object.name("guard");
        put(out, kRecordVersion);
        put_members(out, object, record);
        object.name("filter");
        put(out, to_hex(record.filter));
        object.name("reaper-filter");
        put(out, to_hex(record.reaper_filter));
    }
    return out;
}

Result<Record> record_from_json(const std::string& text) {
    return parsed<Record>(text, "the launch record", [](const json& object, Record& record) {
        if (member(object, "guard") != kRecordVersion) bad("guard: want version 1");
        take(object, record);
        at("filter", [&] { record.filter = from_hex(member(object, "filter").get<std::string>()); });
        at("reaper-filter",
           [&] { record.reaper_filter = from_hex(member(object, "reaper-filter").get<std::string>()); });
    });
}

std::string posture_to_json(const Posture& posture) {
    std::string text;
    put(text, posture);
    return json::parse(text).dump(2);  // for people: indented, in alphabetical order
}

Result<Posture> posture_from_json(const std::string& text) {
    return parsed<Posture>(text, "a posture",
                           [](const json& object, Posture& posture) { take(object, posture); });
}

}  // namespace guard
