#include "review/seccomp_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "posture/syscalls.h"

namespace guard::review {
namespace {

// What an action comes to. Allowed: the call reaches the kernel, at once or when a supervisor says so.
enum class Answer : std::uint8_t { allow, log, refuse, kill, supervised };
struct ActionRow {
    std::string_view name;
    Answer answer;
};
constexpr auto kActions = std::to_array<ActionRow>({
    {"SCMP_ACT_ALLOW", Answer::allow},
    {"SCMP_ACT_LOG", Answer::log},
    {"SCMP_ACT_ERRNO", Answer::refuse},
    {"SCMP_ACT_KILL", Answer::kill},
    {"SCMP_ACT_KILL_THREAD", Answer::kill},
    {"SCMP_ACT_KILL_PROCESS", Answer::kill},
    {"SCMP_ACT_TRAP", Answer::kill},
    {"SCMP_ACT_TRACE", Answer::supervised},
    {"SCMP_ACT_NOTIFY", Answer::supervised},
});

struct Action {
    Answer answer = Answer::refuse;
    unsigned error = EPERM;
    bool operator==(const Action&) const = default;
};

Result<Action> action_of(const std::string& name, const Json& holder, std::string_view error_key) {
    const auto* const row = std::ranges::find(kActions, name, &ActionRow::name);
    if (row == kActions.end()) return fail(fmt::format("use the action {}", name), "there is no such action");
    Action action{row->answer, EPERM};
    const auto error = holder.find(error_key);
    if (error != holder.end() && !error->is_null()) action.error = error->get<unsigned>();
    return action;
}

struct ArchitectureRow {
    std::string_view name, abi;
};
// Those of x86-64; a filter for it says nothing of other machines.
constexpr auto kArchitectures = std::to_array<ArchitectureRow>(
    {{"SCMP_ARCH_X86_64", "native"}, {"SCMP_ARCH_X86", "i386"}, {"SCMP_ARCH_X32", "x32"}});

void add_abi(std::set<std::string>& abis, const std::string& name) {
    const auto* const row = std::ranges::find(kArchitectures, name, &ArchitectureRow::name);
    if (row != kArchitectures.end()) abis.emplace(row->abi);
}

std::set<std::string> abis_of(const Json& json) {
    std::set<std::string> abis{"native"};  // the runtime always adds the machine's own
    if (const auto list = json.find("architectures"); list != json.end())
        for (const auto& name : *list) add_abi(abis, name.get<std::string>());
    const auto map = json.find("archMap");
    if (map == json.end() || map->is_null()) return abis;
    for (const auto& row : *map) {
        if (row.value("architecture", "") != "SCMP_ARCH_X86_64") continue;
        if (const auto more = row.find("subArchitectures"); more != row.end() && !more->is_null())
            for (const auto& name : *more) add_abi(abis, name.get<std::string>());
    }
    return abis;
}

Cube cube_at(unsigned index, std::uint64_t mask, std::uint64_t value) {
    Cube cube;
    cube.mask.at(index) = mask;
    cube.value.at(index) = value & mask;
    return cube;
}

// Values below `bound`, as the prefixes that leave it at one of its set bits.
std::vector<Cube> below(unsigned index, std::uint64_t bound) {
    std::vector<Cube> cubes;
    for (std::uint64_t bit = 1ULL << 63U; bit != 0; bit >>= 1U)
        if ((bound & bit) != 0) cubes.push_back(cube_at(index, ~(bit - 1), bound & ~(bit - 1) & ~bit));
    return cubes;
}

std::vector<Cube> all_but(const std::vector<Cube>& cubes) { return without(std::vector{Cube{}}, cubes); }

std::vector<Cube> at_most(unsigned index, std::uint64_t bound) {
    auto cubes = below(index, bound);
    cubes.push_back(cube_at(index, ~0ULL, bound));
    return cubes;
}

struct OperatorRow {
    std::string_view name;
    std::vector<Cube> (*cubes)(unsigned index, std::uint64_t value, std::uint64_t second);
};
// seccomp_rule_add(3); masked: `value` is the mask, the second the datum.
const std::array<OperatorRow, 7> kOperators{{
    {"SCMP_CMP_EQ",
     [](unsigned i, std::uint64_t v, std::uint64_t) { return std::vector{cube_at(i, ~0ULL, v)}; }},
    {"SCMP_CMP_NE",
     [](unsigned i, std::uint64_t v, std::uint64_t) { return all_but({cube_at(i, ~0ULL, v)}); }},
    {"SCMP_CMP_LT", [](unsigned i, std::uint64_t v, std::uint64_t) { return below(i, v); }},
    {"SCMP_CMP_LE", [](unsigned i, std::uint64_t v, std::uint64_t) { return at_most(i, v); }},
    {"SCMP_CMP_GE", [](unsigned i, std::uint64_t v, std::uint64_t) { return all_but(below(i, v)); }},
    {"SCMP_CMP_GT", [](unsigned i, std::uint64_t v, std::uint64_t) { return all_but(at_most(i, v)); }},
    {"SCMP_CMP_MASKED_EQ",
     [](unsigned i, std::uint64_t v, std::uint64_t d) {
         // A datum with bits that the mask takes away is never equal.
         return (d & ~v) != 0 ? std::vector<Cube>() : std::vector{cube_at(i, v, d)};
     }},
}};

struct Test {
    unsigned index = 0;
    std::vector<Cube> cubes;
};

Result<Test> test_of(const Json& json) {
    const auto index = json.value("index", 0U);
    const auto name = json.value("op", std::string());
    if (index > 5) return fail(fmt::format("test argument {}", index), "a call has arguments 0 to 5");
    const auto* const row = std::ranges::find(kOperators, name, &OperatorRow::name);
    if (row == kOperators.end()) return fail(fmt::format("compare by {}", name), "there is no such operator");
    return Test{index, row->cubes(index, json.value("value", std::uint64_t{0}),
                                  json.value("valueTwo", std::uint64_t{0}))};
}

// The kernel takes 4096 instructions. What is more than these cases costs memory and hours before it says so.
constexpr std::size_t kMostCubes = 4096;

std::unexpected<Error> too_many() {
    return fail("compare the arguments of one call",
                fmt::format("its rules come to more than {} cases, which no filter holds", kMostCubes));
}

// All tests must hold; but two of one argument make runtimes add each test as a rule of its own, of which one
// is enough. That is how runc and crun read it, and so it is what the kernel gets.
Result<std::vector<Cube>> cubes_of(const Json& entry) {
    std::vector<Test> tests;
    std::array<int, 6> asked{};
    if (const auto args = entry.find("args"); args != entry.end() && !args->is_null())
        for (const auto& json : *args) {
            tests.push_back(TRY(test_of(json)));
            ++asked.at(tests.back().index);
        }
    const bool apart = std::ranges::any_of(asked, [](int count) { return count > 1; });
    std::vector<Cube> cubes;
    if (!apart) cubes = {Cube{}};
    for (auto& test : tests) {
        if (!apart && cubes.size() * test.cubes.size() > kMostCubes) return too_many();
        if (apart)
            cubes.insert(cubes.end(), test.cubes.begin(), test.cubes.end());
        else
            cubes = both(cubes, test.cubes);
    }
    return simplified(std::move(cubes));
}

std::set<std::string> texts(const Json& holder, std::string_view key) {
    std::set<std::string> all;
    if (const auto list = holder.find(key); list != holder.end() && !list->is_null())
        for (const auto& item : *list) all.insert(item.get<std::string>());
    return all;
}

bool has_any(const std::set<std::string>& wanted, const std::set<std::string>& all) {
    return std::ranges::any_of(wanted, [&all](const std::string& one) { return all.contains(one); });
}

// As moby decides it: every capability of `includes` must be held, none of `excludes`; the machine must be
// one of the architectures of `includes`, and none of `excludes`. `minKernel` is taken as met.
bool applies(const Json& entry, const std::set<std::string>& capabilities, std::set<std::string>& gates) {
    static const std::set<std::string> kMachine{"amd64", "x86", "x32", "x86_64"};
    const auto empty = Json::object();
    const auto part = [&](std::string_view key) -> const Json& {
        const auto found = entry.find(key);
        return found == entry.end() || found->is_null() ? empty : *found;
    };
    const auto wanted = texts(part("includes"), "caps");
    const auto unwanted = texts(part("excludes"), "caps");
    gates.insert(wanted.begin(), wanted.end());
    gates.insert(unwanted.begin(), unwanted.end());
    const auto machines = texts(part("includes"), "arches");
    return std::ranges::includes(capabilities, wanted) && !has_any(unwanted, capabilities) &&
           (machines.empty() || has_any(machines, kMachine)) &&
           !has_any(texts(part("excludes"), "arches"), kMachine);
}

// What the entries of one call come to, by answer.
struct CallEntries {
    std::size_t cases = 0;
    std::vector<Cube> allowed;
    std::vector<std::pair<Action, std::vector<Cube>>> others;
};

class Reader {
public:
    /// Without a text no places are looked for.
    Reader(std::string path, const std::string* text, const std::set<std::string>& capabilities)
        : path_(std::move(path)), text_(text), capabilities_(&capabilities) {}

    Result<FromJson> read(const Json& json) {
        if (text_ != nullptr)
            made_.profile.origins.emplace("seccomp.on-denied", place_of_word(path_, *text_, "defaultAction"));
        default_ = TRY(action_of(json.at("defaultAction").get<std::string>(), json, "defaultErrnoRet"));
        if (const auto entries = json.find("syscalls"); entries != json.end() && !entries->is_null())
            for (const auto& entry : *entries) CHECK(take(entry));
        FilterRules rules;
        rules.abis = abis_of(json);
        refusal_ = refusal();
        rules.on_denied = denial_of(refusal_);
        rules.on_unknown = denial_of(default_);
        if (is_open())
            for (const auto& row : syscalls()) calls_.try_emplace(std::string(row.name));
        approximations(json);
        for (const auto& [name, entries] : calls_) put(rules, name, entries);
        auto& posture = made_.profile.posture;
        posture.seccomp.access = std::move(rules);
        posture.seccomp.mode = Lock::held;
        if (!made_.gates.empty())
            made_.assumed = *capabilities_ == docker_capabilities()
                                ? "docker's default capabilities"
                                : fmt::format("{}", fmt::join(*capabilities_, ", "));
        return std::move(made_);
    }

private:
    [[nodiscard]] bool is_open() const {
        return default_.answer == Answer::allow || default_.answer == Answer::log;
    }

    // What a call that is not allowed is answered: of a list of denials, what the first of them says.
    [[nodiscard]] Action refusal() const {
        if (!is_open()) return default_;
        for (const auto& [name, entries] : calls_)
            for (const auto& [action, cubes] : entries.others)
                if (action.answer != Answer::refuse || action.error != ENOSYS) return action;
        return {};
    }

    // What the rules hold in a simpler form than the file has: equal on both sides, it is no difference.
    void approximations(const Json& json) {
        const bool plain_error = refusal_.error == EPERM || refusal_.error == ENOSYS;
        if (refusal_.answer == Answer::refuse && !plain_error)
            made_.unsaid.emplace("defaultErrnoRet", std::to_string(refusal_.error));
        const auto name = json.at("defaultAction").get<std::string>();
        const bool exact =
            name == "SCMP_ACT_ALLOW" || name == "SCMP_ACT_ERRNO" || name == "SCMP_ACT_KILL_PROCESS";
        if (!exact) made_.unsaid.emplace("defaultAction", name);
        for (const auto* key : {"flags", "listenerPath", "listenerMetadata"})
            if (const auto found = json.find(key);
                found != json.end() && !found->is_null() && !found->empty())
                made_.unsaid.emplace(key, found->dump(-1, ' ', false, Json::error_handler_t::replace));
    }

    Result<void> take(const Json& entry) {
        auto names = texts(entry, "names");
        if (const auto name = entry.value("name", std::string()); !name.empty()) names.insert(name);
        if (text_ != nullptr)
            for (const auto& name : names)
                if (find_syscall(name) != nullptr)
                    made_.profile.origins.try_emplace("seccomp.access/" + name,
                                                      place_of_word(path_, *text_, name));
        if (!applies(entry, *capabilities_, made_.gates)) return {};
        const auto action = TRY(action_of(entry.at("action").get<std::string>(), entry, "errnoRet"));
        const auto cubes = TRY(cubes_of(entry));
        for (const auto& name : names) {
            if (find_syscall(name) == nullptr) {
                // libseccomp skips a name it does not know: it is no call of this machine.
                made_.unsaid.emplace("syscalls." + name, "unknown to guard's table of calls");
                continue;
            }
            auto& call = calls_[name];
            call.cases += cubes.size();
            if (call.cases > kMostCubes) return too_many();
            if (action.answer == Answer::allow || action.answer == Answer::log)
                call.allowed.insert(call.allowed.end(), cubes.begin(), cubes.end());
            else
                call.others.emplace_back(action, cubes);
        }
        return {};
    }

    static Denial denial_of(const Action& action) {
        if (action.answer == Answer::kill) return Denial::kill;
        if (action.answer != Answer::refuse) return Denial::allow_and_log;
        return action.error == ENOSYS ? Denial::enosys : Denial::eperm;
    }

    // Where entries of one call differ in their answer, runtimes let the more specific one win; what is
    // refused under a condition is taken off what is allowed, and what rules can't say is kept as written.
    void put(FilterRules& rules, const std::string& name, const CallEntries& entries) {
        auto allowed =
            is_open() && entries.allowed.empty() ? std::vector{Cube{}} : simplified(entries.allowed);
        for (const auto& [action, cubes] : entries.others) {
            const bool always = cubes.size() == 1 && cubes.front() == Cube{};
            if (is_open() || !always) allowed = simplified(without(allowed, cubes));
            if (action == refusal_) continue;
            if (action.answer == Answer::refuse && action.error == ENOSYS && always)
                rules.absent.insert(name);
            else
                made_.unsaid.emplace("syscalls." + name, said(action));
        }
        if (allowed.empty()) return;
        CallRule rule{std::move(allowed)};
        if (rule.always()) rules.absent.erase(name);
        rules.calls.emplace(name, std::move(rule));
    }

    static std::string said(const Action& action) {
        switch (action.answer) {
            case Answer::kill: return "ends the process";
            case Answer::supervised: return "asks a supervisor";
            default: return fmt::format("fails with error {}", action.error);
        }
    }

    std::string path_;
    const std::string* text_;
    const std::set<std::string>* capabilities_;
    Action default_, refusal_;
    std::map<std::string, CallEntries> calls_;
    FromJson made_;
};

}  // namespace

Result<FromJson> profile_of_seccomp(const std::string& path, const std::string& text, const Json& json,
                                    const std::set<std::string>& capabilities) {
    auto made = Reader(path, &text, capabilities).read(json);
    if (!made) return fail("read " + path, describe(made.error()));
    return made;
}

std::optional<FilterRules> rules_with(const FromJson& profile, const std::set<std::string>& capabilities) {
    if (!profile.document) return std::nullopt;
    const auto made = Reader("", nullptr, capabilities).read(*profile.document);
    const auto* const rules = made ? value_of(made->profile.posture.seccomp.access) : nullptr;
    return rules == nullptr ? std::nullopt : std::optional(*rules);
}

}  // namespace guard::review
