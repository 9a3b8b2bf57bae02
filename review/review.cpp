#include "review/review.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/units.h"
#include "review/bar.h"
#include "review/pair_review.h"
#include "review/revisions.h"

namespace guard::review {
namespace {

// Not access by themselves: another way to refuse or to log, names, what runs with the same rights, and a
// pair whose parts are told each on its own.
bool is_access(const Finding& finding) {
    constexpr auto kOthers = std::to_array<std::string_view>(
        {"seccomp.failure", "seccomp.sockets-past-the-filter", "hostname", "service.run"});
    if (finding.check->id == "seccomp.supervision") return finding.verdict == Verdict::weaker;
    return std::ranges::find(kOthers, finding.check->id) == kOthers.end();
}

// Of one severity what reaches most profiles comes first; of one line, what reads alike stands together.
void bring_together(std::vector<Finding>& findings) {
    const auto key = [](const Finding& one) {
        return std::tuple(-static_cast<int>(one.severity), ~one.subjects.size(), one.check->id,
                          std::string_view(one.where.file), one.where.line,
                          std::string_view(one.notes.means));
    };
    std::ranges::stable_sort(findings, {}, key);
}

class Reviewer {
public:
    Reviewer(const Request& request, Revisions& sides) : request_(&request), sides_(&sides) {}

    Result<Review> run() {
        const auto bar = requirements_of(sides_->base);
        const auto head_bar = requirements_of(sides_->head);
        // Where the head looks for profiles besides, it may have moved some to.
        auto paths = bar.paths;
        for (const auto& path : head_bar.paths)
            if (std::ranges::find(paths, path) == paths.end()) paths.push_back(path);
        read(sides_->base, sides_->base_paths, paths);
        read(sides_->head, sides_->head_paths, paths);
        if (sides_->base.members.empty() && sides_->head.members.empty() && !broken())
            return fail("review",
                        fmt::format("there is no profile below {} on either side",
                                    fmt::join(sides_->base_paths.empty() ? paths : sides_->base_paths, ", ")),
                        "name them as PATH, or in `paths` of .guard.toml");
        const Lines base_lines(sides_->base);
        const Lines head_lines(sides_->head);
        for (const auto& pair : pairs_of(sides_->base, sides_->head))
            judge_pair(pair, base_lines, head_lines);
        diagnostics(sides_->base);
        diagnostics(sides_->head);
        std::ranges::move(lowered_bar(bar, head_bar, base_lines, head_lines),
                          std::back_inserter(made_.findings));
        made_.findings = merged(std::move(made_.findings), Units::together);
        bring_together(made_.findings);
        measure(bar);
        note_memory();
        conclude();
        return std::move(made_);
    }

private:
    // The caller may ask for more than the base does, not for less.
    void measure(const Requirements& bar) {
        const auto asked = request_->fail_on.value_or(bar.fail_on);
        const bool says_none =
            sides_->base.is_file || sides_->base.tree->kind(kRequirementsFile) != NodeKind::file;
        made_.fail_on = says_none ? asked : std::min(bar.fail_on, asked);
        made_.root = sides_->head.root;
        made_.verdict.base = sides_->base.says;
        made_.verdict.head = sides_->head.says;
        made_.verdict.required =
            request_->require_no_new_access || bar.require.contains(std::string(kNoNewAccess));
    }

    void read(Side& side, const std::vector<std::string>& asked, const std::vector<std::string>& paths) {
        read_members(side, asked.empty() ? paths : asked, docker_capabilities());
    }

    [[nodiscard]] bool broken() const {
        return !sides_->base.diagnostics.empty() || !sides_->head.diagnostics.empty();
    }

    void judge_pair(const Pair& pair, const Lines& base_lines, const Lines& head_lines) {
        const auto& member = *(pair.head == nullptr ? pair.base : pair.head);
        made_.units.push_back({member.unit, member.path});
        bool readable = true;
        for (const auto* side : {pair.base, pair.head}) {
            if (side == nullptr || profile_of(side) != nullptr) continue;
            readable = false;
            unreadable(side == pair.base ? sides_->base : sides_->head, member.unit, side->diagnostics);
        }
        if (!readable) return;
        note_assumed(pair);
        std::ranges::move(
            pair_findings(pair, base_lines, head_lines, waivers_of(sides_->base), request_->today),
            std::back_inserter(made_.findings));
    }

    static std::vector<Waiver> waivers_of(const Side& side) {
        std::vector<Waiver> waivers;
        for (const auto& member : side.members)
            if (const auto* const profile = profile_of(&member); profile != nullptr)
                waivers.insert(waivers.end(), profile->waivers.begin(), profile->waivers.end());
        return waivers;
    }

    void note_assumed(const Pair& pair) {
        for (const auto* member : {pair.base, pair.head}) {
            if (member == nullptr || !member->json || member->json->assumed.empty()) continue;
            auto note = fmt::format("the filter depends on capabilities: worked out for {}, on x86-64",
                                    member->json->assumed);
            if (std::ranges::find(made_.verdict.notes, note) == made_.verdict.notes.end())
                made_.verdict.notes.push_back(std::move(note));
        }
    }

    // Only servers count: what has no command is there to be extended.
    static std::optional<std::uint64_t> memory_of(const Side& side) {
        std::uint64_t sum = 0;
        for (const auto& member : side.members) {
            if (!member.profile || member.profile->service.command.empty()) continue;
            const auto* const limits = value_of(member.profile->posture.limits);
            const auto memory =
                limits == nullptr ? Named<Ceiling<std::uint64_t>>::const_iterator{} : limits->find("memory");
            if (limits == nullptr || memory == limits->end() || !memory->second.most) return std::nullopt;
            sum += *memory->second.most;
        }
        return sum;
    }

    // Each limit may be right by itself, and all together too much for one machine.
    void note_memory() {
        const auto before = memory_of(sides_->base);
        const auto after = memory_of(sides_->head);
        if (!before || !after || *before >= *after) return;
        made_.verdict.notes.push_back(
            fmt::format("the memory limits of all servers now add up to {}, from {}: see that the machine "
                        "has more",
                        format_size(*after), format_size(*before)));
    }

    void unreadable(const Side& side, const std::string& unit, const std::vector<Diagnostic>& diagnostics) {
        const auto where = diagnostics.empty() || diagnostics.front().marks.empty()
                               ? Where{}
                               : diagnostics.front().marks.front().where;
        auto finding = raise("review.unreadable", Subject{.unit = unit}, "", "", where);
        finding.verdict = Verdict::unknown;
        finding.title = finding.check->title;
        finding.fix = finding.check->fix;
        finding.reason =
            fmt::format("it can't be read in {}: {}", side.name,
                        diagnostics.empty() ? "no reason is known" : diagnostics.front().message);
        finding.notes.in_base = &side == &sides_->base;
        made_.findings.push_back(std::move(finding));
        for (const auto& diagnostic : diagnostics) tell(diagnostic, side);
    }

    // What is wrong with a file that many extend is told once.
    void tell(Diagnostic diagnostic, const Side& side) {
        diagnostic.message = fmt::format("{}, in {}", diagnostic.message, side.name);
        const auto is_told = [&diagnostic](const Diagnostic& other) {
            const bool same_place =
                other.marks.empty() == diagnostic.marks.empty() &&
                (other.marks.empty() || other.marks[0].where == diagnostic.marks[0].where);
            return same_place && other.message == diagnostic.message;
        };
        if (std::ranges::none_of(made_.diagnostics, is_told))
            made_.diagnostics.push_back(std::move(diagnostic));
    }

    void diagnostics(const Side& side) {
        for (const auto& diagnostic : side.diagnostics) {
            const auto& where = diagnostic.marks.empty() ? Where{} : diagnostic.marks.front().where;
            unreadable(side, where.file, {diagnostic});
        }
    }

    // The answer as a whole: a waived right was looked at by somebody before, so it is no counterexample.
    void conclude() {
        auto& verdict = made_.verdict;
        bool same = true;
        bool unknown = false;
        for (const auto& finding : made_.findings) {
            const bool about_the_bar =
                finding.check->id.starts_with("waiver.") || finding.check->id == "review.requirement";
            if (about_the_bar) continue;
            same = false;
            if (finding.waiver) continue;
            unknown = unknown || finding.verdict == Verdict::unknown;
            if (!grants_more(finding) || !is_access(finding) || !verdict.counterexample.empty()) continue;
            verdict.counterexample = counterexample(finding);
        }
        verdict.access = !verdict.counterexample.empty() ? Access::more
                         : unknown                       ? Access::unknown
                         : same                          ? Access::same
                                                         : Access::no_more;
    }

    static std::string counterexample(const Finding& finding) {
        const auto& origin = finding.notes.origin;
        const bool by_parent = !origin.empty() && !origin.starts_with('@');
        const auto& unit = by_parent ? origin : finding.subjects.front().unit;
        if (!finding.notes.witness.empty())
            return fmt::format("{} was refused in the base, runs in the head (profile {})",
                               finding.notes.witness, unit);
        return fmt::format("profile {}: {}", unit, finding.title);
    }

    const Request* request_;
    Revisions* sides_;
    Review made_;
};

}  // namespace

Result<Review> review(const Request& request) {
    auto sides = TRY(open_revisions(request));
    return Reviewer(request, sides).run();
}

}  // namespace guard::review
