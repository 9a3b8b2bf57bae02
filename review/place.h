#pragma once
#include "posture/finding.h"
#include "review/pairs.h"

namespace guard::review {

/// Finds the line that a difference comes from, and notes it in the finding: in the head, or, for what was
/// taken away there, in the base. A line that is new on its side is taken before one that stood there
/// already: a grant that a denial hid comes from the denial that is gone, and one that a new parent brings
/// comes from `extends`.
class Placer {
public:
    /// Null where the profile is not there on that side. All of it must outlive the placer.
    Placer(const Pair& pair, const Profile* base, const Profile* head, const Lines& base_lines,
           const Lines& head_lines);

    void place(Finding& finding) const;

private:
    struct OneSide {
        const Profile* profile;
        std::string path;
        const Lines* lines;
    };
    struct Candidate {
        Where where;
        bool in_base = false;
    };

    [[nodiscard]] std::vector<Candidate> candidates(const Finding& finding) const;
    void add(std::vector<Candidate>& all, const OneSide& side, const std::string& key) const;
    void add_below(std::vector<Candidate>& all, const OneSide& side, const std::string& key) const;
    void add_rules(std::vector<Candidate>& all, const OneSide& side, const std::string& call) const;
    [[nodiscard]] Candidate in_rule(const Candidate& candidate) const;
    [[nodiscard]] std::string line_of(const Candidate& candidate) const;
    [[nodiscard]] bool is_new(const Candidate& candidate) const;
    [[nodiscard]] Candidate through_extends(const Candidate& candidate) const;
    [[nodiscard]] const OneSide& side_of(const Candidate& candidate) const {
        return candidate.in_base ? base_ : head_;
    }

    OneSide base_, head_;
};

}  // namespace guard::review
