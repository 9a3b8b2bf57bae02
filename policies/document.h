#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "posture/diagnostic.h"

/// The language of profiles: files -> Profile. Nothing here needs a privilege or changes the machine.
namespace guard::policies {

struct Document;

/// What a diagnostic points at. Line and column count from 1, columns in characters; line 0 is a whole file,
/// or something that stands in no file ("--set").
struct Place {
    const Document* document = nullptr;
    unsigned line = 0, column = 0, length = 1;
};

enum class Kind : std::uint8_t { text, integer, real, boolean, date, time, list, table };
/// "text", "a whole number", ... for sentences.
[[nodiscard]] std::string_view kind_name(Kind kind);

struct Entry;

/// One value of a file and where it stands.
struct Value {
    Kind kind = Kind::text;
    std::string text;  ///< of a text; of a date as written: "2027-06-30"
    std::int64_t integer = 0;
    double real = 0;
    bool flag = false;
    std::vector<Value> items;    ///< of a list
    std::vector<Entry> entries;  ///< of a table, in the order of the file
    Place place;

    /// The value of `name` in a table, or null.
    [[nodiscard]] const Value* find(std::string_view name) const;
};
struct Entry {
    std::string name;
    Place place;
    Value value;
};

/// The same value, wherever it stands.
[[nodiscard]] bool same_value(const Value& a, const Value& b);
/// As TOML writes it, on one line: `["a", "b"]`, `{ type = "tmpfs" }`.
[[nodiscard]] std::string written(const Value& value);

/// One file, parsed.
struct Document {
    std::string path;                ///< as diagnostics name it
    std::string digest;              ///< SHA-256 of its bytes, in hexadecimal
    std::vector<std::string> lines;  ///< without their ends
    Value root;                      ///< a table
};

/// `note` is what stands behind the carets.
[[nodiscard]] Mark mark_at(const Place& place, std::string note = "");
[[nodiscard]] Where where_of(const Place& place);

inline constexpr std::size_t kMostBytes = 1U << 20U;
inline constexpr unsigned kMostNesting = 32;

/// What came of reading: no document where the file can't be used at all; `document` beside diagnostics where
/// only some lines are broken, so that the errors of the others are told as well.
struct Parsed {
    std::unique_ptr<Document> document;
    std::vector<Diagnostic> diagnostics;
};

/// Parses TOML 1.0. Refuses more than kMostBytes, nesting deeper than kMostNesting, NUL and invalid UTF-8
/// before any parser sees them. Every broken line is told, as far as the lines can be told apart.
[[nodiscard]] Parsed parse_document(std::string path, const std::string& bytes);

/// The value of `key = value` as one line of TOML, for --set; null where it is not one. `place` of everything
/// in it is where `line` says.
[[nodiscard]] std::unique_ptr<Document> parse_line(const std::string& name, const std::string& line);

}  // namespace guard::policies
