#include "review/mount_change.h"

#include <fmt/format.h>

namespace guard::review {
namespace {

std::string options_of(const Mount& mount) { return fmt::format("{}", fmt::join(mount.options, ",")); }

class MountReview {
public:
    explicit MountReview(const Subject& subject) : subject_(&subject) {}

    void compare(const std::string& place, const Mount& from, const Mount& to) {
        if (from.type != to.type) return;
        if (from.recursive != to.recursive)
            add(place + " recursive", to.recursive ? Verdict::weaker : Verdict::tighter, from.source,
                to.source);
        if (from.options != to.options)
            add(place + " options", Verdict::changed, options_of(from), options_of(to));
        if (from.mode && to.mode && *from.mode != *to.mode)
            add(place + " mode",
                (*to.mode & ~*from.mode) == 0   ? Verdict::tighter
                : (*from.mode & ~*to.mode) == 0 ? Verdict::weaker
                                                : Verdict::changed,
                fmt::format("{:04o}", *from.mode), fmt::format("{:04o}", *to.mode));
    }
    std::vector<Finding> found() { return std::move(found_); }

private:
    void add(std::string item, Verdict verdict, std::string before, std::string after) {
        auto finding = raise("mounts", *subject_, std::move(before), std::move(after));
        finding.item = std::move(item);
        finding.verdict = verdict;
        found_.push_back(std::move(finding));
    }

    const Subject* subject_;
    std::vector<Finding> found_;
};

}  // namespace

std::vector<Finding> mount_changes(const Posture& from, const Posture& to, const Subject& subject) {
    MountReview review(subject);
    const auto* const before = value_of(from.mounts);
    const auto* const after = value_of(to.mounts);
    if (before == nullptr || after == nullptr) return {};
    for (const auto& [place, mount] : *after)
        if (const auto row = before->find(place); row != before->end())
            review.compare(place, row->second, mount);
    return review.found();
}

std::string options_in_words(const Posture& posture, const std::string& place) {
    const auto* const tree = value_of(posture.mounts);
    if (tree == nullptr || !tree->contains(place)) return {};
    const auto& mount = tree->at(place);
    if (mount.recursive) return "with what is mounted below it";
    return options_of(mount);
}

}  // namespace guard::review
