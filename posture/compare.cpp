#include "posture/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "posture/fields.h"
#include "posture/includes.h"
#include "posture/words.h"

namespace guard {
namespace {

// One field under comparison: where its changes go, and under which name.
struct Report {
    std::vector<Change>* changes;
    std::string_view field;

    void add(std::string item, Shift shift, std::string from, std::string to) const {
        changes->push_back({std::string(field), std::move(item), shift, std::move(from), std::move(to)});
    }
};

std::string under(const std::string& outer, const std::string& inner) {
    if (outer.empty() || inner.empty()) return outer + inner;
    return outer + " " + inner;
}

// Shift when going up the scale loosens.
template <class T>
Shift upwards(const T& from, const T& to) {
    return from == to ? Shift::same : (from < to ? Shift::looser : Shift::tighter);
}

template <class T>
void differ(const Report& report, const std::string& item, const Exact<T>& from, const Exact<T>& to) {
    if (from == to) return;
    report.add(item, Shift::incomparable, in_words(report.field, from), in_words(report.field, to));
}

void differ(const Report& report, const std::string& item, Lock from, Lock to) {
    if (from == to) return;
    report.add(item, to == Lock::open ? Shift::looser : Shift::tighter, in_words(from), in_words(to));
}

template <class T>
void differ(const Report& report, const std::string& item, const Ceiling<T>& from, const Ceiling<T>& to) {
    if (from == to) return;
    const bool looser = !to.most || (from.most && *from.most < *to.most);
    report.add(item, looser ? Shift::looser : Shift::tighter, bound_in_words(item, from.most),
               bound_in_words(item, to.most));
}

template <class T>
void differ(const Report& report, const std::string& item, const Floor<T>& from, const Floor<T>& to) {
    if (from == to) return;
    report.add(item, upwards(to.least, from.least), std::to_string(from.least), std::to_string(to.least));
}

// Whether some of `all` is or holds `right`: then it is no news that the right is there, nor a loss that it
// is not.
template <class T>
bool held_by(const Report&, const Grants<T>& all, const T& right) {
    return all.all.contains(right);
}
// A part of a line is mapped by the whole of it, where both count alike.
bool held_by(const Report&, const Grants<IdLine>& all, const IdLine& right) {
    return std::ranges::any_of(all.all, [&right](const IdLine& line) {
        return line.own == right.own && line.inside <= right.inside &&
               right.inside - line.inside == std::uint64_t{right.outside} - line.outside &&
               right.inside - line.inside + std::uint64_t{right.count} <= line.count;
    });
}
bool held_by(const Report& report, const Grants<std::string>& all, const std::string& right) {
    return all.all.contains(right) || std::ranges::any_of(all.all, [&](const std::string& outer) {
               return includes_right(report.field, outer, right);
           });
}

template <class T>
void differ(const Report& report, const std::string& item, const Grants<T>& from, const Grants<T>& to) {
    for (const auto& right : from.all)
        if (!held_by(report, to, right))
            report.add(under(item, in_words(right)), Shift::tighter, "granted", "");
    for (const auto& right : to.all)
        if (!held_by(report, from, right))
            report.add(under(item, in_words(right)), Shift::looser, "", "granted");
}

// None chosen means every core: a list takes cores away.
void differ_cores(const Report& report, const Grants<std::uint32_t>& from, const Grants<std::uint32_t>& to) {
    if (from == to) return;
    if (!from.all.empty() && !to.all.empty()) return differ(report, "", from, to);
    const auto words = [](const Grants<std::uint32_t>& cores) {
        return cores.all.empty() ? std::string("every core") : fmt::format("{}", fmt::join(cores.all, ", "));
    };
    report.add("", to.all.empty() ? Shift::looser : Shift::tighter, words(from), words(to));
}

// Each bit is a right that new files never get. umask(2)
void differ_umask(const Report& report, std::uint32_t from, std::uint32_t to) {
    if (from == to) return;
    const auto shift = (from & ~to) == 0   ? Shift::tighter
                       : (to & ~from) == 0 ? Shift::looser
                                           : Shift::incomparable;
    const auto words = [&report](std::uint32_t mask) { return in_words(report.field, Exact{mask}); };
    report.add("", shift, words(from), words(to));
}

void differ(const Report& report, const std::string&, const CapabilitySet& from, const CapabilitySet& to) {
    for (std::uint64_t rest = from.mask ^ to.mask; rest != 0; rest &= rest - 1) {
        const int number = std::countr_zero(rest);
        const bool gained = ((to.mask >> static_cast<unsigned>(number)) & 1U) != 0;
        report.add(capability_name(number), gained ? Shift::looser : Shift::tighter, gained ? "" : "held",
                   gained ? "held" : "");
    }
}

// Own is the tightest, the host's the loosest; between two others nobody can say.
void differ(const Report& report, const std::string& item, const Relation& from, const Relation& to) {
    if (from == to) return;
    Shift shift = Shift::incomparable;
    if (from.to == Relation::To::own || to.to == Relation::To::host) shift = Shift::looser;
    if (to.to == Relation::To::own || from.to == Relation::To::host) shift = Shift::tighter;
    report.add(item, shift, in_words(from), in_words(to));
}

void differ(const Report& report, const std::string& place, const Mount& from, const Mount& to) {
    differ(report, place, from.grants, to.grants);
    differ(report, under(place, "size"), from.size, to.size);
    const auto what = [](const Mount& mount) { return kind_in_words(mount); };
    if (what(from) != what(to)) report.add(place, Shift::incomparable, what(from), what(to));
    if (from.idmap != to.idmap)
        report.add(under(place, "idmap"), to.idmap ? Shift::tighter : Shift::looser, from.idmap ? "held" : "",
                   to.idmap ? "held" : "");
}

// What is at `place` where nothing is mounted there: the files of the mount above it, as a mount of their
// own; none where that one does not show files of this machine.
std::optional<Mount> files_at(const MountTree& tree, const std::string& place) {
    for (auto at = place; at.size() > 1;) {
        const auto slash = at.rfind('/');
        at.resize(std::max<std::size_t>(slash, 1));
        const auto row = tree.find(at);
        if (row == tree.end()) continue;
        if (row->second.type != "bind" && row->second.type != "directory") return std::nullopt;
        auto mount = row->second;
        mount.type = "bind";
        mount.source += place.substr(at.size() == 1 ? 0 : at.size());
        return mount;
    }
    return std::nullopt;
}

// A mount that comes reveals something, and one that goes may uncover what it hid. But where it shows the
// same files as the mount above it, only what each grants is a difference: /home holds /home/alice.
void differ(const Report& report, const std::string&, const MountTree& from, const MountTree& to) {
    const auto same_files = [](const std::optional<Mount>& above, const Mount& mount) {
        return above && kind_in_words(*above) == kind_in_words(mount);
    };
    for (const auto& [place, mount] : from) {
        if (to.contains(place)) continue;
        const auto after = files_at(to, place);
        if (same_files(after, mount))
            differ(report, place, mount, *after);
        else
            report.add(place, Shift::incomparable, in_words(mount), "");
    }
    for (const auto& [place, mount] : to) {
        const auto row = from.find(place);
        const auto above = row == from.end() ? files_at(from, place) : std::nullopt;
        if (row != from.end())
            differ(report, place, row->second, mount);
        else if (same_files(above, mount))
            differ(report, place, *above, mount);
        else
            report.add(place, Shift::looser, "", in_words(mount));
    }
}

template <class T>
void differ(const Report& report, const std::string& outer, const Named<T>& from, const Named<T>& to) {
    static const T kNone{};
    const auto at = [](const Named<T>& all, const std::string& name) -> const T& {
        const auto row = all.find(name);
        return row == all.end() ? kNone : row->second;
    };
    for (const auto& [name, value] : from) differ(report, under(outer, name), value, at(to, name));
    for (const auto& [name, value] : to)
        if (!from.contains(name)) differ(report, under(outer, name), kNone, value);
}

void differ(const Report& report, const std::string& call, const CallRule& from, const CallRule& to) {
    if (from == to) return;
    const bool narrows = implies(to, from);
    const bool widens = implies(from, to);
    if (narrows && widens) return;  // the same meaning, written otherwise
    const auto shift = widens ? Shift::looser : narrows ? Shift::tighter : Shift::incomparable;
    // What is allowed on both sides is no difference.
    const auto words = [&call](const CallRule& rule, const CallRule& other) {
        auto text = describe_rule(call, rule, other);
        return text == "never" ? std::string() : text;
    };
    report.add(call, shift, words(from, to), words(to, from));
}

void differ(const Report& report, const std::string&, const FilterRules& from, const FilterRules& to) {
    if (from == to) return;  // what audit sees of nearly every task
    differ(report, "", from.calls, to.calls);
    const auto denial = [&report](std::string_view item, Denial before, Denial after) {
        if (before == after) return;
        const auto shift = after == Denial::allow_and_log    ? Shift::looser
                           : before == Denial::allow_and_log ? Shift::tighter
                                                             : Shift::incomparable;
        report.add(std::string(item), shift, in_words(before), in_words(after));
    };
    denial(kDeniedCalls, from.on_denied, to.on_denied);
    denial(kUnknownCalls, from.on_unknown, to.on_unknown);
    differ(report, "abi", Grants<std::string>{from.abis}, Grants<std::string>{to.abis});
}

template <class T>
void differ_known(const Report& report, const Known<T>& from, const Known<T>& to) {
    const auto* before = value_of(from);
    const auto* after = value_of(to);
    if constexpr (std::is_same_v<T, Grants<std::uint32_t>>)
        if (report.field == "limits.cpuset" && before != nullptr && after != nullptr)
            return differ_cores(report, *before, *after);
    if constexpr (std::is_same_v<T, Exact<std::uint32_t>>)
        if (report.field == "umask" && before != nullptr && after != nullptr)
            return differ_umask(report, before->value, after->value);
    if (before != nullptr && after != nullptr) return differ(report, "", *before, *after);
    if (std::holds_alternative<Absent>(from) && std::holds_alternative<Absent>(to)) return;
    // What nobody declared can't drift; what was declared and can't be seen is unknown, never ok.
    if (before == nullptr && std::holds_alternative<Unknown>(from)) return;
    if (const auto* unread = std::get_if<Unknown>(&to))
        return report.add("", Shift::unknown, "", in_words(*unread));
    if (before == nullptr) return differ(report, "", T{}, *after);
    differ(report, "", *before, T{});
}

}  // namespace

std::vector<Change> compare(const Posture& from, const Posture& to) {
    std::vector<Change> changes;
    each_field(from, to, [&changes](std::string_view name, const auto& before, const auto& after) {
        differ_known(Report{&changes, name}, before, after);
    });
    return changes;
}

}  // namespace guard
