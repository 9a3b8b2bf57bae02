#include "policies/settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "policies/nearest.h"
#include "policies/value_type.h"

namespace guard::policies {
namespace {

// Where the reader is: the table's path in the key table, and its real one.
struct Spot {
    std::string pattern;
    std::vector<std::string> path, names;
    Place name_place;
};

class Reader {
public:
    Reader(const KeyIndex& index, Extent extent, std::vector<Diagnostic>& diagnostics)
        : index_(&index), extent_(extent), diagnostics_(&diagnostics) {}

    FileSettings read(const Document& document) {
        table(document.root, {});
        required(document.root, "", {&document, 1, 1, 1});
        return std::move(settings_);
    }

private:
    void error(const Place& place, std::string message, std::string note = "") {
        diagnostics_->push_back({Level::error, std::move(message), {mark_at(place, std::move(note))}});
    }

    void table(const Value& value, const Spot& spot) {
        for (const auto& entry : value.entries) {
            if (entry.name == "replace" && entry.value.kind == Kind::list && !spot.pattern.ends_with("[]"))
                replacement(entry, spot);
            else
                this->entry(entry, spot);
        }
    }

    [[nodiscard]] std::vector<std::string_view> known_in(const Spot& spot) const {
        std::vector<std::string_view> known;
        for (const auto* key : index_->children(spot.pattern)) known.push_back(key_name(*key));
        return known;
    }

    void unknown(const Entry& entry, const Spot& spot) {
        const auto table_name =
            spot.path.empty() ? "at the top" : fmt::format("in [{}]", format_path(spot.path));
        auto note = did_you_mean(entry.name, known_in(spot));
        if (note.empty()) note = elsewhere(entry.name);
        error(entry.place, fmt::format("unknown key `{}` {}", entry.name, table_name), std::move(note));
    }

    // `memory` at the top: a word that is right, in the wrong table.
    [[nodiscard]] std::string elsewhere(const std::string& name) const {
        std::string found;
        for (const auto& key : profile_keys()) {
            const bool plain = key.path.find_first_of("*[") == std::string_view::npos;
            if (!plain || key_name(key) != name || key.path == name) continue;
            if (!found.empty()) return "";
            found = fmt::format("it belongs under [{}]", key.path.substr(0, key.path.rfind('.')));
        }
        return index_ == &profile_index() ? found : "";
    }

    void replacement(const Entry& entry, const Spot& spot) {
        const auto known = known_in(spot);
        const bool any_name = std::ranges::find(known, "*") != known.end();
        for (const auto& item : entry.value.items) {
            if (item.kind != Kind::text) {
                error(item.place, "`replace` names keys of its table", "want text");
                continue;
            }
            if (!any_name && std::ranges::find(known, item.text) == known.end()) {
                error(item.place, fmt::format("`replace` names no key of this table: `{}`", item.text),
                      did_you_mean(item.text, known));
                continue;
            }
            auto path = spot.path;
            path.push_back(item.text);
            settings_.replaced.push_back({std::move(path), item.place});
        }
    }

    void entry(const Entry& entry, const Spot& spot) {
        const auto* key = index_->child(spot.pattern, entry.name);
        if (key == nullptr) return unknown(entry, spot);
        Spot inner{std::string(key->path), spot.path, spot.names, spot.name_place};
        inner.path.push_back(entry.name);
        if (key_name(*key) == "*") {
            if (!name_is_right(entry, spot)) return;
            inner.names.push_back(entry.name);
            inner.name_place = entry.place;
        }
        const auto errors = diagnostics_->size();
        value(entry, *key, inner);
        if (diagnostics_->size() != errors) settings_.broken.push_back(format_path(inner.path));
    }

    void value(const Entry& entry, const Key& key, const Spot& inner) {
        switch (key.shape) {
            case Shape::table:
            case Shape::map: return subtable(entry, key, inner);
            case Shape::tables: return tables(entry, key, inner);
            case Shape::list: return list(entry, key, inner);
            case Shape::one:
                if (check(key, entry.value)) keep(entry, key, inner);
        }
    }

    bool name_is_right(const Entry& entry, const Spot& spot) {
        // The row of a map holds the type of its names; it stands among the children of the table above.
        const auto dot = spot.pattern.rfind('.');
        const auto above = dot == std::string::npos ? "" : spot.pattern.substr(0, dot);
        const auto* map = index_->child(above, std::string_view(spot.pattern).substr(dot + 1));
        const auto fault = map == nullptr ? std::nullopt : check_name(*map, entry.name);
        if (fault) error(entry.place, fault->message, fault->note);
        return !fault;
    }

    void subtable(const Entry& entry, const Key& key, const Spot& inner) {
        if (entry.value.kind != Kind::table)
            return error(entry.value.place,
                         fmt::format("{} is a table, not {}", entry.name, kind_name(entry.value.kind)),
                         table_note(key, entry.name));
        table(entry.value, inner);
    }

    [[nodiscard]] std::string table_note(const Key& key, const std::string& name) const {
        const auto& rows = index_->children(key.path);
        if (rows.empty() || key_name(*rows.front()) == "*") return fmt::format("want {{ NAME = ... }}");
        return fmt::format("want {} = {{ {} = ... }}", name, key_name(*rows.front()));
    }

    void tables(const Entry& entry, const Key& key, const Spot& inner) {
        if (entry.value.kind != Kind::list)
            return error(entry.value.place, fmt::format("{} is a list of tables", entry.name),
                         fmt::format("want [[{}]] or [{{ ... }}]", format_path(inner.path)));
        bool right = true;
        for (const auto& item : entry.value.items) right = one_table(item, key, inner) && right;
        if (right) keep(entry, key, inner);
    }

    // What is inside goes into the profile as a whole: only its errors are of interest here.
    bool one_table(const Value& item, const Key& key, const Spot& inner) {
        if (item.kind != Kind::table) {
            error(item.place,
                  fmt::format("{} is a list of tables, not of {}", key_name(key), kind_name(item.kind)));
            return false;
        }
        const auto errors = diagnostics_->size();
        Reader reader(*index_, extent_, *diagnostics_);
        const auto pattern = inner.pattern + "[]";
        reader.table(item, {pattern, inner.path, inner.names, inner.name_place});
        reader.required(item, pattern, item.place);
        return diagnostics_->size() == errors;
    }

    void required(const Value& value, const std::string& pattern, const Place& place) {
        if (extent_ == Extent::part) return;
        for (const auto* key : index_->children(pattern)) {
            if (!key->required || value.find(key_name(*key)) != nullptr) continue;
            const auto name = key_name(*key);
            if (pattern.empty() && name == "guard")
                error(place, "`guard = 1` is missing", "begin the file with it: the version of the language");
            else
                error(place, fmt::format("`{}` is missing", name), std::string(key->doc));
        }
    }

    void list(const Entry& entry, const Key& key, const Spot& inner) {
        const auto& value = entry.value;
        if (value.kind == Kind::text && word_index(key, value.text) && key.merge == Merge::replace)
            return keep(entry, key, inner);  // "auto", "host": nothing chosen
        if (value.kind != Kind::list)
            return error(value.place, fmt::format("{} is a list", entry.name), list_note(key, value));
        bool right = true;
        for (const auto& item : value.items) right = check(key, item) && right;
        if (key.path.ends_with("command") && !value.items.empty() && value.items.front().text.empty() &&
            right) {
            error(value.items.front().place, "a command begins with a program", "this is empty");
            right = false;
        }
        if (right) keep(entry, key, inner);
    }

    static std::string list_note(const Key& key, const Value& value) {
        const bool scalar = value.kind != Kind::table && value.kind != Kind::time;
        auto note = scalar ? fmt::format("write [{}]", written(value)) : fmt::format("want a list of texts");
        if (!key.words.empty() && key.merge == Merge::replace && key.type != Type::word)
            note += fmt::format(", or \"{}\"", key.words);
        return note;
    }

    bool check(const Key& key, const Value& value) {
        const auto fault = check_value(key, value);
        if (fault) error(value.place, fault->message, fault->note);
        return !fault;
    }

    void keep(const Entry& entry, const Key& key, const Spot& inner) {
        settings_.settings.push_back(
            {&key, inner.path, inner.names, entry.value, entry.place, inner.name_place});
    }

    const KeyIndex* index_;
    Extent extent_;
    std::vector<Diagnostic>* diagnostics_;
    FileSettings settings_;
};

}  // namespace

FileSettings read_settings(const Document& document, const KeyIndex& index, Extent extent,
                           std::vector<Diagnostic>& diagnostics) {
    return Reader(index, extent, diagnostics).read(document);
}

const Setting* find_setting(const std::vector<Setting>& settings, std::string_view path) {
    const auto row = std::ranges::find_if(
        settings, [path](const Setting& setting) { return format_path(setting.path) == path; });
    return row == settings.end() ? nullptr : &*row;
}

}  // namespace guard::policies
