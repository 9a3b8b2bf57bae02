#include "review/filter_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "posture/compare.h"
#include "posture/filter/describe.h"
#include "posture/filter/difference.h"
#include "posture/filter/rules_diagram.h"

namespace guard::review {
namespace {

struct EffectRow {
    Effect effect;
    std::string_view check;
    Verdict verdict;
};
constexpr auto kEffects = std::to_array<EffectRow>({
    {Effect::new_access, "seccomp.access", Verdict::weaker},
    {Effect::lost_access, "seccomp.access", Verdict::tighter},
    {Effect::changed_failure, "seccomp.failure", Verdict::changed},
    {Effect::changed_supervision, "seccomp.supervision", Verdict::changed},
});
const EffectRow& row_of(Effect effect) { return *std::ranges::find(kEffects, effect, &EffectRow::effect); }

std::string abi_of(const FilterChange& change) {
    if (change.abi == nullptr) return "other architectures";
    return change.abi->abi == Abi::x86_64 ? "x86-64" : std::string(change.abi->name);
}

// What reads alike on several ABIs is one finding.
struct Alike {
    const FilterChange* first = nullptr;
    std::vector<std::string> abis;
};

// Filters of other runtimes compare all 64 bits also where the kernel looks at fewer. Where that is all there
// is to it, it reads as on the other ABIs.
std::string arguments_of(const FilterChange& change) {
    if (change.arguments.always()) return "with any arguments";
    constexpr std::string_view kWide = " with all its 64 bits";
    const auto abi = change.abi == nullptr ? Abi::x86_64 : change.abi->abi;
    auto words = "where " + arguments_in_words(change.call, abi, change.arguments);
    for (auto at = words.find(kWide); at != std::string::npos; at = words.find(kWide, at))
        words.erase(at, kWide.size());
    return words;
}

std::string name_of(const FilterChange& change) {
    return change.call == nullptr ? subject_in_words(change) : std::string(change.call->name);
}

class FilterReview {
public:
    FilterReview(const FilterRules& from, const FilterRules& to, const Subject& subject)
        : from_(&from), to_(&to), subject_(&subject) {}

    std::vector<Finding> findings() {
        Diagrams diagrams;
        const auto changes = compared(diagrams);
        if (!changes) return {unknown(changes.error())};
        other_abis(*changes);
        for (const auto& [meaning, alike] : grouped(*changes)) add(alike);
        fold_defaults();
        fold_failures();
        other_route();
        logging();
        return std::move(found_);
    }

private:
    Result<std::vector<FilterChange>> compared(Diagrams& diagrams) const {
        const auto before = TRY(diagram_of(diagrams, *from_));
        const auto after = TRY(diagram_of(diagrams, *to_));
        return difference(diagrams, before, after);
    }

    Finding unknown(const Error& error) const {
        auto finding = raise("seccomp.access", *subject_, "", "");
        finding.verdict = Verdict::unknown;
        finding.title = "the filters could not be compared";
        finding.reason = describe(error);
        return finding;
    }

    [[nodiscard]] bool opens_or_closes(const FilterChange& change) const {
        return change.abi != nullptr && from_->abis.contains(std::string(change.abi->name)) !=
                                            to_->abis.contains(std::string(change.abi->name));
    }

    // An ABI that is let in, or killed from now on, is one change, not one for each call.
    void other_abis(const std::vector<FilterChange>& changes) {
        std::map<std::string, std::pair<const FilterChange*, std::size_t>> abis;
        for (const auto& change : changes) {
            if (!opens_or_closes(change)) continue;
            auto& [first, count] = abis[abi_of(change)];
            const bool access = change.effect == Effect::new_access || change.effect == Effect::lost_access;
            if (first == nullptr || (access && first->effect == Effect::changed_failure)) first = &change;
            if (access) ++count;
        }
        for (const auto& [name, abi] : abis) {
            const bool opens = to_->abis.contains(name);
            auto finding = raise("seccomp.access", *subject_, opens ? "the process is killed" : "let in",
                                 opens ? "let in" : "the process is killed");
            finding.item = "abi " + name;
            finding.verdict = opens ? Verdict::weaker : Verdict::tighter;
            finding.notes.means = fmt::format("{} -> {}, {} calls of programs built for it", finding.expected,
                                              finding.observed, abi.second);
            finding.notes.witness = call_in_words(abi.first->witness);
            found_.push_back(std::move(finding));
        }
    }

    using Meaning = std::tuple<std::string, Effect, std::uint32_t, std::uint32_t, std::string>;
    [[nodiscard]] std::map<Meaning, Alike> grouped(const std::vector<FilterChange>& changes) const {
        std::map<Meaning, Alike> groups;
        for (const auto& change : changes) {
            if (opens_or_closes(change)) continue;
            auto& alike =
                groups[{name_of(change), change.effect, change.before, change.after, arguments_of(change)}];
            if (alike.first == nullptr) alike.first = &change;
            alike.abis.push_back(abi_of(change));
        }
        return groups;
    }

    void add(const Alike& alike) {
        const auto& change = *alike.first;
        const auto& row = row_of(change.effect);
        auto finding =
            raise(row.check, *subject_, answer_in_words(change.before), answer_in_words(change.after));
        const bool only_foreign = change.abi == nullptr || change.abi->abi != Abi::x86_64;
        finding.item = only_foreign ? subject_in_words(change) : name_of(change);
        if (change.call == nullptr && from_->on_unknown != to_->on_unknown)
            finding.item = std::string(kUnknownCalls);
        finding.verdict =
            change.effect == Effect::changed_supervision && change.looser ? Verdict::weaker : row.verdict;
        finding.notes.means =
            fmt::format("{} -> {}, {}", finding.expected, finding.observed, arguments_of(change));
        if (to_->abis.size() > 1 && change.call != nullptr && !only_foreign)
            finding.notes.means += fmt::format(" ({})", fmt::join(alike.abis, ", "));
        // Said beside a condition, which would look more exact than it is.
        const auto unseen =
            change.call == nullptr ? std::string_view() : unseen_by_filters(change.call->name);
        if (!unseen.empty() && row.verdict == Verdict::weaker && !change.arguments.always())
            finding.notes.means += fmt::format("; {}", unseen);
        finding.notes.witness = call_in_words(change.witness);
        found_.push_back(std::move(finding));
    }

    // A list that allows whatever it does not name is one line, and worse than any call that it lets in.
    void fold_defaults() {
        const auto is_open = [](const FilterRules& rules) {
            return rules.on_denied == Denial::allow_and_log || rules.on_unknown == Denial::allow_and_log;
        };
        if (is_open(*from_) == is_open(*to_)) return;
        const auto verdict = is_open(*to_) ? Verdict::weaker : Verdict::tighter;
        const auto is_part = [&](const Finding& one) {
            return one.check->id == "seccomp.access" && one.verdict == verdict &&
                   !one.item.starts_with("abi ");
        };
        const auto first = std::ranges::find_if(found_, is_part);
        if (first == found_.end()) return;
        auto whole = *first;
        const auto count = std::ranges::count_if(found_, is_part);
        whole.item = std::string(kDeniedCalls);
        whole.notes.means = fmt::format(
            "{} -> {}, {} calls that are not named, and every number that a "
            "newer kernel gives a meaning",
            whole.expected, whole.observed, count);
        std::erase_if(found_, is_part);
        found_.push_back(std::move(whole));
    }

    // Another answer for whatever is not allowed touches hundreds of calls, and is one line of the profile.
    void fold_failures() {
        constexpr std::size_t kMany = 12;
        std::map<std::pair<std::string, std::string>, std::vector<Finding>> failures;
        for (auto& finding : found_)
            if (finding.check->id == "seccomp.failure")
                failures[{finding.expected, finding.observed}].push_back(finding);
        for (auto& [answers, group] : failures) {
            if (group.size() < kMany) continue;
            std::erase_if(found_, [&answers](const Finding& one) {
                return one.check->id == "seccomp.failure" && one.expected == answers.first &&
                       one.observed == answers.second;
            });
            auto whole = group.front();
            whole.notes.means =
                fmt::format("{} -> {}, {} calls: {}, {}, {} and more", answers.first, answers.second,
                            group.size(), group[0].item, group[1].item, group[2].item);
            whole.item = std::string(kDeniedCalls);
            found_.push_back(std::move(whole));
        }
    }

    // socketcall(2) has its arguments in memory, so no filter can tell families apart there. It counts where
    // the change means to close one, or opens the route.
    void other_route() {
        const auto route = [](const FilterRules& rules) {
            return rules.abis.contains("i386") && rules.calls.contains("socketcall");
        };
        const auto narrow = to_->calls.find("socket");
        const bool closed = narrow == to_->calls.end() || !narrow->second.always();
        const auto before = from_->calls.find("socket");
        const bool closes_more = before != from_->calls.end() &&
                                 (narrow == to_->calls.end() || !implies(before->second, narrow->second));
        if (!route(*to_) || !closed || (route(*from_) && !closes_more)) return;
        auto finding = raise("seccomp.sockets-past-the-filter", *subject_, "", "");
        finding.item = "socketcall of i386";
        finding.notes.means =
            "socket refuses some families, socketcall of 32-bit programs makes them all: its "
            "arguments are in memory, where no filter can look";
        finding.notes.witness = "socketcall(SYS_SOCKET, ...) of i386";
        found_.push_back(std::move(finding));
    }

    void logging() {
        if (from_->log_denied == to_->log_denied) return;
        const auto words = [](bool log) { return log ? "logged" : "not logged"; };
        auto finding =
            raise("seccomp.supervision", *subject_, words(from_->log_denied), words(to_->log_denied));
        finding.item = kLogged;
        finding.verdict = to_->log_denied ? Verdict::tighter : Verdict::changed;
        found_.push_back(std::move(finding));
    }

    const FilterRules *from_, *to_;
    const Subject* subject_;
    std::vector<Finding> found_;
};

}  // namespace

std::vector<Finding> filter_changes(const FilterRules& from, const FilterRules& to, const Subject& subject) {
    if (from == to) return {};
    return FilterReview(from, to, subject).findings();
}

}  // namespace guard::review
