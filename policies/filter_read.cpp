#include "policies/filter_read.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "policies/filter_entry.h"
#include "policies/lint_filter.h"
#include "policies/nearest.h"
#include "policies/seccomp_condition.h"
#include "policies/sources.h"

namespace guard::policies {
namespace {

constexpr std::string_view kBaseGroup = "@base";

// What the profile says, and where: a word of `allow` or `deny`, or a rule of its own.
struct Said {
    std::string word;
    Place place;
    Effect effect = Effect::allow;
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
    FilterReader(const LoadOptions& options, std::vector<std::shared_ptr<const ReadFile>>& documents,
                 std::vector<Diagnostic>& diagnostics)
        : options_(&options), documents_(&documents), diagnostics_(&diagnostics) {}

    void profile(const Draft& draft, const std::string& path) {
        for (const auto& item : draft.allow)
            word(item.text, item.place, {item.text, item.place, Effect::allow});
        for (const auto& item : draft.deny)
            word(item.text, item.place, {item.text, item.place, Effect::deny});
        word(std::string(kBaseGroup), {}, {std::string(kBaseGroup), {}, Effect::allow}, path);
        for (const auto& item : draft.absent) absent_.insert(item.text);
        for (const auto& table : draft.rules) {
            const auto* effect = table.find("effect");
            const bool denies = effect != nullptr && effect->text == "deny";
            rule(table, {"", table.place, denies ? Effect::deny : Effect::allow});
        }
    }

    void group_file(const std::string& path) { load("@" + stem_of(path), path, {}); }

    [[nodiscard]] FilterParts parts() const {
        FilterParts parts;
        for (const auto& entry : entries_) {
            auto& cubes = (entry.effect == Effect::allow ? parts.allow : parts.deny)[entry.call];
            cubes.insert(cubes.end(), entry.cubes.begin(), entry.cubes.end());
        }
        parts.absent = absent_;
        return parts;
    }

    [[nodiscard]] const std::vector<FilterEntry>& entries() const { return entries_; }

private:
    struct Group {
        std::vector<std::pair<std::string, Place>> calls;
        std::vector<std::pair<std::string, Place>> includes;
        std::vector<std::string> absent;
        const std::vector<Value>* rules = nullptr;  // of the file, which documents_ keeps
        bool entered = false;
    };

    void error(const Place& place, std::string message, std::string note = "") {
        diagnostics_->push_back({Level::error, std::move(message), {mark_at(place, std::move(note))}});
    }

    // A name or a group.
    void word(const std::string& text, const Place& place, const Said& said,
              const std::string& named_in = "") {
        if (!text.starts_with('@')) return add(text, place, said, {Cube{}}, nullptr);
        const auto& file = named_in.empty() && place.document != nullptr ? place.document->path : named_in;
        const auto* group = find(text, place, file);
        if (group != nullptr && taken_.insert({text, said.effect}).second) take(*group, said);
    }

    void take(const Group& group, const Said& said) {
        for (const auto& [name, place] : group.includes) word(name, place, said);
        for (const auto& [call, place] : group.calls) add(call, place, said, {Cube{}}, nullptr);
        if (said.effect == Effect::allow) absent_.insert(group.absent.begin(), group.absent.end());
        if (group.rules == nullptr) return;
        for (const auto& table : *group.rules) rule(table, said);
    }

    // @base is said nowhere: what it brings stands in its own file.
    void add(const std::string& call, const Place& place, const Said& said, std::vector<Cube> cubes,
             const Value* rule) {
        const auto& through = said.place.document == nullptr ? place : said.place;
        entries_.push_back({said.effect, call, said.word.empty() ? call : said.word, std::move(cubes), place,
                            through, rule});
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
        const auto read = options_->cache->read(path, group_index(), *options_);
        auto& group = groups_[name];
        if (!read) {
            diagnostics_->push_back({Level::error, describe(read.error()), {}});
            if (place.document != nullptr)
                diagnostics_->back().marks.push_back(mark_at(place, read.error().fix));
            return nullptr;
        }
        if ((*read)->distrust) diagnostics_->push_back(distrusted(path, *(*read)->distrust));
        std::ranges::copy((*read)->diagnostics, std::back_inserter(*diagnostics_));
        documents_->push_back(*read);
        fill(group, name, (*read)->said);
        return &groups_[name];
    }

    void fill(Group& group, const std::string& name, const FileSettings& said) {
        for (const auto& setting : said.settings) {
            if (setting.key->path == "syscalls.*")
                group.calls.emplace_back(setting.names.front(), setting.place);
            if (setting.key->path == "rule") group.rules = &setting.value.items;
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

    void rule(const Value& table, const Said& said) {
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
            add(name.text, name.place, said, made->when, &table);
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
    std::vector<std::shared_ptr<const ReadFile>>* documents_;
    std::vector<Diagnostic>* diagnostics_;
    std::map<std::string, Group> groups_;
    std::set<std::pair<std::string, Effect>> taken_;
    std::set<std::string> absent_;
    std::vector<FilterEntry> entries_;
};

// Of several lines that allow a call, the one that tells most: without condition before with one, and a line
// of one's own before a group that has it too.
void record_origins(Origins& origins, const std::vector<FilterEntry>& entries) {
    std::map<std::string_view, std::pair<int, const FilterEntry*>> best;
    for (const auto& entry : entries) {
        if (entry.effect == Effect::deny) {
            origins.emplace("seccomp.deny/" + entry.call, where_of(entry.through));
            continue;
        }
        const bool own =
            entry.place.document == entry.through.document && entry.place.line == entry.through.line;
        const int tells = (entry.always() ? 2 : 0) + (own ? 1 : 0);
        const auto [row, fresh] = best.try_emplace(entry.call, tells, &entry);
        if (!fresh && tells > row->second.first) row->second = {tells, &entry};
    }
    for (const auto& [call, row] : best) {
        for (const auto* field : {"seccomp.access/", "seccomp.allow/"})
            origins.try_emplace(fmt::format("{}{}", field, call), where_of(row.second->through));
        origins.try_emplace(fmt::format("seccomp.lines/{}", call), where_of(row.second->place));
    }
}

}  // namespace

void resolve_filter(Draft& draft, const std::string& profile_path, const LoadOptions& options,
                    const std::vector<const Document*>& chain,
                    std::vector<std::shared_ptr<const ReadFile>>& groups,
                    std::vector<Diagnostic>& diagnostics) {
    FilterReader reader(options, groups, diagnostics);
    reader.profile(draft, profile_path);
    auto& access = made(draft.profile.posture.seccomp.access);
    auto parts = reader.parts();
    parts.on_denied = access.on_denied;
    parts.on_unknown = access.on_unknown;
    parts.log_denied = access.log_denied;
    parts.abis = access.abis;
    access = resolve(parts);
    record_origins(draft.profile.origins, reader.entries());
    if (options.lint == LoadOptions::Lint::yes) lint_filter(reader.entries(), access, chain, diagnostics);
}

void check_group_file(const std::string& path, const LoadOptions& options,
                      std::vector<Diagnostic>& diagnostics) {
    std::vector<std::shared_ptr<const ReadFile>> documents;
    FilterReader reader(options, documents, diagnostics);
    reader.group_file(path);
}

}  // namespace guard::policies
