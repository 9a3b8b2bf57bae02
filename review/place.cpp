#include "review/place.h"

#include <fmt/format.h>

#include <algorithm>

#include "policies/sources.h"
#include "posture/compare.h"
#include "review/filter_change.h"

namespace guard::review {
namespace {

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t,") - first + 1);
}

std::string without_comment(const std::string& line) {
    bool in_text = false;
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (line[at] == '\\' && in_text) ++at;
        if (at < line.size() && line[at] == '"') in_text = !in_text;
        if (at < line.size() && line[at] == '#' && !in_text) return trimmed(line.substr(0, at));
    }
    return trimmed(line);
}

// Of a list on one line, the element that begins at `column`: "\"@file\"". Empty where there is none.
std::string element_at(const std::string& line, unsigned column) {
    const std::size_t at = column == 0 ? 0 : column - 1;
    if (at >= line.size() || line[at] != '"' || line.substr(0, at).find('[') == std::string::npos) return {};
    const auto end = line.find('"', at + 1);
    return end == std::string::npos ? std::string() : line.substr(at, end - at + 1);
}

std::string key_of(const std::string& line) { return trimmed(line.substr(0, line.find('='))); }

// Columns count characters; what stands before a value in a profile is seldom more than ASCII.
std::string shown(const std::string& line, unsigned column) {
    constexpr std::size_t kLongest = 64;
    const auto text = without_comment(line);
    if (auto element = element_at(line, column); !element.empty()) return element;
    return text.size() <= kLongest ? text : text.substr(0, kLongest - 3) + "...";
}

struct KeyRow {
    std::string_view item, key;
};
constexpr auto kFilterKeys = std::to_array<KeyRow>({
    {kDeniedCalls, "seccomp.on-denied"},
    {kUnknownCalls, "seccomp.on-unknown"},
    {kLogged, "seccomp.log-denied"},
});

constexpr auto kServiceKeys = std::to_array<KeyRow>({
    {"service.secrets", "secrets."},
    {"service.optional", "optional/"},
    {"service.network", "network."},
    {"service.run", ""},
});

// "socketcall of i386" -> "socketcall"
std::string call_in(const std::string& item) { return item.substr(0, item.find(' ')); }

}  // namespace

Placer::Placer(const Pair& pair, const Profile* base, const Profile* head, const Lines& base_lines,
               const Lines& head_lines)
    : base_{base, pair.base == nullptr ? "" : pair.base->path, &base_lines},
      head_{head, pair.head == nullptr ? "" : pair.head->path, &head_lines} {}

void Placer::add(std::vector<Candidate>& all, const OneSide& side, const std::string& key) const {
    if (side.profile == nullptr) return;
    const auto row = side.profile->origins.find(key);
    if (row != side.profile->origins.end()) all.push_back({row->second, &side == &base_});
}

// The first place of a key or of something in its table.
void Placer::add_below(std::vector<Candidate>& all, const OneSide& side, const std::string& key) const {
    if (side.profile == nullptr) return;
    const auto row = side.profile->origins.lower_bound(key);
    if (row != side.profile->origins.end() && row->first.starts_with(key))
        all.push_back({row->second, &side == &base_});
}

std::vector<Placer::Candidate> Placer::candidates(const Finding& finding) const {
    const bool lost = finding.verdict == Verdict::tighter;
    const OneSide& has = lost ? base_ : head_;    // the side that grants it
    const OneSide& lacks = lost ? head_ : base_;  // the side that may deny it
    std::vector<Candidate> all;
    const std::string field(finding.check->id);
    if (field.starts_with("seccomp.")) {
        const auto call = call_in(finding.item);
        add(all, has, "seccomp.access/" + call);
        add(all, has, "seccomp.lines/" + call);
        add(all, lacks, "seccomp.deny/" + call);
        add(all, lacks, "seccomp.access/" + call);
        add(all, lacks, "seccomp.lines/" + call);
        for (const auto& [item, key] : kFilterKeys)
            if (finding.item.starts_with(item)) add(all, head_, std::string(key));
        for (const auto* side : {&has, &lacks}) add_rules(all, *side, call);
        if (finding.item.starts_with("abi ")) {
            add(all, has, "seccomp.abis/" + finding.item.substr(4));
            add(all, has, "seccomp.abis");
        }
        return all;
    }
    for (const auto& [check, key] : kServiceKeys)
        if (check == field)
            for (const auto* side : {&has, &lacks}) add_below(all, *side, std::string(key) + finding.item);
    if (field == "service.network")
        for (const auto* side : {&has, &lacks})
            for (const auto* key : {"network.bridge", "network.parent"}) add(all, *side, key);
    if (!all.empty()) return all;
    const auto path = finding.item.empty() ? field : field + "/" + finding.item;
    for (const auto* side : {&has, &lacks})
        if (side->profile != nullptr)
            if (auto where = origin_of(side->profile->origins, path);
                where.line > 0 || where.file != "built in")
                all.push_back({std::move(where), side == &base_});
    return all;
}

std::string Placer::line_of(const Candidate& candidate) const {
    const auto& lines = side_of(candidate).lines->of(candidate.where.file);
    if (candidate.where.line == 0 || candidate.where.line > lines.size()) return {};
    return lines[candidate.where.line - 1];
}

bool Placer::is_new(const Candidate& candidate) const {
    const auto line = without_comment(line_of(candidate));
    if (line.empty()) return false;
    const auto& own = side_of(candidate);
    const auto& other = candidate.in_base ? head_ : base_;
    const bool own_file = candidate.where.file == own.path;
    if (own_file && other.path.empty()) return true;  // the profile is new, or gone
    const auto& path = own_file ? other.path : candidate.where.file;
    // An element that stood in the same list already came there by no change of it.
    const auto element = element_at(line_of(candidate), candidate.where.column);
    return std::ranges::none_of(other.lines->of(path), [&](const std::string& one) {
        const bool same_list = !element.empty() && key_of(one) == key_of(line);
        return (one.find(line) != std::string::npos && without_comment(one) == line) ||
               (same_list && one.find(element) != std::string::npos);
    });
}

// Of a rule that takes several lines, the first that is new: its condition, not its head.
Placer::Candidate Placer::in_rule(const Candidate& candidate) const {
    constexpr std::size_t kMostLines = 40;
    const auto& lines = side_of(candidate).lines->of(candidate.where.file);
    const auto begins_rule = [](const std::string& line) {
        return line.starts_with('[') || line.find("\"names\"") != std::string::npos;
    };
    for (std::size_t at = candidate.where.line; at < lines.size() && candidate.where.line > 0; ++at) {
        if (at - candidate.where.line > kMostLines || begins_rule(lines[at])) break;
        const auto first = lines[at].find_first_not_of(" \t");
        if (first == std::string::npos) continue;
        Candidate found{
            {candidate.where.file, static_cast<unsigned>(at) + 1, static_cast<unsigned>(first) + 1},
            candidate.in_base};
        if (is_new(found)) return found;
    }
    return candidate;
}

// Where an entry about this call is new: of several only one is in the origins.
void Placer::add_rules(std::vector<Candidate>& all, const OneSide& side, const std::string& call) const {
    if (side.profile == nullptr) return;
    const auto quoted = '"' + call + '"';
    const auto& lines = side.lines->of(side.path);
    for (unsigned number = 1; number <= lines.size(); ++number) {
        const auto at = lines[number - 1].find(quoted);
        if (at == std::string::npos) continue;
        const Candidate entry{{side.path, number, static_cast<unsigned>(at) + 1}, &side == &base_};
        if (const auto found = in_rule(entry); found.where.line != number && is_new(found))
            all.push_back(found);
    }
}

// A line of the profile's own file that is new and names the file of `candidate`.
Placer::Candidate Placer::through_extends(const Candidate& candidate) const {
    const auto& side = side_of(candidate);
    if (candidate.where.file == side.path || candidate.where.file.empty()) return candidate;
    const auto name = '"' + policies::stem_of(candidate.where.file) + '"';
    const auto& lines = side.lines->of(side.path);
    for (unsigned number = 1; number <= lines.size(); ++number) {
        const auto at = lines[number - 1].find(name);
        const Candidate found{{side.path, number, static_cast<unsigned>(at) + 1}, candidate.in_base};
        if (at != std::string::npos && is_new(found)) return found;
    }
    // Not by that name: by a parent's parent, or a group of it.
    for (unsigned number = 1; number <= lines.size(); ++number) {
        const auto& line = lines[number - 1];
        if (key_of(line) != "extends") continue;
        for (auto at = line.find('"'); at != std::string::npos; at = line.find('"', at + 1)) {
            const Candidate found{{side.path, number, static_cast<unsigned>(at) + 1}, candidate.in_base};
            if (is_new(found)) return found;
            at = line.find('"', at + 1);
            if (at == std::string::npos) break;
        }
    }
    return candidate;
}

void Placer::place(Finding& finding) const {
    const auto all = candidates(finding);
    if (all.empty()) {
        finding.where = {head_.path.empty() ? base_.path : head_.path, 0, 0};
        return;
    }
    const auto fresh = std::ranges::find_if(all, [this](const Candidate& one) { return is_new(one); });
    const auto chosen = fresh != all.end() ? *fresh : through_extends(all.front());
    finding.where = chosen.where;
    auto& notes = finding.notes;
    notes.in_base = chosen.in_base;
    for (const auto& one : all)
        if (is_new(one)) {
            auto& line = one.in_base ? notes.taken : notes.added;
            if (line.empty()) line = shown(line_of(one), one.where.column);
        }
    if (notes.added.empty() && notes.taken.empty() && is_new(chosen))
        (chosen.in_base ? notes.taken : notes.added) = shown(line_of(chosen), chosen.where.column);
    // A new profile has what it inherits by its own doing.
    const bool on_both = base_.profile != nullptr && head_.profile != nullptr;
    if (!on_both || chosen.where.file == side_of(chosen).path) return;
    const bool group = policies::directory_of(chosen.where.file).ends_with("groups");
    notes.origin = (group ? "@" : "") + policies::stem_of(chosen.where.file);
}

}  // namespace guard::review
