#include "policies/lint_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "policies/seccomp_condition.h"
#include "posture/constants.h"
#include "posture/syscalls.h"

namespace guard::policies {
namespace {

constexpr std::uint64_t kLowHalf = 0xffff'ffff;

// Without these no program of any libc starts, sleeps, takes a signal or ends.
constexpr auto kVital = std::to_array<std::string_view>(
    {"execve",          "exit",          "exit_group", "rt_sigreturn",    "rt_sigaction", "rt_sigprocmask",
     "restart_syscall", "futex",         "read",       "write",           "close",        "openat",
     "fstat",           "newfstatat",    "mmap",       "munmap",          "mprotect",     "brk",
     "clock_nanosleep", "clock_gettime", "arch_prctl", "set_tid_address", "tgkill",       "getrandom"});

/// Calls that do the same: to deny or narrow one and leave another open closes nothing.
struct Family {
    std::string_view does;
    std::array<std::string_view, 8> calls;
};
constexpr auto kFamilies = std::to_array<Family>({
    {"open a file", {"open", "openat", "openat2", "creat"}},
    {"start a process", {"fork", "vfork", "clone", "clone3"}},
    {"run a program", {"execve", "execveat"}},
    {"read", {"read", "readv", "pread64", "preadv", "preadv2"}},
    {"write", {"write", "writev", "pwrite64", "pwritev", "pwritev2"}},
    {"duplicate a descriptor", {"dup", "dup2", "dup3"}},
    {"change modes", {"chmod", "fchmod", "fchmodat", "fchmodat2"}},
    {"change owners", {"chown", "lchown", "fchown", "fchownat"}},
    {"make special files", {"mknod", "mknodat"}},
    {"make directories", {"mkdir", "mkdirat"}},
    {"remove files", {"unlink", "unlinkat"}},
    {"rename files", {"rename", "renameat", "renameat2"}},
    {"give files a second name", {"link", "linkat"}},
    {"make symbolic links", {"symlink", "symlinkat"}},
    {"cut files", {"truncate", "ftruncate", "truncate64", "ftruncate64"}},
    {"set attributes of files", {"setxattr", "lsetxattr", "fsetxattr", "setxattrat"}},
    {"make memory executable", {"mprotect", "pkey_mprotect"}},
    {"send a signal",
     {"kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"}},
    {"accept connections", {"accept", "accept4"}},
    {"send data", {"sendto", "sendmsg", "sendmmsg"}},
    {"receive data", {"recvfrom", "recvmsg", "recvmmsg"}},
    {"make pipes", {"pipe", "pipe2"}},
    {"mount", {"mount", "move_mount", "fsmount"}},
    {"load kernel code", {"init_module", "finit_module"}},
    {"start another kernel", {"kexec_load", "kexec_file_load"}},
    {"read memory of others", {"process_vm_readv", "ptrace"}},
    {"set limits", {"setrlimit", "prlimit64"}},
    {"set the clock", {"settimeofday", "clock_settime", "adjtimex", "clock_adjtime"}},
});

using Entries = std::vector<const FilterEntry*>;

std::vector<Cube> cubes_of(const Entries& entries) {
    std::vector<Cube> all;
    for (const auto* entry : entries) all.insert(all.end(), entry->cubes.begin(), entry->cubes.end());
    return all;
}

bool meets(const std::vector<Cube>& one, const std::vector<Cube>& other) { return !both(one, other).empty(); }

// The values of one argument that some allowed call has, whatever the others are.
std::vector<Cube> shadow_on(const std::vector<Cube>& cubes, unsigned argument) {
    std::vector<Cube> shadow;
    for (const auto& cube : cubes) {
        Cube only;
        only.mask.at(0) = cube.mask.at(argument);
        only.value.at(0) = cube.value.at(argument);
        shadow.push_back(only);
    }
    return shadow;
}

class FilterLint {
public:
    FilterLint(const std::vector<FilterEntry>& entries, const FilterRules& rules,
               const std::vector<const Document*>& chain, std::vector<Diagnostic>& diagnostics)
        : rules_(&rules), chain_(&chain), diagnostics_(&diagnostics) {
        for (const auto& entry : entries)
            (entry.effect == Effect::allow ? allow_ : deny_)[entry.call].push_back(&entry);
    }

    void run() {
        for (const auto& [call, entries] : allow_) {
            needed(call, entries);
            for (const auto* entry : entries) idle(*entry, entries);
            everything_together(call, entries);
        }
        for (const auto& [call, entries] : deny_)
            for (const auto* entry : entries) idle_denial(*entry);
        dead_words();
        for (const auto* side : {&allow_, &deny_})
            for (const auto& [call, entries] : *side)
                for (const auto* entry : entries) halves(*entry);
        for (const auto& family : kFamilies) twins(family);
    }

private:
    using Side = std::map<std::string, Entries>;

    void tell(std::string_view check, std::string message, std::string item, std::vector<Mark> marks) {
        diagnostics_->push_back(
            {Level::warning, std::move(message), std::move(marks), check, std::move(item)});
    }

    // How far down the chain a line stands; a line of --set is the last, one of a group nowhere.
    [[nodiscard]] std::size_t depth(const Document* document) const {
        return static_cast<std::size_t>(std::ranges::find(*chain_, document) - chain_->begin());
    }
    [[nodiscard]] bool is_own(const FilterEntry& entry) const {
        return entry.place.document != nullptr && depth(entry.place.document) < chain_->size();
    }
    [[nodiscard]] bool is_said(const FilterEntry& entry) const {
        return entry.through.document != nullptr && depth(entry.through.document) < chain_->size();
    }

    static const Entries& at(const Side& side, const std::string& call) {
        static const Entries kNone;
        const auto row = side.find(call);
        return row == side.end() ? kNone : row->second;
    }
    [[nodiscard]] std::vector<Cube> granted(const std::string& call) const {
        const auto row = rules_->calls.find(call);
        return row == rules_->calls.end() ? std::vector<Cube>{} : row->second.when;
    }

    // Calls of @base, which every program needs.
    void needed(const std::string& call, const Entries& entries) {
        Entries base;
        std::ranges::copy_if(entries, std::back_inserter(base),
                             [](const auto* entry) { return entry->word == "@base"; });
        const auto lost = without(cubes_of(base), granted(call));
        if (lost.empty()) return;
        for (const auto* denial : at(deny_, call)) {
            if (!meets(denial->cubes, lost)) continue;
            const bool vital = std::ranges::find(kVital, call) != kVital.end();
            return tell(
                vital ? "seccomp.vital-call-denied" : "seccomp.base-call-denied",
                fmt::format("{} for {}", denial->always() ? "denied" : "denied under a condition",
                            base.front()->word),
                call, {mark_at(denial->through, "denied here"), mark_at(base.front()->place, "needed for")});
        }
    }

    // A rule whose arguments are allowed by other lines already. A group narrows what another may widen, so
    // only a rule that one of the profile's own files writes is a slip.
    void idle(const FilterEntry& entry, const Entries& entries) {
        if (entry.rule == nullptr || !is_own(entry)) return;
        const CallRule own{entry.cubes};
        Entries others;
        bool later = false;
        for (const auto* other : entries) {
            later = later || other == &entry;
            // Of two equal rules the first counts.
            if (other != &entry && !(later && implies({other->cubes}, own))) others.push_back(other);
        }
        if (others.empty() || !implies(own, {cubes_of(others)})) return;
        const auto alone =
            std::ranges::find_if(others, [&own](const auto* other) { return implies(own, {other->cubes}); });
        const auto* shown = alone == others.end() ? others.front() : *alone;
        tell("seccomp.idle-rule",
             shown->always() ? "allowed with any arguments elsewhere"
                             : "allowed for these arguments elsewhere",
             entry.call, {mark_at(entry.place, "this rule"), mark_at(shown->place, "allowed here")});
    }

    // A denial under a condition that meets nothing that is allowed. One by name is a lock for what comes.
    void idle_denial(const FilterEntry& entry) {
        if (entry.rule == nullptr || !is_own(entry)) return;
        const auto& allowed = at(allow_, entry.call);
        if (meets(cubes_of(allowed), entry.cubes)) return;
        std::vector<Mark> marks{mark_at(entry.place, "this rule")};
        if (!allowed.empty())
            marks.push_back(mark_at(allowed.front()->place, "allowed here for other arguments"));
        tell("seccomp.idle-rule",
             allowed.empty() ? "denied, and allowed nowhere" : "denied where nothing allows it", entry.call,
             std::move(marks));
    }

    // What takes all of it away, where that stands no further down than the line itself: a child may close
    // what its parent opened, but to open what the parent closed does nothing.
    [[nodiscard]] const FilterEntry* killer_of(const FilterEntry& entry) const {
        std::vector<Cube> left = entry.cubes;
        const FilterEntry* killer = nullptr;
        for (const auto* denial : at(deny_, entry.call)) {
            if (depth(denial->through.document) > depth(entry.through.document)) continue;
            left = without(left, denial->cubes);
            killer = denial;
        }
        return left.empty() ? killer : nullptr;
    }

    // Words of `allow`, and rules, of which nothing is left.
    void dead_words() {
        std::map<std::tuple<std::size_t, unsigned, unsigned>, Entries> words;
        for (const auto& [call, entries] : allow_)
            for (const auto* entry : entries)
                if (is_said(*entry))
                    words[{depth(entry->through.document), entry->through.line, entry->through.column}]
                        .push_back(entry);
        for (const auto& [place, entries] : words) {
            const auto* killer = killer_of(*entries.front());
            const bool dead = killer != nullptr && std::ranges::all_of(entries, [this](const auto* entry) {
                                  return killer_of(*entry) != nullptr;
                              });
            if (!dead) continue;
            const auto& word = *entries.front();
            tell("seccomp.dead-grant", "denied, and deny always wins", word.word,
                 {mark_at(word.through, "allowed here"), mark_at(killer->through, "denied here")});
        }
    }

    // not-in on the same argument in two rules: each lets in what the other keeps out.
    void everything_together(const std::string& call, const Entries& entries) {
        Entries excluding;
        for (const auto* entry : entries) {
            if (entry->always()) return;
            if (is_own(*entry) && !excluded_argument(*entry).empty()) excluding.push_back(entry);
        }
        for (std::size_t i = 1; i < excluding.size(); ++i)
            for (std::size_t j = 0; j < i; ++j) {
                const auto& one = *excluding[j];
                const auto& other = *excluding[i];
                const bool all = without({Cube{}}, cubes_of({&one, &other})).empty();
                if (excluded_argument(one) != excluded_argument(other) || !all) continue;
                return tell("seccomp.rules-allow-all", "allowed with any arguments, by both rules together",
                            call, {mark_at(one.place, "this rule"), mark_at(other.place, "and this")});
            }
    }
    static std::string excluded_argument(const FilterEntry& entry) {
        const auto* when = entry.rule == nullptr ? nullptr : entry.rule->find("when");
        if (when == nullptr) return {};
        for (const auto& condition : when->items)
            if (condition.find("not-in") != nullptr)
                if (const auto* argument = condition.find("arg")) return written(*argument);
        return {};
    }

    // Conditions that look at one half of a 64-bit argument.
    void halves(const FilterEntry& entry) {
        const auto* when = entry.rule == nullptr || !is_own(entry) ? nullptr : entry.rule->find("when");
        const auto* row = find_syscall(entry.call);
        if (when == nullptr || row == nullptr) return;
        for (const auto& condition : when->items) {
            const auto* mask = condition.find("mask");
            const auto* argument = condition.find("arg");
            if (mask == nullptr || argument == nullptr) continue;
            half(entry, *row, *mask, argument->kind == Kind::text ? argument->text : written(*argument));
        }
    }
    void half(const FilterEntry& entry, const SyscallRow& row, const Value& mask, const std::string& name) {
        const auto index = argument_index(row, name);
        if (!index || argument_mask(row, *index) != ~0ULL) return;
        const auto text = mask.kind == Kind::text ? mask.text : written(mask);
        const auto rule = rule_of(entry.call, {{name, text, Condition::Op::in, {"0"}}});
        if (!rule || rule->when.empty()) return;
        const auto bits = rule->when.front().mask.at(*index);
        const auto argument = row.arguments.at(*index).name;
        const bool has_names = constants_of(row.name, argument) != ConstantSet::none;
        if ((bits & kLowHalf) == 0)
            tell("seccomp.wrong-half", fmt::format("the mask looks at the upper half of {} alone", argument),
                 entry.call, {mark_at(mask.place, "this mask")});
        else if (bits == kLowHalf && !has_names)
            tell("seccomp.half-compared",
                 fmt::format("the mask leaves the upper half of {} to the caller", argument), entry.call,
                 {mark_at(mask.place, "this mask")});
    }

    // One member is denied or narrowed, another does the same and is not.
    void twins(const Family& family) {
        for (const auto closed : family.calls)
            for (const auto open : family.calls)
                if (!closed.empty() && !open.empty() && closed != open &&
                    is_wider(std::string(closed), std::string(open)))
                    return twin(family, std::string(closed), std::string(open));
    }

    // The line of one of the profile's files that denies the call, wholly or under a condition, or narrows
    // it.
    [[nodiscard]] const FilterEntry* closed_by(const std::string& call) const {
        for (const auto* denial : at(deny_, call))
            if (is_said(*denial)) return denial;
        for (const auto* entry : at(allow_, call))
            if (entry->rule != nullptr) return entry;
        return nullptr;
    }

    [[nodiscard]] bool is_wider(const std::string& closed, const std::string& open) const {
        const auto left = granted(closed);
        const auto right = granted(open);
        const auto* line = closed_by(closed);
        if (right.empty() || line == nullptr || CallRule{left}.always()) return false;
        if (left.empty()) return line->effect == Effect::deny;
        // Narrowed: what counts is the argument that is asked about, by its name in both calls.
        const auto* one = find_syscall(closed);
        const auto* other = find_syscall(open);
        if (one == nullptr || other == nullptr) return false;
        for (unsigned i = 0; i < one->arguments.size(); ++i) {
            const auto name = one->arguments.at(i).name;
            const bool asked =
                std::ranges::any_of(left, [i](const Cube& cube) { return cube.mask.at(i) != 0; });
            const auto twin = name.empty() || !asked ? std::nullopt : argument_index(*other, name);
            if (twin && !without(shadow_on(right, *twin), shadow_on(left, i)).empty()) return true;
        }
        return false;
    }

    void twin(const Family& family, const std::string& closed, const std::string& open) {
        const auto* line = closed_by(closed);
        const auto& opened = at(allow_, open);
        std::vector<Mark> marks{
            mark_at(line->rule == nullptr ? line->through : line->place,
                    fmt::format("{} is {} here", closed, granted(closed).empty() ? "denied" : "narrowed"))};
        if (!opened.empty())
            marks.push_back(mark_at(opened.front()->through, fmt::format("{} is allowed here", open)));
        tell("seccomp.twin-open", fmt::format("{} is closed, {} can still {}", closed, open, family.does),
             open, std::move(marks));
    }

    const FilterRules* rules_;
    const std::vector<const Document*>* chain_;
    std::vector<Diagnostic>* diagnostics_;
    Side allow_, deny_;
};

}  // namespace

void lint_filter(const std::vector<FilterEntry>& entries, const FilterRules& rules,
                 const std::vector<const Document*>& chain, std::vector<Diagnostic>& diagnostics) {
    FilterLint(entries, rules, chain, diagnostics).run();
}

}  // namespace guard::policies
