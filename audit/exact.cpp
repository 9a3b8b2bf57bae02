#include "audit/exact.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <string_view>
#include <unordered_map>

#include "audit/known.h"
#include "audit/scan.h"
#include "base/ptrace_filters.h"
#include "base/sys.h"
#include "posture/fields.h"
#include "posture/filter/describe.h"
#include "posture/filter/difference.h"
#include "posture/filter/interpreter.h"
#include "posture/filter/name.h"
#include "posture/filter/program_diagram.h"
#include "posture/filter/rules_diagram.h"
#include "posture/securebits.h"

namespace guard::audit {
namespace {

constexpr int kTries = 3;

constexpr std::array<std::string_view, 4> kAsked{"securebits", "seccomp.content", "seccomp.access",
                                                 "landlock.domain"};

// Whether a row of the kernel's walk and what /proc showed are of one thread in one state.
bool agree(const SeenTask& task, const TaskRow& row) {
    const auto& status = task.facts.status;
    const auto* const stat = value_of(task.details.stat);
    return row.pid == task.pid && (stat == nullptr || stat->start == row.start) &&
           row.cap_inheritable == status.cap_inheritable && row.cap_permitted == status.cap_permitted &&
           row.cap_effective == status.cap_effective && row.cap_bounding == status.cap_bounding &&
           row.cap_ambient == status.cap_ambient && row.no_new_privs == status.no_new_privs &&
           row.seccomp == status.seccomp &&
           row.seccomp_filters == status.seccomp_filters.value_or(row.seccomp_filters) && !row.ended;
}

ExactFacts unanswered(const Unknown& why, Ask how) {
    ExactFacts facts;
    facts.filters.emplace(why);
    facts.demanded = how != Ask::when_unproved;
    if (how != Ask::ptrace) facts.securebits.emplace(why), facts.landlock_layers.emplace(why);
    return facts;
}

// What one reading of all threads holds, ready to be looked up.
struct Reading {
    std::unordered_map<pid_t, const TaskRow*> rows;  // by thread
    std::vector<std::string> names;                  // of the filters, by their number
    std::shared_ptr<ReadFilters> read = std::make_shared<ReadFilters>();
};

Reading reading_of(const TaskRows& rows) {
    Reading reading;
    for (const auto& bytes : rows.filters)
        reading.read->bytes.emplace(reading.names.emplace_back(filter_name(bytes)), bytes);
    for (const auto& row : rows.tasks) reading.rows.emplace(row.tid, &row);
    return reading;
}

ExactFacts facts_of(const TaskRow& row, const Reading& reading, Ask how) {
    ExactFacts facts;
    facts.securebits.emplace(row.securebits);
    facts.filters_in_force = row.filters_in_force;
    facts.demanded = how == Ask::bpf;
    facts.read = reading.read;
    facts.filters.emplace(Unknown{
        0, "read its filters: it has more than guard looks at, or one that the kernel kept no copy of"});
    facts.landlock_layers.emplace(
        Unknown{0, "read its Landlock layers: where this kernel keeps them is not known"});
    if (row.landlock_layers) facts.landlock_layers = *row.landlock_layers;
    if (!row.filters) return facts;
    std::vector<std::string> names;
    for (const auto number : *row.filters) names.push_back(reading.names.at(number));
    facts.loads = *row.filters;
    facts.filters.emplace(std::move(names));
    return facts;
}

// Reads a task's rights again; false where it has ended.
bool read_again(SeenTask& task, int proc, NamespaceTable& namespaces) {
    const auto folder =
        sys::openat(proc, fmt::format("{}/task/{}", task.pid, task.tid), O_RDONLY | O_DIRECTORY);
    if (!folder) return false;
    auto facts = read_facts(folder->get(), namespaces);
    if (!facts || facts->status.state == 'Z') return false;
    task.facts = *std::move(facts);
    return true;
}

void ask_by_bpf(Scan& scan, int proc, Ask how, KernelReader& kernel) {
    std::size_t pending = scan.tasks.size();
    for (int attempt = 0; attempt < kTries && pending != 0; ++attempt) {
        const auto rows = kernel.read();
        if (!rows) {
            const auto why = std::get<Unknown>(known(Result<int>(std::unexpected(rows.error()))));
            for (auto& task : scan.tasks) task.exact = unanswered(why, how);
            return;
        }
        const auto reading = reading_of(*rows);
        const bool last = attempt + 1 == kTries;
        std::erase_if(scan.tasks, [&](SeenTask& task) {
            if (attempt != 0 && !task.exact && !read_again(task, proc, scan.namespaces)) return true;
            const auto row = reading.rows.find(task.tid);
            const bool same = row != reading.rows.end() && agree(task, *row->second);
            if (!task.exact && same && (row->second->filters || last))
                task.exact = facts_of(*row->second, reading, how);
            return false;
        });
        pending = static_cast<std::size_t>(
            std::ranges::count_if(scan.tasks, [](const SeenTask& task) { return !task.exact; }));
    }
    for (auto& task : scan.tasks) {
        if (task.exact) continue;
        scan.unstable.insert(task.tid);
        task.exact =
            unanswered({0, "/proc and the kernel's own walk over the tasks differ, three times"}, how);
    }
}

ExactFacts facts_by_ptrace(const SeenTask& task) {
    const auto* const stat = value_of(task.details.stat);
    const auto read = filters_by_ptrace(task.tid, stat == nullptr ? 0 : stat->start);
    auto facts = unanswered({}, Ask::ptrace);
    facts.read = std::make_shared<ReadFilters>();
    facts.filters = map_known(known(read), [&facts](const std::vector<std::string>& filters) {
        std::vector<std::string> names;
        for (const auto& bytes : filters)
            facts.read->bytes.emplace(names.emplace_back(filter_name(bytes)), bytes);
        return names;
    });
    return facts;
}

Known<Named<Lock>> securebits_in_words(const Known<unsigned>& bits) {
    return map_known(bits, [](unsigned set) {
        Named<Lock> words;
        for (const auto& row : kSecureBits)
            if ((set & row.bit) != 0) words[std::string(row.name)] = Lock::held;
        return words;
    });
}

// The filters that a task got with or after its launch: those below were on guard itself. Where none was
// recorded, it is somebody else's launch, and all of them hold it.
std::vector<std::string> own_filters(const std::vector<std::string>& newest_first, const Posture& launched,
                                     std::size_t recorded) {
    const auto* const count = value_of(launched.seccomp.filters);
    const std::size_t below =
        count == nullptr || recorded == 0 || count->least < recorded ? 0 : count->least - recorded;
    const auto kept = newest_first.size() > below ? newest_first.size() - below : 0;
    return {newest_first.begin(), newest_first.begin() + static_cast<std::ptrdiff_t>(kept)};
}

// Whether all filters that were recorded are among those it has; where none was, only their meaning tells.
bool has_all(const std::vector<std::string>& names, const Named<Lock>& recorded) {
    if (recorded.empty()) return names.empty();  // without any filter: its mode tells
    return std::ranges::all_of(
        recorded, [&names](const auto& one) { return std::ranges::find(names, one.first) != names.end(); });
}

// What these filters let through that the rules do not, by meaning: for every call and every argument.
Result<std::vector<FilterChange>> looser_answers(const FilterRules& rules,
                                                 const std::vector<std::string>& newest_first,
                                                 const ReadFilters& read) {
    std::vector<std::vector<sock_filter>> oldest_first;
    for (const auto& name : newest_first | std::views::reverse)
        oldest_first.push_back(TRY(filter_program(read.bytes.at(name))));
    Diagrams diagrams;
    const auto declared = TRY(diagram_of(diagrams, rules));
    const auto seen = TRY(diagram_of(diagrams, std::span<const std::vector<sock_filter>>(oldest_first)));
    auto changes = TRY(difference(diagrams, declared, seen));
    std::erase_if(changes, [](const FilterChange& change) { return !change.looser; });
    return changes;
}

// The same, found out once for all tasks that carry the same filters.
const Result<std::vector<FilterChange>>& looser_than(const FilterRules& rules,
                                                     const std::vector<std::string>& newest_first,
                                                     const ExactFacts& facts) {
    auto key = std::pair{&rules, fmt::format("{}", fmt::join(newest_first, " "))};
    const auto known_one = facts.read->looser.find(key);
    if (known_one != facts.read->looser.end()) return known_one->second;
    return facts.read->looser.emplace(std::move(key), looser_answers(rules, newest_first, *facts.read))
        .first->second;
}

// What its filters are, and whether they allow what the launched ones do.
void fill_filters(Seccomp& seen, const Posture& launched, const ExactFacts& facts) {
    const auto* const recorded = value_of(launched.seccomp.content);
    const auto* const rules = value_of(launched.seccomp.access);
    const auto* const names = value_of(*facts.filters);
    if (recorded == nullptr || rules == nullptr || names == nullptr) return;
    const auto own = own_filters(*names, launched, recorded->size());
    Named<Lock> content;
    if (!recorded->empty())
        for (const auto& name : own) content[name] = Lock::held;
    seen.access = launched.seccomp.access;  // more filters allow no more; what others allow is told by name
    if (!has_all(own, *recorded)) {
        const auto& changes = looser_than(*rules, own, facts);
        if (!changes) seen.access = Unknown{changes.error().code, describe(changes.error())};
        // Other bytes of the same meaning, or of a tighter one: a guard of another version compiles
        // otherwise.
        if (changes && changes->empty()) content = *recorded;
    }
    seen.content = std::move(content);
}

// An answer that is missing leaves a proof standing, unless the kernel's own word was demanded.
template <class T>
void take(Known<T>& field, Known<T> answer, const ExactFacts& facts) {
    auto* const missing = std::get_if<Unknown>(&answer);
    if (missing != nullptr && !facts.demanded) {
        if (value_of(field) != nullptr) return;
        if (const auto* const unproved = std::get_if<Unknown>(&field))
            missing->why = unproved->why + "; " + missing->why;
    }
    field = std::move(answer);
}

void fill_landlock(Landlock& seen, const Posture& launched, const ExactFacts& facts) {
    take(seen.domain,
         map_known(*facts.landlock_layers,
                   [](unsigned layers) { return layers > 0 ? Lock::held : Lock::open; }),
         facts);
    const auto* const domain = value_of(seen.domain);
    if (domain == nullptr || *domain == Lock::held) return;
    // Outside any domain there are no rules that could differ: the one finding says all.
    seen.read = launched.landlock.read;
    seen.write = launched.landlock.write;
    seen.execute = launched.landlock.execute;
}

}  // namespace

Result<TaskRows> KernelReader::read() {
    if (!iterator_) iterator_.emplace(TaskIterator::open(kept_));
    if (!*iterator_) return std::unexpected(iterator_->error());
    return (*iterator_)->read();
}

bool is_unproved(const Posture& launched, const Posture& observed) {
    bool unproved = false;
    each_field(launched, observed, [&unproved](std::string_view name, const auto& from, const auto& to) {
        const bool missing = !std::holds_alternative<Unknown>(from) && std::holds_alternative<Unknown>(to);
        unproved |= missing && std::ranges::find(kAsked, name) != kAsked.end();
    });
    return unproved;
}

void ask_kernel(Scan& scan, int proc, Ask how, KernelReader& kernel) {
    if (how != Ask::ptrace) return ask_by_bpf(scan, proc, how, kernel);
    for (auto& task : scan.tasks) task.exact = facts_by_ptrace(task);
}

Known<bool> share_a_load(const ExactFacts& one, const ExactFacts& other, const Named<Lock>& recorded) {
    const auto* const names = one.filters ? value_of(*one.filters) : nullptr;
    if (names == nullptr || one.loads.size() != names->size() || !other.filters ||
        value_of(*other.filters) == nullptr || one.read != other.read)
        return Unknown{0, "their filters were not read at once"};
    for (std::size_t i = 0; i < one.loads.size(); ++i)
        if (recorded.contains(names->at(i)) &&
            std::ranges::find(other.loads, one.loads[i]) != other.loads.end())
            return true;
    return false;
}

std::string newly_allowed(const Posture& launched, const ExactFacts& facts) {
    constexpr std::size_t kMostNamed = 8;
    const auto* const recorded = value_of(launched.seccomp.content);
    const auto* const rules = value_of(launched.seccomp.access);
    const auto* const names = facts.filters ? value_of(*facts.filters) : nullptr;
    if (recorded == nullptr || rules == nullptr || names == nullptr) return {};
    const auto own = own_filters(*names, launched, recorded->size());
    if (has_all(own, *recorded)) return {};
    const auto& changes = looser_than(*rules, own, facts);
    if (!changes || changes->empty()) return {};
    std::vector<std::string> words;
    for (const auto& change : *changes | std::views::take(kMostNamed))
        words.push_back(subject_in_words(change));
    auto all = fmt::format("{}", fmt::join(words, ", "));
    if (changes->size() > kMostNamed) all += fmt::format(" and {} more", changes->size() - kMostNamed);
    return all;
}

std::string print_of(const std::optional<ExactFacts>& facts) {
    if (!facts) return {};
    const auto number = [](const std::optional<Known<unsigned>>& fact) {
        const auto* const value = fact ? value_of(*fact) : nullptr;
        return value == nullptr ? -1L : static_cast<long>(*value);
    };
    const auto* const names = facts->filters ? value_of(*facts->filters) : nullptr;
    return fmt::format("{} {} {} {}", number(facts->securebits), number(facts->landlock_layers),
                       facts->filters_in_force,
                       names == nullptr ? "?" : fmt::format("{}", fmt::join(*names, ",")));
}

void fill_exact(Posture& observed, const Posture& launched, const ExactFacts& facts) {
    if (facts.securebits) take(observed.securebits, securebits_in_words(*facts.securebits), facts);
    if (facts.landlock_layers) fill_landlock(observed.landlock, launched, facts);
    if (!facts.filters) return;
    if (const auto* const missing = std::get_if<Unknown>(&*facts.filters)) {
        take(observed.seccomp.content, Known<Named<Lock>>(*missing), facts);
        take(observed.seccomp.access, Known<FilterRules>(*missing), facts);
    }
    fill_filters(observed.seccomp, launched, facts);
    if (!facts.filters_in_force) observed.seccomp.mode = Lock::open;
}

}  // namespace guard::audit
