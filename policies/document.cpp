#include "policies/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/digest.h"
#include "policies/scan.h"

namespace guard::policies {
namespace {
// toml++ 3.3 asserts what some broken files make untrue ("[[["). Bad input must not end the process, in a
// debug build either: its assertions become this, in every build.
struct ParserFault {};
}  // namespace
}  // namespace guard::policies

#undef NDEBUG
#define TOML_ASSERT(expr) ((expr) ? void() : throw ::guard::policies::ParserFault{})
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
// Some of its asserts stand in functions that promise not to throw: there a fault still ends the process, as
// an assert would.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wterminate"
#include <toml++/toml.h>
#pragma GCC diagnostic pop

namespace guard::policies {
namespace {

constexpr std::array<std::string_view, 8> kKindNames{
    "text",   "a whole number", "a number with a fraction", "true or false", "a date", "a time",
    "a list", "a table"};

class Builder {
public:
    explicit Builder(const Document& document) : document_(&document) {}

    [[nodiscard]] Value value(const toml::node& node, const Place& fallback) const {
        Value made;
        made.place = place(node.source(), fallback, TokenKind::value);
        node.visit([&](const auto& typed) { fill(made, typed); });
        return made;
    }

private:
    // A table made by a header or a dotted key has no begin of its own: it stands where its name stands.
    [[nodiscard]] Place place(const toml::source_region& region, const Place& fallback,
                              TokenKind kind) const {
        if (region.begin.line == 0 || region.begin.line > document_->lines.size()) return fallback;
        Place made{document_, region.begin.line, region.begin.column, 1};
        made.length = token_length(document_->lines[made.line - 1], made.column, kind);
        return made;
    }

    void fill(Value& made, const toml::value<std::string>& node) const {
        made.kind = Kind::text;
        made.text = node.get();
    }
    void fill(Value& made, const toml::value<std::int64_t>& node) const {
        made.kind = Kind::integer;
        made.integer = node.get();
    }
    void fill(Value& made, const toml::value<double>& node) const {
        made.kind = Kind::real;
        made.real = node.get();
    }
    void fill(Value& made, const toml::value<bool>& node) const {
        made.kind = Kind::boolean;
        made.flag = node.get();
    }
    void fill(Value& made, const toml::value<toml::date>& node) const {
        made.kind = Kind::date;
        made.text = fmt::format("{:04}-{:02}-{:02}", node.get().year, node.get().month, node.get().day);
    }
    void fill(Value& made, const toml::value<toml::time>&) const { made.kind = Kind::time; }
    void fill(Value& made, const toml::value<toml::date_time>&) const { made.kind = Kind::time; }
    void fill(Value& made, const toml::array& node) const {
        made.kind = Kind::list;
        for (const auto& item : node) made.items.push_back(value(item, made.place));
    }
    void fill(Value& made, const toml::table& node) const {
        made.kind = Kind::table;
        for (const auto& [key, item] : node) {
            const auto name_place = place(key.source(), made.place, TokenKind::key);
            made.entries.push_back({std::string(key.str()), name_place, value(item, name_place)});
        }
        // toml++ sorts by name; a reader wants errors in the order of the file.
        std::ranges::stable_sort(made.entries, {}, [](const Entry& entry) {
            return std::pair{entry.place.line, entry.place.column};
        });
    }

    const Document* document_;
};

struct SyntaxError {
    unsigned line = 0, column = 0;
    std::string reason;
};

// "Error while parsing key-value pair: ...": what it was parsing is seen at the caret.
SyntaxError error_of(const toml::parse_error& error) {
    std::string reason(error.description());
    if (const auto cut = reason.find(": "); reason.starts_with("Error while") && cut != std::string::npos)
        reason.erase(0, cut + 2);
    return {error.source().begin.line, error.source().begin.column, std::move(reason)};
}

bool parser_gives_up(std::string_view text) {
    try {
        static_cast<void>(toml::parse(text));
    } catch (const toml::parse_error&) {
        return false;
    } catch (const ParserFault&) {
        return true;
    }
    return false;
}

// Where the parser gives up without saying so: the first line with which it does.
SyntaxError place_of_fault(std::string_view text) {
    std::vector<std::size_t> ends;  // of each line
    for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
        ends.push_back(at + 1);
    const auto first = std::ranges::partition_point(
        ends, [text](std::size_t end) { return !parser_gives_up(text.substr(0, end)); });
    return {static_cast<unsigned>(first - ends.begin()) + 1, 1, "nobody can tell what this line means"};
}

std::optional<SyntaxError> parse_into(Document& document, const std::string& text) {
    try {
        const auto table = toml::parse(std::string_view(text));
        const Place whole{&document, 1, 1, 1};
        document.root = Builder(document).value(table, whole);
        document.root.place = whole;
        return std::nullopt;
    } catch (const toml::parse_error& error) {
        return error_of(error);
    } catch (const ParserFault&) {
        return place_of_fault(text);
    }
}

// The last place before `line` where something of this name is said.
void find_before(const Value& table, std::string_view name, unsigned line, std::optional<Place>& found) {
    for (const auto& entry : table.entries) {
        const bool later = !found || entry.place.line >= found->line;
        if (entry.name == name && entry.place.line < line && later) found = entry.place;
        find_before(entry.value, name, line, found);
    }
    for (const auto& item : table.items) find_before(item, name, line, found);
}

// "cannot redefine existing integer 'memory'" -> memory.
std::optional<std::string> redefined_name(const std::string& reason) {
    const auto open = reason.find('\'');
    const auto close = reason.rfind('\'');
    if (reason.find("redefine") == std::string::npos || open == close) return std::nullopt;
    return reason.substr(open + 1, close - open - 1);
}

Diagnostic syntax_diagnostic(const Document& document, const Document& before, const SyntaxError& error) {
    const auto line = std::clamp<unsigned>(error.line, 1, static_cast<unsigned>(document.lines.size()));
    const auto& text = document.lines[line - 1];
    Place place{&document, line, std::max(error.column, 1U), 1};
    const auto name = redefined_name(error.reason);
    if (place.column > characters(text) && error.reason.find("control characters") != std::string::npos)
        return {Level::error, "not TOML: a text without its closing quote", {mark_at(place)}};
    if (!name) {
        place.length = token_length(text, place.column, TokenKind::value);
        return {Level::error, "not TOML: " + error.reason, {mark_at(place)}};
    }
    std::optional<Place> first;
    const auto last_part = name->substr(name->rfind('.') + 1);
    find_before(before.root, last_part, line, first);
    if (const auto at = text.find(last_part); at != std::string::npos) {
        place.column = static_cast<unsigned>(characters(text.substr(0, at))) + 1;
        place.length = static_cast<unsigned>(characters(last_part));
    }
    Diagnostic diagnostic{Level::error, fmt::format("`{}` is said twice", last_part), {}};
    if (first) first->document = &document;
    if (first) diagnostic.marks.push_back(mark_at(*first, "first here"));
    diagnostic.marks.push_back(mark_at(place, first ? "and here again" : ""));
    return diagnostic;
}

std::string joined(const std::vector<std::string>& lines, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += lines[i] + "\n";
    return text;
}

// Where the statement that begins at this line ends, going by its brackets: what follows in it is no error of
// its own.
std::size_t statement_end(const std::vector<std::string>& lines, std::size_t at) {
    int depth = 0;
    for (auto line = at; line < lines.size(); ++line) {
        if (line > at && lines[line].starts_with('[')) return line - 1;
        depth += net_brackets(lines[line]);
        if (depth <= 0) return line;
    }
    return at;
}

// toml++ stops at the first error. A line that is broken in itself (what stands before it parses) is taken
// out and the rest read again, so that all errors come at once; else what follows can't be trusted.
void parse_recovering(Document& document, std::vector<Diagnostic>& diagnostics) {
    constexpr int kMostRounds = 20;
    auto lines = document.lines;
    for (int round = 0; round < kMostRounds; ++round) {
        const auto error = parse_into(document, joined(lines, lines.size()));
        if (!error) return;
        const auto at = std::clamp<std::size_t>(error->line, 1, lines.size()) - 1;
        Document before;
        before.lines = document.lines;
        const bool alone = !parse_into(before, joined(lines, at)) && !lines[at].empty();
        diagnostics.push_back(syntax_diagnostic(document, before, *error));
        // Behind a broken header nobody knows which table a key is in: what stands before it is all there is.
        const bool header = lines[at].find_first_not_of(" \t") == lines[at].find('[') && alone;
        lines.resize(header ? at : lines.size());
        document.root = {};
        document.root.kind = Kind::table;
        if (!alone) return;
        if (header) {
            parse_into(document, joined(lines, lines.size()));
            return;
        }
        const auto end = statement_end(lines, at);
        for (auto broken = at; broken <= end; ++broken) lines[broken].clear();
    }
}

std::vector<std::string> split_lines(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.emplace_back(line);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (lines.empty()) lines.emplace_back();
    return lines;
}

std::string quoted(const std::string& text) {
    std::string made = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') made += '\\';
        if (static_cast<unsigned char>(c) < 0x20)
            made += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            made += c;
    }
    return made + "\"";
}

}  // namespace

std::string_view kind_name(Kind kind) { return kKindNames.at(static_cast<std::size_t>(kind)); }

const Value* Value::find(std::string_view name) const {
    const auto entry = std::ranges::find(entries, name, &Entry::name);
    return entry == entries.end() ? nullptr : &entry->value;
}

bool same_value(const Value& a, const Value& b) {
    if (a.kind != b.kind || a.text != b.text || a.integer != b.integer || a.real != b.real ||
        a.flag != b.flag)
        return false;
    if (!std::ranges::equal(a.items, b.items, same_value) || a.entries.size() != b.entries.size())
        return false;
    return std::ranges::all_of(a.entries, [&b](const Entry& entry) {
        const auto* other = b.find(entry.name);
        return other != nullptr && same_value(entry.value, *other);
    });
}

std::string written(const Value& value) {
    std::vector<std::string> parts;
    switch (value.kind) {
        case Kind::text: return quoted(value.text);
        case Kind::integer: return std::to_string(value.integer);
        case Kind::real: return fmt::format("{}", value.real);
        case Kind::boolean: return value.flag ? "true" : "false";
        case Kind::date: return value.text;
        case Kind::time: return "a time";
        case Kind::list:
            for (const auto& item : value.items) parts.push_back(written(item));
            return fmt::format("[{}]", fmt::join(parts, ", "));
        case Kind::table:
            for (const auto& entry : value.entries)
                parts.push_back(fmt::format("{} = {}", entry.name, written(entry.value)));
            return fmt::format("{{ {} }}", fmt::join(parts, ", "));
    }
    return {};
}

Where where_of(const Place& place) {
    return {place.document == nullptr ? "built in" : place.document->path, place.line, place.column};
}

Mark mark_at(const Place& place, std::string note) {
    Mark mark{where_of(place), "", place.length, std::move(note)};
    if (place.document == nullptr || place.line > place.document->lines.size()) return mark;
    if (place.line > 0) mark.line = place.document->lines[place.line - 1];
    if (place.line == 0 && place.column > 0) mark.line = place.document->lines.front();  // an argument
    return mark;
}

Parsed parse_document(std::string path, const std::string& bytes) {
    Parsed parsed{std::make_unique<Document>(), {}};
    auto& document = *parsed.document;
    document.path = std::move(path);
    document.digest = digest_of(bytes);
    document.root.kind = Kind::table;
    if (bytes.size() > kMostBytes) {
        const Place whole{&document, 0, 0, 1};
        parsed.diagnostics.push_back(
            {Level::error, "the file is larger than 1 MiB, which no profile needs", {mark_at(whole)}});
        return parsed;
    }
    document.lines = split_lines(bytes);
    if (const auto fault = scan_text(document.lines, kMostNesting)) {
        const Place place{&document, fault->line, fault->column, 1};
        parsed.diagnostics.push_back({Level::error, fault->message, {mark_at(place, fault->note)}});
        return parsed;
    }
    parse_recovering(document, parsed.diagnostics);
    return parsed;
}

std::unique_ptr<Document> parse_line(const std::string& name, const std::string& line) {
    auto document = std::make_unique<Document>();
    document->path = name;
    document->lines = {line};
    document->root.kind = Kind::table;
    const bool fits = line.size() <= kMostBytes && line.find('\n') == std::string::npos;
    if (!fits || scan_text(document->lines, kMostNesting) || parse_into(*document, line)) return nullptr;
    return document;
}

}  // namespace guard::policies
