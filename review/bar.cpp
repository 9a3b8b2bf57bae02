#include "review/bar.h"

#include <fmt/format.h>

#include <algorithm>

namespace guard::review {
namespace {

class Bar {
public:
    Bar(const Requirements& base, const Requirements& head, const Lines& base_lines, const Lines& head_lines)
        : base_(&base), head_(&head), base_lines_(&base_lines), head_lines_(&head_lines) {}

    std::vector<Finding> all() {
        for (const auto& asked : base_->require)
            if (!head_->require.contains(asked))
                add("require", "require/" + asked, fmt::format("this change stops requiring {}", asked));
        if (head_->fail_on > base_->fail_on)
            add("fail-on", "fail-on",
                fmt::format("this change lets findings up to {} pass, not just those below {}",
                            severity_name(static_cast<Severity>(static_cast<int>(head_->fail_on) - 1)),
                            severity_name(base_->fail_on)));
        for (const auto& path : base_->paths)
            if (!covered(path))
                add("paths", "paths/" + path,
                    fmt::format("this change takes the profiles below {} out of reviews", path));
        return std::move(found_);
    }

private:
    [[nodiscard]] bool covered(const std::string& path) const {
        return std::ranges::any_of(head_->paths, [&path](const std::string& other) {
            return other == "." || other == path || path.starts_with(other + "/");
        });
    }

    static std::string line(const Lines& lines, const Where& where) {
        const auto& all = lines.of(kRequirementsFile);
        if (where.line == 0 || where.line > all.size()) return {};
        const auto& text = all[where.line - 1];
        return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
    }

    void add(const std::string& key, const std::string& origin, std::string title) {
        const auto before = origin_of(base_->origins, origin);
        const auto after = origin_of(head_->origins, key);
        // What the base has by default is lowered by a line of the head.
        const bool in_base = before.line != 0;
        auto finding =
            raise("review.requirement", Subject{.unit = kRequirementsFile}, "", "", in_base ? before : after);
        if (finding.where.line == 0) finding.where = {kRequirementsFile, 0, 0};
        finding.item = origin;
        finding.title = std::move(title);
        finding.verdict = Verdict::weaker;
        finding.notes.in_base = in_base;
        finding.notes.taken = line(*base_lines_, before);
        finding.notes.added = line(*head_lines_, after);
        if (finding.notes.added == finding.notes.taken) finding.notes.added.clear();
        found_.push_back(std::move(finding));
    }

    const Requirements *base_, *head_;
    const Lines *base_lines_, *head_lines_;
    std::vector<Finding> found_;
};

}  // namespace

std::vector<Finding> lowered_bar(const Requirements& base, const Requirements& head, const Lines& base_lines,
                                 const Lines& head_lines) {
    return Bar(base, head, base_lines, head_lines).all();
}

}  // namespace guard::review
