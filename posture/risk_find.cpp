#include <algorithm>

#include "posture/compare.h"
#include "posture/risks.h"
#include "posture/syscalls.h"
#include "posture/words.h"

namespace guard {
namespace {

bool has_word(std::string_view words, std::string_view word) {
    for (auto at = words.find(word); at != std::string_view::npos; at = words.find(word, at + 1)) {
        const auto end = at + word.size();
        if ((at == 0 || words[at - 1] == ' ') && (end == words.size() || words[end] == ' ')) return true;
    }
    return false;
}

// The sets of capabilities are of one kind, and so are the maps of ids; "mounts.shared" is no mount.
bool is_field(std::string_view field, std::string_view wanted) {
    if (wanted != "caps" && wanted != "users") return field == wanted;
    return field.starts_with(wanted) && (field.size() == wanted.size() || field[wanted.size()] == '.');
}

// The arguments that a test is about.
std::vector<Cube> region_of(const SyscallRow& call, const RiskArgument& test) {
    const auto index = argument_index(call, test.argument);
    if (!index) return {Cube{}};  // a call without that argument: nothing narrows it
    std::vector<Cube> cubes;
    const auto mask = test.mask & argument_mask(call, *index);
    for (std::size_t i = 0; i < test.count; ++i) {
        Cube cube;
        cube.mask.at(*index) = mask;
        cube.value.at(*index) = test.values.at(i) & mask;
        cubes.push_back(cube);
    }
    return test.match == RiskArgument::Match::one_of ? cubes : without({Cube{}}, cubes);
}

std::vector<Cube> region_of(std::string_view name, const RiskMatch& match) {
    std::vector<Cube> region{Cube{}};
    const auto* call = find_syscall(name);
    for (const auto& test : match.arguments)
        if (call != nullptr && !test.argument.empty()) region = both(region, region_of(*call, test));
    return region;
}

std::vector<Cube> allowed(const Posture& posture, const std::string& call) {
    const auto* rules = value_of(posture.seccomp.access);
    if (rules == nullptr) return {};
    const auto rule = rules->calls.find(call);
    return rule == rules->calls.end() ? std::vector<Cube>{} : rule->second.when;
}

bool asks_arguments(const RiskMatch& match) { return !match.arguments.front().argument.empty(); }

bool brings(const RiskMatch& match, const Change& change, const Posture& from, const Posture& to) {
    const bool loosens = change.shift == Shift::looser || change.shift == Shift::incomparable;
    if (!loosens || !is_field(change.field, match.field)) return false;
    if (!match.items.empty() && !has_word(match.items, change.item)) return false;
    if (match.when != nullptr && !match.when(change.item, to)) return false;
    // A change of one flag of a mount: what the mount was before may have been the same risk.
    if (match.when != nullptr && change.field == "mounts" && match.when(change.item, from)) return false;
    if (!asks_arguments(match)) return true;
    const auto fresh = without(allowed(to, change.item), allowed(from, change.item));
    return !both(fresh, region_of(change.item, match)).empty();
}

void worst_first(std::vector<RiskTaken>& taken) {
    std::ranges::stable_sort(taken, std::greater{}, &RiskTaken::rank);
}

// One right in several fields (a capability in five sets) is one risk.
void add_once(std::vector<RiskTaken>& taken, RiskTaken one) {
    const bool known = std::ranges::any_of(taken, [&one](const RiskTaken& other) {
        return other.check == one.check && other.sites.front().item == one.sites.front().item;
    });
    if (!known) taken.push_back(std::move(one));
}

// The first right of a posture that matches.
const Change* first_of(const RiskMatch& match, const std::vector<Change>& rights, const Posture& posture) {
    static const Posture kNothing = nothing_granted();
    const auto row = std::ranges::find_if(
        rights, [&](const Change& right) { return brings(match, right, kNothing, posture); });
    return row == rights.end() ? nullptr : &*row;
}

// `changes` are those from `from` to `to`. What is taken from nothing is what is there: most often the same.
void add_pairs(std::vector<RiskTaken>& taken, const std::vector<Change>& changes, const Posture& from,
               const Posture& to) {
    const auto before = compare(nothing_granted(), from);
    const auto after = before.empty() ? changes : compare(nothing_granted(), to);
    for (const auto& pair : risk_pairs()) {
        const auto* one = first_of(pair.one, after, to);
        const auto* other = one == nullptr ? nullptr : first_of(pair.other, after, to);
        if (other == nullptr) continue;
        if (first_of(pair.one, before, from) != nullptr && first_of(pair.other, before, from) != nullptr)
            continue;
        taken.push_back({&pair.check,
                         pair.needed_by,
                         {{one->field, one->item, one->to}, {other->field, other->item, other->to}}});
    }
}

}  // namespace

std::vector<RiskTaken> risks_of(const Change& change, const Posture& from, const Posture& to) {
    std::vector<RiskTaken> taken;
    for (const auto& risk : risks())
        if (brings(risk.match, change, from, to))
            taken.push_back({&risk.check, risk.needed_by, {{change.field, change.item, change.to}}});
    worst_first(taken);
    return taken;
}

std::vector<RiskTaken> risks_between(const Posture& from, const Posture& to) {
    std::vector<RiskTaken> taken;
    const auto changes = compare(from, to);
    for (const auto& change : changes)
        for (auto& risk : risks_of(change, from, to)) add_once(taken, std::move(risk));
    add_pairs(taken, changes, from, to);
    worst_first(taken);
    return taken;
}

}  // namespace guard
