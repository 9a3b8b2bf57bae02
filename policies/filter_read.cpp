#include "policies/filter_read.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "policies/nearest.h"
#include "policies/seccomp_condition.h"
#include "policies/settings.h"
#include "policies/sources.h"

namespace guard::policies {
namespace {

// Where a call is allowed, with or without a condition.
struct Grant {
    std::string call;
    Place place;    // of the line that grants it: in the profile or in a group
    Place through;  // of the word in the profile that brought the group in; else the same
    bool always = true;
};

std::string word_of(const Value& value) {
    return value.kind == Kind::integer ? std::to_string(value.integer) : value.text;
}

struct Operator {
    std::string_view key;
    Condition::Op op;
};
constexpr auto kOperators = std::to_array<Operator>({
    {"in", Condition::Op::in},
    {"not-in", Condition::Op::not_in},
    {"at-least", Condition::Op::at_least},
    {"at-most", Condition::Op::at_most},
});

// The word between the first backticks of a sentence: what is wrong.
std::string wrong_word(const std::string& sentence) {
    const auto open = sentence.find('`');
    const auto close = sentence.find('`', open + 1);
    if (open == std::string::npos || close == std::string::npos) return "";
    return sentence.substr(open + 1, close - open - 1);
}

const Value* value_with(const Value& value, const std::string& word) {
    if (value.kind == Kind::text || value.kind == Kind::integer) {
        const auto text = word_of(value);
        return text == word ||
                       (!word.empty() && ("|" + text + "|").find("|" + word + "|") != std::string::npos)
                   ? &value
                   : nullptr;
    }
    for (const auto& item : value.items)
        if (const auto* found = value_with(item, word)) return found;
    for (const auto& entry : value.entries)
        if (const auto* found = value_with(entry.value, word)) return found;
    return nullptr;
}

class FilterReader {
public:
    FilterReader(const LoadOptions& options, std::vector<std::unique_ptr<Document>>& documents,
                 std::vector<Diagnostic>& diagnostics)
        : options_(&options), documents_(&documents), diagnostics_(&diagnostics) {}

    void profile(const Draft& draft, const std::string& path) {
        for (const auto& item : draft.allow) word(item.text, item.place, item.place, Effect::allow);
        for (const auto& item : draft.deny) word(item.text, item.place, item.place, Effect::deny);
        const Place whole{};
        word("@base", whole, whole, Effect::allow, path);
        for (const auto& item : draft.absent) absent_.insert(item.text);
        for (const auto& table : draft.rules) {
            const auto* effect = table.find("effect");
            rule(table, effect != nullptr && effect->text == "deny" ? Effect::deny : Effect::allow,
                 table.place);
        }
    }

    void group_file(const std::string& path) { load("@" + stem_of(path), path, {}); }

    FilterParts parts() {
        FilterParts parts;
        for (auto& [call, cubes] : allow_) parts.allow[call] = cubes;
        for (auto& [call, cubes] : deny_) parts.deny[call] = cubes;
        parts.absent = absent_;
        return parts;
    }

    [[nodiscard]] const std::vector<Grant>& grants() const { return grants_; }
    [[nodiscard]] const std::vector<Grant>& denials() const { return denials_; }

    // A rule whose call is allowed without condition elsewhere does nothing.
    void warn_of_idle_rules() {
        std::set<std::string> told;
        for (const auto& grant : grants_) {
            if (grant.always || told.contains(grant.call)) continue;
            // A group narrows what another may widen: only a rule of a profile's own, or one that its own
            // file widens, is a slip.
            const auto always = std::ranges::find_if(grants_, [&grant](const Grant& other) {
                const bool own = grant.place.document == grant.through.document ||
                                 grant.place.document == other.place.document;
                return own && other.always && other.call == grant.call;
            });
            if (always == grants_.end()) continue;
            told.insert(grant.call);
            diagnostics_->push_back(
                {Level::warning,
                 fmt::format("the rule for {} has no effect: it is allowed without condition elsewhere",
                             grant.call),
                 {mark_at(grant.place, "this rule"),
                  mark_at(always->place, "allowed here with any arguments")}});
        }
    }

private:
    enum class Effect : std::uint8_t { allow, deny };
    using Calls = std::map<std::string, std::vector<Cube>>;

    struct Group {
        std::vector<std::pair<std::string, Place>> calls;
        std::vector<std::pair<std::string, Place>> includes;
        std::vector<std::string> absent;
        std::vector<Value> rules;
        std::string path;
        bool entered = false;
    };

    void error(const Place& place, std::string message, std::string note = "") {
        diagnostics_->push_back({Level::error, std::move(message), {mark_at(place, std::move(note))}});
    }

    Calls& calls(Effect effect) { return effect == Effect::allow ? allow_ : deny_; }

    // A name or a group. `through` is the word in the profile that it comes from.
    void word(const std::string& text, const Place& place, const Place& through, Effect effect,
              const std::string& named_in = "") {
        if (!text.starts_with('@')) return grant(text, place, through, effect);
        const auto& file = named_in.empty() && place.document != nullptr ? place.document->path : named_in;
        const auto* group = find(text, place, file);
        if (group != nullptr && taken_.insert({text, effect}).second) take(*group, through, effect);
    }

    void take(const Group& group, const Place& through, Effect effect) {
        const auto brought = [&](const Place& line) { return through.document == nullptr ? line : through; };
        for (const auto& [name, place] : group.includes) word(name, place, brought(place), effect);
        for (const auto& [call, place] : group.calls) grant(call, place, brought(place), effect);
        if (effect == Effect::allow) absent_.insert(group.absent.begin(), group.absent.end());
        for (const auto& table : group.rules) rule(table, effect, brought(table.place));
    }

    void grant(const std::string& call, const Place& place, const Place& through, Effect effect) {
        calls(effect)[call].emplace_back();
        (effect == Effect::allow ? grants_ : denials_).push_back({call, place, through, true});
    }

    const Group* find(const std::string& name, const Place& place, const std::string& named_in) {
        if (const auto known = groups_.find(name); known != groups_.end()) return &known->second;
        const auto path = find_group(name, named_in, *options_);
        if (path) return load(name, *path, place);
        groups_[name] = {};
        missing(name, place, named_in);
        return nullptr;
    }

    void missing(const std::string& name, const Place& place, const std::string& named_in) {
        std::vector<std::string> directories{directory_of(named_in) + "/groups", directory_of(named_in)};
        for (const auto& directory : options_->search_path) directories.push_back(directory + "/groups");
        if (!directory_of(named_in).ends_with("groups")) directories.erase(directories.begin() + 1);
        std::vector<std::string> names = names_in(directories, files_of(*options_));
        for (auto& known : names) known.insert(0, "@");
        if (place.document != nullptr)
            return error(place, fmt::format("unknown group `{}`", name),
                         did_you_mean(name, {names.begin(), names.end()},
                                      "no such file in groups/ of the search path"));
        diagnostics_->push_back(
            {Level::error,
             fmt::format("the group {} that every program needs is not on the search path", name),
             {Mark{{named_in, 0, 0},
                   "",
                   1,
                   "is guard installed? its groups are beside its profiles, in groups/"}}});
    }

    const Group* load(const std::string& name, const std::string& path, const Place& place) {
        const auto source = files_of(*options_).read(path, options_->trust);
        auto& group = groups_[name];
        group.path = path;
        if (!source) {
            diagnostics_->push_back({Level::error, describe(source.error()), {}});
            if (place.document != nullptr)
                diagnostics_->back().marks.push_back(mark_at(place, source.error().fix));
            return nullptr;
        }
        auto parsed = parse_document(path, source->bytes);
        const auto extent = parsed.diagnostics.empty() ? Extent::whole : Extent::part;
        std::ranges::move(parsed.diagnostics, std::back_inserter(*diagnostics_));
        documents_->push_back(std::move(parsed.document));
        fill(group, name, *documents_->back(), extent);
        return &groups_[name];
    }

    void fill(Group& group, const std::string& name, const Document& document, Extent extent) {
        const auto said = read_settings(document, group_index(), extent, *diagnostics_);
        for (const auto& setting : said.settings) {
            if (setting.key->path == "syscalls.*")
                group.calls.emplace_back(setting.names.front(), setting.place);
            if (setting.key->path == "rule") group.rules = setting.value.items;
            for (const auto& item : setting.value.items) {
                if (setting.key->path == "includes") group.includes.emplace_back(item.text, item.place);
                if (setting.key->path == "absent") group.absent.push_back(item.text);
            }
        }
        check_circle(group, name);
    }

    // Groups that include each other are one group: no harm, but not what anybody meant.
    void check_circle(const Group& group, const std::string& name) {
        for (const auto& [included, place] : group.includes)
            if (included == name) error(place, fmt::format("{} includes itself", name), "take it away");
    }

    void rule(const Value& table, Effect effect, const Place& through) {
        const auto conditions = conditions_of(table);
        const auto* names = table.find("syscalls");
        if (!conditions || names == nullptr) return;
        if (names->items.empty())
            return error(names->place, "a rule names no system call", "want at least one");
        for (const auto& name : names->items) {
            const auto made = rule_of(name.text, *conditions);
            if (!made) {
                const auto* word = value_with(table, wrong_word(made.error().attempt));
                const auto text = made.error().reason.empty() ? made.error().attempt : describe(made.error());
                error(word == nullptr ? table.place : word->place, text, made.error().fix);
                continue;
            }
            auto& cubes = calls(effect)[name.text];
            cubes.insert(cubes.end(), made->when.begin(), made->when.end());
            (effect == Effect::allow ? grants_ : denials_)
                .push_back({name.text, name.place, through, made->always()});
        }
    }

    std::optional<std::vector<Condition>> conditions_of(const Value& table) {
        std::vector<Condition> conditions;
        const auto* when = table.find("when");
        if (when == nullptr) return std::nullopt;
        if (when->items.empty()) {
            error(when->place, "a rule without a condition", "write the calls into `allow` or `deny`");
            return std::nullopt;
        }
        for (const auto& item : when->items) {
            auto condition = condition_of(item);
            if (!condition) return std::nullopt;
            conditions.push_back(std::move(*condition));
        }
        return conditions;
    }

    std::optional<Condition> condition_of(const Value& item) {
        Condition condition;
        if (const auto* arg = item.find("arg")) condition.arg = word_of(*arg);
        if (const auto* mask = item.find("mask")) condition.mask = word_of(*mask);
        const Value* values = nullptr;
        for (const auto& [key, op] : kOperators) {
            const auto* said = item.find(key);
            if (said == nullptr) continue;
            if (values != nullptr) {
                error(said->place, "a condition asks one thing", "write a second condition: all must hold");
                return std::nullopt;
            }
            values = said;
            condition.op = op;
        }
        if (values == nullptr) {
            error(item.place, "a condition that asks nothing",
                  "want one of in, not-in, at-least and at-most");
            return std::nullopt;
        }
        if (values->kind != Kind::list) condition.values.push_back(word_of(*values));
        for (const auto& value : values->items) condition.values.push_back(word_of(value));
        if (!condition.values.empty()) return condition;
        error(values->place, "a condition with no value to compare with", "want at least one");
        return std::nullopt;
    }

    const LoadOptions* options_;
    std::vector<std::unique_ptr<Document>>* documents_;
    std::vector<Diagnostic>* diagnostics_;
    std::map<std::string, Group> groups_;
    std::set<std::pair<std::string, Effect>> taken_;
    Calls allow_, deny_;
    std::set<std::string> absent_;
    std::vector<Grant> grants_, denials_;
};

}  // namespace

void resolve_filter(Draft& draft, const std::string& profile_path, const LoadOptions& options,
                    std::vector<std::unique_ptr<Document>>& groups, std::vector<Diagnostic>& diagnostics) {
    FilterReader reader(options, groups, diagnostics);
    reader.profile(draft, profile_path);
    reader.warn_of_idle_rules();
    auto& access = made(draft.profile.posture.seccomp.access);
    auto parts = reader.parts();
    parts.on_denied = access.on_denied;
    parts.on_unknown = access.on_unknown;
    parts.log_denied = access.log_denied;
    parts.abis = access.abis;
    access = resolve(parts);
    auto& origins = draft.profile.origins;
    for (const auto& grant : reader.grants()) {
        // A line of one's own tells more than a group that has it too.
        const bool own =
            grant.place.document == grant.through.document && grant.place.line == grant.through.line;
        for (const auto* field : {"seccomp.access/", "seccomp.allow/"}) {
            const auto [row, fresh] = origins.emplace(field + grant.call, where_of(grant.through));
            if (!fresh && own) row->second = where_of(grant.through);
        }
        origins.emplace("seccomp.lines/" + grant.call, where_of(grant.place));
    }
    for (const auto& denial : reader.denials())
        origins.emplace("seccomp.deny/" + denial.call, where_of(denial.through));
}

void check_group_file(const std::string& path, const LoadOptions& options,
                      std::vector<Diagnostic>& diagnostics) {
    std::vector<std::unique_ptr<Document>> documents;
    FilterReader reader(options, documents, diagnostics);
    reader.group_file(path);
}

}  // namespace guard::policies
