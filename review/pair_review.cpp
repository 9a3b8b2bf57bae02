#include "review/pair_review.h"

#include <fmt/format.h>

#include <algorithm>

#include "posture/waivers.h"
#include "review/filter_change.h"
#include "review/gates.h"
#include "review/mount_change.h"
#include "review/place.h"
#include "review/risk.h"
#include "review/service_change.h"
#include "review/title.h"

namespace guard::review {
namespace {

bool is_filter_alone(const Member* member) {
    return member != nullptr && member->json && member->json->form == FromJson::Form::seccomp;
}

// A seccomp profile says nothing but what its filter does: of the other side, nothing else counts either.
Posture filter_alone(const Posture& posture) {
    Posture made;
    made.seccomp.access = posture.seccomp.access;
    return made;
}

// A capability that a profile gives is in several sets, a port that is published is one to listen on: one
// right, told once, by the field that says most.
struct EchoRow {
    std::string_view field, of;
};
constexpr auto kEchoes = std::to_array<EchoRow>({
    {"caps.bounding", "caps.effective"},
    {"caps.permitted", "caps.effective"},
    {"caps.inheritable", "caps.effective"},
    {"caps.ambient", "caps.effective"},
    {"identity.gid", "identity.uid"},
    {"users.gid-map", "users.uid-map"},
});

// What another finding says already, whatever the values: the interfaces of a network that it joins or
// leaves, and the number of filters where there is none.
constexpr auto kFollowers = std::to_array<EchoRow>({
    {"network.interfaces", "service.network"},
    {"seccomp.filters", "seccomp.mode"},
});

bool is_echo(const Finding& finding, const std::vector<Finding>& all) {
    if (finding.check->id == "network.listen")
        return std::ranges::any_of(all, [&](const Finding& other) {
            return other.check->id == "network.publish" && other.verdict == finding.verdict &&
                   other.item.ends_with(":" + finding.item);
        });
    constexpr std::string_view kSoft = ":soft";
    if (finding.check->id == "rlimits" && finding.item.ends_with(kSoft))
        return std::ranges::any_of(all, [&](const Finding& hard) {
            return hard.check == finding.check && hard.item + std::string(kSoft) == finding.item &&
                   hard.verdict == finding.verdict && hard.observed == finding.observed &&
                   hard.expected == finding.expected;
        });
    const auto* const follower = std::ranges::find(kFollowers, finding.check->id, &EchoRow::field);
    if (follower != kFollowers.end())
        return std::ranges::any_of(all, [&](const Finding& one) { return one.check->id == follower->of; });
    const auto* const row = std::ranges::find(kEchoes, finding.check->id, &EchoRow::field);
    return row != kEchoes.end() && std::ranges::any_of(all, [&](const Finding& other) {
               return other.check->id == row->of && other.item == finding.item &&
                      other.verdict == finding.verdict && other.expected == finding.expected &&
                      other.observed == finding.observed;
           });
}

// What is below a place that nothing is mounted on any more: in a file tree that guard makes, an empty
// directory. compare() can't know that, for an observed task's tree may hold anything.
void settle_mount(Finding& finding, const Posture& to) {
    const auto* const tree = value_of(to.mounts);
    const bool gone =
        finding.check->id == "mounts" && finding.observed.empty() && finding.verdict == Verdict::changed;
    if (!gone || tree == nullptr) return;
    const auto above = std::ranges::find_if(tree->rbegin(), tree->rend(), [&finding](const auto& row) {
        return row.first == "/" || finding.item.starts_with(row.first + "/");
    });
    if (above != tree->rend() && above->second.type != "host") return;
    finding.verdict = Verdict::tighter;
}

// One pair of profiles, judged.
class PairReview {
public:
    PairReview(const Pair& pair, const Lines& base_lines, const Lines& head_lines,
               const std::vector<Waiver>& base_waivers, std::chrono::year_month_day today)
        : pair_(pair),
          base_(profile_of(pair.base)),
          head_(profile_of(pair.head)),
          filters_only_(is_filter_alone(pair.base) || is_filter_alone(pair.head)),
          from_(posture_of(base_)),
          to_(posture_of(head_)),
          subject_{.unit = (pair.head == nullptr ? pair.base : pair.head)->unit},
          placer_(pair, base_, head_, base_lines, head_lines),
          base_waivers_(&base_waivers),
          today_(today) {}

    std::vector<Finding> findings() {
        filter();
        postures();
        if (!filters_only_)
            std::ranges::move(service_changes(base_, head_, subject_), std::back_inserter(found_));
        unsaid();
        pairs();
        const auto all = found_;
        std::erase_if(found_, [&all](const Finding& finding) { return is_echo(finding, all); });
        for (auto& finding : found_) {
            tell_as_change(finding);
            rank_by_risk(finding, from_, to_);
            placer_.place(finding);
        }
        if (base_ == nullptr) tell_as_new();
        if (head_ == nullptr) fold_what_is_gone();
        waivers();
        return std::move(found_);
    }

private:
    void tell_as_new() {
        std::erase_if(found_, [](const Finding& one) { return one.check->id == "seccomp.failure"; });
        fold_harmless_calls();
        auto made = raise("review.profile-new", subject_, "", "there", {pair_.head->path, 0, 0});
        made.title = made.check->title;
        found_.push_back(std::move(made));
    }

    // A new profile allows some two hundred calls that every program needs: nobody reads them one by one.
    void fold_harmless_calls() {
        std::vector<Finding> kept;
        std::vector<Finding> calls;
        for (auto& finding : found_) {
            const bool harmless = finding.check->id == "seccomp.access" &&
                                  finding.severity <= Severity::low && finding.verdict == Verdict::weaker;
            (harmless ? calls : kept).push_back(std::move(finding));
        }
        found_ = std::move(kept);
        if (calls.empty()) return;
        auto whole = calls.front();
        whole.item = fmt::format("{} calls that carry no risk of their own", calls.size());
        whole.title = "newly allows " + whole.item;
        whole.where = {pair_.head->path, 0, 0};
        whole.notes.added.clear();
        found_.push_back(std::move(whole));
    }

    void fold_what_is_gone() {
        found_.clear();
        auto gone = raise("review.profile-gone", subject_, "there", "", {pair_.base->path, 0, 0});
        gone.title = gone.check->title;
        gone.verdict = Verdict::tighter;
        gone.notes.in_base = true;
        found_.push_back(std::move(gone));
    }

    [[nodiscard]] Posture posture_of(const Profile* profile) const {
        const auto whole = profile == nullptr ? nothing_granted() : profile->posture;
        return filters_only_ ? filter_alone(whole) : whole;
    }

    void filter() {
        const auto* const before = value_of(from_.seccomp.access);
        const auto* const after = value_of(to_.seccomp.access);
        if (before != nullptr && after != nullptr) found_ = filter_changes(*before, *after, subject_);
        auto gated = gated_changes(pair_, found_, subject_);
        std::ranges::move(gated, std::back_inserter(found_));
    }

    void postures() {
        auto from = from_;
        auto to = to_;
        // Told by itself, or by seccomp.mode where one side has no filter at all.
        from.seccomp.access = to.seccomp.access = Absent{"told by itself"};
        const Case judged{subject_, &from, &to};
        for (auto& finding : judge(std::span(&judged, 1), Against::earlier, today_)) {
            settle_mount(finding, to);
            const auto options = finding.verdict == Verdict::weaker && finding.check->id == "mounts"
                                     ? options_in_words(to, finding.item)
                                     : std::string();
            if (!options.empty()) finding.observed += ", " + options;
            found_.push_back(std::move(finding));
        }
        std::ranges::move(mount_changes(from, to, subject_), std::back_inserter(found_));
    }

    // Of filters alone, what is told is what differs, and nothing that follows from it.
    void pairs() {
        if (filters_only_) return;
        for (auto& pair : new_pairs(from_, to_, subject_)) {
            const bool told =
                std::ranges::any_of(found_, [&](const Finding& one) { return one.check == pair.check; });
            if (!told) found_.push_back(std::move(pair));
        }
    }

    // Of JSON: what no posture holds. The same on both sides is no change; else nobody knows what it does.
    void unsaid() {
        static const std::map<std::string, std::string> kNone;
        const auto of = [](const Member* member) -> const std::map<std::string, std::string>& {
            return member != nullptr && member->json ? member->json->unsaid : kNone;
        };
        auto before = of(pair_.base);
        for (const auto& [path, text] : of(pair_.head)) {
            const auto old = before.extract(path);
            if (!old.empty() && old.mapped() == text) continue;
            unsaid(path, old.empty() ? "" : old.mapped(), text);
        }
        for (const auto& [path, text] : before) unsaid(path, text, "");
    }

    // Of a call that is answered in a way that rules can't say, what they say instead is no news.
    void unsaid(const std::string& path, std::string before, std::string after) {
        constexpr std::string_view kCall = "syscalls.";
        if (const auto at = path.find(kCall); at != std::string::npos)
            std::erase_if(found_, [call = path.substr(at + kCall.size())](const Finding& one) {
                return one.verdict == Verdict::tighter && one.item == call;
            });
        auto finding = raise("review.unsaid", subject_, std::move(before), std::move(after));
        finding.item = path;
        finding.title = finding.check->title;
        finding.verdict = Verdict::unknown;
        finding.reason = fmt::format("guard does not judge {}: {} -> {}", path,
                                     finding.expected.empty() ? "nothing" : finding.expected,
                                     finding.observed.empty() ? "nothing" : finding.observed);
        found_.push_back(std::move(finding));
    }

    static bool same_waiver(const Waiver& one, const Waiver& other) {
        return one.finding == other.finding && one.what == other.what && one.expires == other.expires;
    }

    [[nodiscard]] bool is_in_base(const Waiver& waiver) const {
        return base_ != nullptr && std::ranges::any_of(base_->waivers, [&](const Waiver& other) {
                   return same_waiver(waiver, other);
               });
    }

    // One of a profile that guard brings, or that another profile of the base has from the same file: it was
    // there before this change.
    [[nodiscard]] bool is_of_another_file(const Waiver& waiver) const {
        return waiver.where.file.starts_with('/') ||
               std::ranges::any_of(*base_waivers_, [&](const Waiver& other) {
                   return other.where.file == waiver.where.file && same_waiver(waiver, other);
               });
    }

    // What a new parent excuses was looked at where the parent was made.
    void inherited() {
        std::vector<Waiver> others;
        for (const auto& waiver : head_->waivers)
            if (!is_in_base(waiver) && is_of_another_file(waiver)) others.push_back(waiver);
        apply_waivers(found_, others, today_);
    }

    // Only waivers that the base has excuse anything: whoever asks for a right can't be the one who grants
    // it.
    void waivers() {
        if (base_ != nullptr) apply_waivers(found_, base_->waivers, today_);
        if (head_ == nullptr) return;
        inherited();
        std::vector<Finding> more;
        for (const auto& waiver : head_->waivers) {
            const bool known = is_in_base(waiver) || is_of_another_file(waiver);
            const auto excused = std::ranges::find_if(found_, [&](const Finding& one) {
                return grants_more(one) && !one.waiver && is_about(waiver, one);
            });
            if (known || excused == found_.end()) continue;
            auto finding = raise("waiver.self-granted", subject_, "", "", waiver.where);
            finding.item = waiver.finding + (waiver.what.empty() ? "" : " " + waiver.what);
            finding.title =
                fmt::format("a waiver for {} was added together with what it excuses", finding.item);
            more.push_back(std::move(finding));
        }
        std::ranges::move(waiver_findings(subject_, *head_, today_), std::back_inserter(more));
        std::ranges::move(more, std::back_inserter(found_));
    }

    const Pair& pair_;
    const Profile *base_, *head_;
    bool filters_only_;
    Posture from_, to_;
    Subject subject_;
    Placer placer_;
    const std::vector<Waiver>* base_waivers_;
    std::chrono::year_month_day today_;
    std::vector<Finding> found_;
};

}  // namespace

const Profile* profile_of(const Member* member) {
    if (member == nullptr) return nullptr;
    if (member->json) return &member->json->profile;
    return member->profile ? &*member->profile : nullptr;
}

bool grants_more(const Finding& finding) {
    return finding.verdict == Verdict::weaker || finding.verdict == Verdict::changed;
}

std::vector<Finding> pair_findings(const Pair& pair, const Lines& base_lines, const Lines& head_lines,
                                   const std::vector<Waiver>& base_waivers,
                                   std::chrono::year_month_day today) {
    return PairReview(pair, base_lines, head_lines, base_waivers, today).findings();
}

}  // namespace guard::review
