#include "policies/extend.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "policies/nearest.h"

namespace guard::policies {
namespace {

constexpr std::size_t kMostFiles = 200;

// A file on the way from the profile to the one being read, and where it names the next.
struct Step {
    FileId id;
    std::string path;
    Place names_next;
};

class ChainReader {
public:
    ChainReader(const LoadOptions& options, std::vector<Diagnostic>& diagnostics)
        : options_(&options), diagnostics_(&diagnostics) {}

    Chain read(const std::string& path) {
        file(path, {});
        return std::move(chain_);
    }

private:
    void error(const Place& place, std::string message, std::string note = "") {
        diagnostics_->push_back({Level::error, std::move(message), {}});
        if (place.document != nullptr) diagnostics_->back().marks.push_back(mark_at(place, std::move(note)));
    }

    void unreadable(const std::string& path, const Error& error, const Place& named_at) {
        if (named_at.document != nullptr) return this->error(named_at, describe(error), error.fix);
        diagnostics_->push_back({Level::error, describe(error), {Mark{{path, 0, 0}, "", 1, error.fix}}});
    }

    // The place of the file in the chain, or none where it can't be used.
    std::optional<std::size_t> file(const std::string& path, const Place& named_at) {
        auto read = options_->cache->read(path, profile_index(), *options_);
        if (!read) {
            unreadable(path, read.error(), named_at);
            return std::nullopt;
        }
        const auto& id = (*read)->id;
        if (cycle(id, path, named_at)) return std::nullopt;
        if (const auto known = std::ranges::find_if(
                chain_.files, [&id](const ChainFile& file) { return file.read->id == id; });
            known != chain_.files.end())
            return static_cast<std::size_t>(known - chain_.files.begin());
        if (chain_.files.size() + way_.size() >= kMostFiles) {
            error(named_at, fmt::format("more than {} files in one chain", kMostFiles));
            return std::nullopt;
        }
        return added(path, {std::move(*read), {}, {}});
    }

    std::size_t added(const std::string& path, ChainFile file) {
        const auto& read = *file.read;
        if (read.distrust) diagnostics_->push_back(distrusted(path, *read.distrust));
        std::ranges::copy(read.diagnostics, std::back_inserter(*diagnostics_));
        way_.push_back({read.id, path, {}});
        parents(file);
        way_.pop_back();
        chain_.files.push_back(std::move(file));
        return chain_.files.size() - 1;
    }

    void parents(ChainFile& file) {
        const auto* extends = find_setting(file.said().settings, "extends");
        if (extends == nullptr) return;
        for (const auto& item : extends->value.items) {
            const auto path = find_parent(item.text, file.document().path, *options_);
            if (!path) {
                missing(item, file.document());
                continue;
            }
            way_.back().names_next = item.place;
            const auto at = this->file(*path, item.place);
            if (!at || std::ranges::find(file.parents, *at) != file.parents.end()) continue;
            file.parents.push_back(*at);
            file.parent_places.push_back(item.place);
        }
    }

    void missing(const Value& item, const Document& document) {
        if (is_path(item.text)) return error(item.place, fmt::format("there is no file `{}`", item.text));
        auto directories = options_->search_path;
        directories.push_back(directory_of(document.path));
        const auto names = names_in(directories, files_of(*options_));
        std::vector<std::string_view> known;
        for (const auto& name : names)
            if (name != item.text && name != stem_of(document.path)) known.push_back(name);
        const bool own = item.text == stem_of(document.path);
        error(item.place,
              own ? fmt::format("no other profile `{}` further down the search path", item.text)
                  : fmt::format("no profile `{}` beside this file or on the search path", item.text),
              did_you_mean(item.text, known));
    }

    bool cycle(const FileId& id, const std::string&, const Place& named_at) {
        const auto first = std::ranges::find(way_, id, &Step::id);
        if (first == way_.end()) return false;
        std::string names;
        for (auto step = first; step != way_.end(); ++step) names += stem_of(step->path) + " -> ";
        Diagnostic diagnostic{
            Level::error, fmt::format("`extends` goes in a circle: {}{}", names, stem_of(first->path)), {}};
        for (auto step = first; step != way_.end(); ++step)
            diagnostic.marks.push_back(
                mark_at(step->names_next, fmt::format("{} extends this", stem_of(step->path))));
        if (diagnostic.marks.empty()) diagnostic.marks.push_back(mark_at(named_at));
        diagnostics_->push_back(std::move(diagnostic));
        return true;
    }

    const LoadOptions* options_;
    std::vector<Diagnostic>* diagnostics_;
    Chain chain_;
    std::vector<Step> way_;
};

using Path = std::vector<std::string>;

bool is_below(const Path& path, const Path& above) {
    return path.size() >= above.size() && std::equal(above.begin(), above.end(), path.begin());
}

bool is_word_for_list(const Setting& setting) {
    return setting.key->shape == Shape::list && setting.value.kind == Kind::text;
}

void append(Setting& merged, const Setting& more) {
    for (const auto& item : more.value.items) {
        const bool known = std::ranges::any_of(
            merged.value.items, [&item](const Value& other) { return same_value(other, item); });
        if (!known) merged.value.items.push_back(item);
    }
    merged.place = more.place;
    merged.value.place = more.value.place;
}

void add(std::map<Path, Setting>& merged, const Setting& setting) {
    const auto row = merged.find(setting.path);
    const bool appends = setting.key->merge == Merge::append && row != merged.end() && !setting.replaces &&
                         !is_word_for_list(row->second);
    if (appends) return append(row->second, setting);
    auto fresh = setting;
    if (setting.key->merge == Merge::append) {
        fresh.value.items.clear();
        append(fresh, setting);
    }
    merged.insert_or_assign(setting.path, std::move(fresh));
}

std::set<std::size_t> ancestors_of(const Chain& chain, std::size_t at) {
    std::set<std::size_t> all;
    for (const auto parent : chain.files[at].parents) {
        all.insert(parent);
        all.merge(ancestors_of(chain, parent));
    }
    return all;
}

bool chooses(const ChainFile& file, const Path& path) {
    const auto says = [&path](const auto& row) { return row.path == path; };
    const auto drops = [&path](const Replacement& row) { return is_below(path, row.path); };
    return std::ranges::any_of(file.said().settings, says) ||
           std::ranges::any_of(file.said().replaced, drops);
}

// What the ancestors of one file say for one path, each in its own file.
struct Claim {
    std::size_t file;
    const Setting* setting;
};
using Claims = std::map<Path, std::vector<Claim>>;

Claims claims_of(const Chain& chain, const std::set<std::size_t>& ancestors) {
    Claims claims;
    for (const auto file : ancestors)
        for (const auto& setting : chain.files[file].said().settings)
            if (setting.key->merge == Merge::replace && setting.key->set != nullptr)
                claims[setting.path].push_back({file, &setting});
    return claims;
}

// The parent of `file` through which it inherits from `ancestor`.
Place named_at(const Chain& chain, const ChainFile& file, std::size_t ancestor) {
    for (std::size_t i = 0; i < file.parents.size(); ++i)
        if (file.parents[i] == ancestor || ancestors_of(chain, file.parents[i]).contains(ancestor))
            return file.parent_places[i];
    return {&file.document(), 1, 1, 1};
}

std::string name_of(const Chain& chain, std::size_t file) {
    return stem_of(chain.files[file].document().path);
}

Diagnostic disagreement(const Chain& chain, const ChainFile& file, const Path& path, const Claim& one,
                        const Claim& other) {
    const auto says = [](const Claim& claim) {
        return fmt::format("{} at {}", written(claim.setting->value),
                           format_where_short(where_of(claim.setting->value.place)));
    };
    const Path table(path.begin(), path.end() - 1);
    const auto choice = fmt::format("; write `{} = {}` under [{}]", path.back(), written(one.setting->value),
                                    format_path(table));
    Diagnostic diagnostic{
        Level::error,
        fmt::format("{} and {} disagree on {}, and this file does not choose", name_of(chain, one.file),
                    name_of(chain, other.file), format_path(path)),
        {}};
    diagnostic.marks.push_back(mark_at(named_at(chain, file, one.file), says(one) + choice));
    diagnostic.marks.push_back(mark_at(named_at(chain, file, other.file), says(other)));
    return diagnostic;
}

// Claims that no other ancestor overrides: what its children say is what counts.
std::vector<Claim> last_words(const Chain& chain, const std::vector<Claim>& claims) {
    std::vector<Claim> last;
    for (const auto& claim : claims) {
        const bool overridden = std::ranges::any_of(claims, [&](const Claim& other) {
            return other.file != claim.file && ancestors_of(chain, other.file).contains(claim.file);
        });
        if (!overridden) last.push_back(claim);
    }
    return last;
}

}  // namespace

Chain read_chain(const std::string& path, const LoadOptions& options, std::vector<Diagnostic>& diagnostics) {
    return ChainReader(options, diagnostics).read(path);
}

std::vector<Setting> merge(const Chain& chain) {
    std::map<Path, Setting> merged;
    for (const auto& file : chain.files) {
        for (const auto& replaced : file.said().replaced)
            std::erase_if(merged,
                          [&replaced](const auto& row) { return is_below(row.first, replaced.path); });
        for (const auto& setting : file.said().settings) add(merged, setting);
    }
    std::vector<Setting> settings;
    for (auto& [path, setting] : merged) settings.push_back(std::move(setting));
    return settings;
}

void check_agreement(const Chain& chain, std::vector<Diagnostic>& diagnostics) {
    std::set<Path> told;
    for (std::size_t at = 0; at < chain.files.size(); ++at) {
        const auto& file = chain.files[at];
        if (file.parents.size() < 2) continue;
        for (const auto& [path, claims] : claims_of(chain, ancestors_of(chain, at))) {
            if (claims.size() < 2 || chooses(file, path) || told.contains(path)) continue;
            const auto last = last_words(chain, claims);
            const auto differs = std::ranges::find_if(last, [&last](const Claim& claim) {
                return !same_value(claim.setting->value, last.front().setting->value);
            });
            if (differs == last.end()) continue;
            told.insert(path);
            diagnostics.push_back(disagreement(chain, file, path, last.front(), *differs));
        }
    }
}

}  // namespace guard::policies
