#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/document.h"

namespace guard::policies {

struct Draft;

/// What one value is, apart from its number and place: one row each in kValueTypes (value_type.cpp).
enum class Type : std::uint8_t {
    text,
    word,
    boolean,
    integer,
    cores,
    size,
    duration,
    offset,
    mode,
    date,
    path,
    source,
    place,
    file_name,
    kernel_path,
    device,
    block_device,
    user,
    id,
    container,
    host_name,
    interface,
    address,
    environment_name,
    rlimit_name,
    rlimit,
    signal,
    capability,
    call,
    call_or_group,
    group,
    argument,
    constant,
    namespace_of,
    network_mode,
    publish,
    listen,
    egress,
    peer,
    cpuset,
    url,
    feature,
    finding,
};

/// How many values a key has and how they stand.
enum class Shape : std::uint8_t {
    one,
    list,
    table,   ///< keys of its own, each with a row "PATH.KEY"
    map,     ///< names of the user's, typed by `type`; the row of each is "PATH.*"
    tables,  ///< [[PATH]]; the rows of each are "PATH[].KEY"
};

/// What `extends` does with what was inherited. Tables and maps merge key by key.
enum class Merge : std::uint8_t {
    replace,
    append,   ///< lists; doubles are forgotten
    describe  ///< replaces, and two ancestors may differ: it says something about a file, and grants nothing
};

/// A key with what a chain of files says for it.
struct Setting {
    const struct Key* key = nullptr;
    std::vector<std::string> path;   ///< {"filesystem", "mounts", "/tmp", "size"}
    std::vector<std::string> names;  ///< what stands for each `*`: {"/tmp"}
    Value value;
    Place place;       ///< of the key
    Place name_place;  ///< of the last of `names`
    bool replaces = false;
};

/// Puts a value that was found to be of the key's type into the profile.
using Setter = void (*)(Draft&, const Setting&);

/// One row a key of the language: parser, `extends`, --set, schema and reference page all read it.
struct Key {
    std::string_view path;  ///< "limits.memory"; `*` stands for a name, `[]` for each table of a list
    Shape shape = Shape::one;
    Type type = Type::text;
    std::string_view fallback;  ///< where the key is left out, as TOML or in words
    std::string_view doc;       ///< one sentence
    Setter set = nullptr;       ///< none: read elsewhere, as a part of its table or before merging
    std::string_view words;     ///< "no|on-failure|always": what may stand here, or also may
    std::int64_t least = 0, most = std::numeric_limits<std::int64_t>::max();
    Merge merge = Merge::replace;
    bool required = false;
    std::string_view fields;  ///< the posture's fields that it decides: "caps.effective|caps.permitted"
};

[[nodiscard]] std::span<const Key> profile_keys();
[[nodiscard]] std::span<const Key> group_keys();

/// Finds rows by the path of their table.
class KeyIndex {
public:
    explicit KeyIndex(std::span<const Key> keys);
    /// Rows whose path is `table` and one name more. "" is the top; "service.log", "seccomp.rule[]".
    [[nodiscard]] const std::vector<const Key*>& children(std::string_view table) const;
    /// The row of `name` below `table`, or of `*`, or null.
    [[nodiscard]] const Key* child(std::string_view table, std::string_view name) const;

private:
    std::vector<std::pair<std::string, std::vector<const Key*>>> tables_;  // sorted
};
[[nodiscard]] const KeyIndex& profile_index();
[[nodiscard]] const KeyIndex& group_index();

/// The last part of a path: "memory".
[[nodiscard]] std::string_view key_name(const Key& key);
/// The words of a `|` list.
[[nodiscard]] std::vector<std::string_view> words_in(std::string_view list);
/// Which of the key's words the text is.
[[nodiscard]] std::optional<std::size_t> word_index(const Key& key, std::string_view text);
/// "filesystem.mounts./tmp.size"
[[nodiscard]] std::string format_path(const std::vector<std::string>& path);

}  // namespace guard::policies
