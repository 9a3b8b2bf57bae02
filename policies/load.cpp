#include "policies/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "policies/complete.h"
#include "policies/extend.h"
#include "policies/filter_read.h"
#include "policies/lint_replaced.h"
#include "policies/nearest.h"
#include "policies/reach.h"
#include "policies/set.h"
#include "policies/value_type.h"

namespace guard::policies {
namespace {

bool is_error(const Diagnostic& diagnostic) { return diagnostic.level == Level::error; }

// A list's element as the posture writes it, which is how findings name it.
std::string normal_item(Type type, const Value& item) {
    switch (type) {
        case Type::publish: {
            const auto published = parse_publish(item.text);
            return published ? format_publish(*published) : item.text;
        }
        case Type::listen: return parse_listen(item.text).value_or(item.text);
        case Type::egress: return parse_egress(item.text).value_or(item.text);
        case Type::peer: return parse_peer(item.text).value_or(item.text);
        default: return item.kind == Kind::text ? item.text : written(item);
    }
}

std::string with_name(std::string_view field, const std::vector<std::string>& names) {
    std::string text(field);
    if (const auto star = text.find('*'); star != std::string::npos && !names.empty())
        text.replace(star, 1, names.front());
    if (const auto star = text.find('*'); star != std::string::npos && !names.empty())
        text.replace(star, 1, names.front());
    return text;
}

// Where a value stands is kept under the key's path and under each field that it decides, for the whole and,
// in a list, for each element.
void record_origin(Origins& origins, const Setting& setting) {
    std::vector<std::string> paths{format_path(setting.path)};
    for (const auto field : words_in(setting.key->fields)) paths.push_back(with_name(field, setting.names));
    for (const auto& path : paths) {
        origins[path] = where_of(setting.value.place);
        if (setting.key->shape != Shape::list) continue;
        for (const auto& item : setting.value.items) {
            origins[path + "/" + normal_item(setting.key->type, item)] = where_of(item.place);
            if (item.kind == Kind::text) origins[path + "/" + item.text] = where_of(item.place);
        }
    }
    if (setting.path.front() == "filesystem" && !setting.names.empty()) {
        origins["mounts/" + setting.names.front()] = where_of(setting.name_place);
        origins["filesystem.mounts." + setting.names.front()] = where_of(setting.name_place);
    }
}

void record_published(Origins& origins, const Setting& setting) {
    for (const auto& item : setting.value.items)
        if (const auto published = parse_publish(item.text))
            origins[fmt::format("network.listen/{}/{}", format_ports(published->inner),
                                published->protocol)] = where_of(item.place);
}

Draft draft_of(const std::vector<Setting>& settings) {
    Draft draft;
    draft.profile.posture = nothing_granted();
    for (const auto& setting : settings) {
        if (setting.key->set == nullptr) continue;
        setting.key->set(draft, setting);
        record_origin(draft.profile.origins, setting);
        if (setting.key->path == "network.publish") record_published(draft.profile.origins, setting);
    }
    // A mount that is taken away stands where that is said, not where its parent's other keys do.
    for (const auto& setting : settings)
        if (setting.key->path == "filesystem.mounts.*.type" && setting.value.text == "none")
            record_origin(draft.profile.origins, setting);
    return draft;
}

std::vector<SourceFile> sources_of(const Chain& chain,
                                   const std::vector<std::shared_ptr<const ReadFile>>& groups) {
    std::vector<SourceFile> sources;
    for (auto file = chain.files.rbegin(); file != chain.files.rend(); ++file)
        sources.push_back({file->document().path, file->document().digest});
    for (const auto& group : groups) sources.push_back({group->document->path, group->document->digest});
    return sources;
}

std::vector<const Document*> documents_of(const Chain& chain) {
    std::vector<const Document*> documents;
    for (const auto& file : chain.files) documents.push_back(&file.document());
    return documents;
}

Broken broken_in(const Chain& chain, const std::vector<SetLine>& sets) {
    Broken broken;
    for (const auto& file : chain.files) broken.insert(file.said().broken.begin(), file.said().broken.end());
    for (const auto& line : sets) broken.insert(line.said.broken.begin(), line.said.broken.end());
    return broken;
}

// One slip can be seen from two sides; it is told once.
void forget_doubles(std::vector<Diagnostic>& diagnostics) {
    using Meaning = std::tuple<std::string, std::string, unsigned, unsigned>;
    std::set<Meaning> told;
    std::erase_if(diagnostics, [&told](const Diagnostic& diagnostic) {
        const auto where = diagnostic.marks.empty() ? Where{} : diagnostic.marks.front().where;
        return !told.insert({diagnostic.message, where.file, where.line, where.column}).second;
    });
}

Loaded not_found(const std::string& name, const LoadOptions& options) {
    const auto names = names_in(options.search_path, files_of(options));
    const auto fix = did_you_mean(name, {names.begin(), names.end()},
                                  fmt::format("looked in {}", fmt::join(options.search_path, ", ")));
    return {std::nullopt,
            {{Level::error,
              fmt::format("no profile `{}` on the search path", name),
              {Mark{{name, 0, 0}, "", 1, fix}}}}};
}

std::optional<std::string> find_profile(const std::string& wanted, const LoadOptions& options) {
    if (is_path(wanted)) return wanted;
    for (const auto& directory : options.search_path)
        if (files_of(options).id(directory + "/" + wanted + ".toml"))
            return directory + "/" + wanted + ".toml";
    return std::nullopt;
}

LoadOptions with_cache(LoadOptions options) {
    if (!options.cache) options.cache = make_file_cache();
    return options;
}

// Everything about one profile after its files were found.
Loaded load_file(const std::string& path, const LoadOptions& options) {
    Loaded loaded;
    auto& diagnostics = loaded.diagnostics;
    const auto chain = read_chain(path, options, diagnostics);
    if (chain.files.empty()) return loaded;
    check_agreement(chain, diagnostics);
    auto settings = merge(chain);
    std::vector<SetLine> sets;
    for (const auto& text : options.sets) {
        sets.push_back(read_set(text, diagnostics));
        apply_set(sets.back(), settings);
    }
    auto draft = draft_of(settings);
    std::vector<std::shared_ptr<const ReadFile>> groups;
    const auto broken = broken_in(chain, sets);
    complete(draft, broken, diagnostics);
    validate(draft, settings, broken, diagnostics);
    resolve_filter(draft, path, options, documents_of(chain), groups, diagnostics);
    if (options.lint == LoadOptions::Lint::yes) lint_replaced(chain, settings, diagnostics);
    forget_doubles(diagnostics);
    if (std::ranges::any_of(diagnostics, is_error)) return loaded;
    draft.profile.name = stem_of(path);
    draft.profile.sources = sources_of(chain, groups);
    loaded.profile = std::move(draft.profile);
    return loaded;
}

}  // namespace
}  // namespace guard::policies

namespace guard {

Loaded load_profile(const std::string& name_or_path, const LoadOptions& options) {
    const auto path = policies::find_profile(name_or_path, options);
    if (!path) return policies::not_found(name_or_path, options);
    return policies::load_file(*path, policies::with_cache(options));
}

std::vector<Diagnostic> check_group(const std::string& path, const LoadOptions& options) {
    std::vector<Diagnostic> diagnostics;
    policies::check_group_file(path, policies::with_cache(options), diagnostics);
    return diagnostics;
}

}  // namespace guard
