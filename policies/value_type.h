#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "policies/key.h"

namespace guard::policies {

/// What is wrong with one value.
struct Fault {
    std::string message;  ///< "`2G` is not a size"
    std::string note;     ///< "write \"2GiB\" (2 x 1024^3 bytes)"
};

/// What `cpus` may be.
inline constexpr double kLeastCores = 0.01, kMostCores = 1024;

/// What is wrong with a value of this key (an item, where the key is a list), or nothing.
[[nodiscard]] std::optional<Fault> check_value(const Key& key, const Value& value);
/// What is wrong with a name that stands for the `*` of a map.
[[nodiscard]] std::optional<Fault> check_name(const Key& map, const std::string& name);

/// One row a type: what a sentence and what a schema say of it.
struct TypeInfo {
    std::string_view want;     ///< "a size as \"64MiB\", or a number of bytes"
    std::string_view kinds;    ///< JSON types, "|" between them: "string|integer"
    std::string_view pattern;  ///< what a text must look like, as a regular expression; empty: anything
};
[[nodiscard]] TypeInfo type_info(Type type);

/// The numbers behind values that were checked.
[[nodiscard]] std::uint64_t bytes_of(const Value& value);
[[nodiscard]] milliseconds duration_of(const Value& value);
[[nodiscard]] std::uint64_t microcores_of(const Value& value);
[[nodiscard]] unsigned mode_of(const Value& value);
[[nodiscard]] int signal_of(const Value& value);
[[nodiscard]] std::uint32_t id_of(const Value& value);
[[nodiscard]] std::set<std::uint32_t> cores_of(const Value& value);

/// "1000", "1000:100" or a name.
struct UserSpec {
    std::string name;  ///< empty where ids are given
    std::uint32_t uid = 0, gid = 0;
};
[[nodiscard]] Result<UserSpec> parse_user(std::string_view text);

/// N, "SOFT:HARD", "max" or "unlimited"; none is unlimited.
struct RlimitSpec {
    std::optional<std::uint64_t> soft, hard;
};
[[nodiscard]] Result<RlimitSpec> parse_rlimit(const Value& value);

/// new, host, container:NAME or path:/run/ns/X.
[[nodiscard]] Result<Relation> parse_relation(std::string_view text);

}  // namespace guard::policies
