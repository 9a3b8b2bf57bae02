#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "posture/posture.h"
#include "posture/service.h"

namespace guard {

/// Where something is written. Line and column count from 1; 0 where there is no line ("built in", --set).
struct Where {
    std::string file;
    unsigned line = 0, column = 0;
    bool operator==(const Where&) const = default;
};
/// "minecraft.toml:31:10", or the file alone where there is no line. `short_file` leaves the directory out.
[[nodiscard]] std::string format_where(const Where& where);
[[nodiscard]] std::string format_where_short(const Where& where);

/// Key path -> where it was written. A list's element has a path of its own:
/// "capabilities.allow/CAP_NET_RAW", "filesystem.mounts./srv/minecraft", "seccomp.allow/openat".
using Origins = std::map<std::string, Where>;
/// The origin of the longest prefix of `path` that has one ("limits.memory" answers "limits.memory/x"), or
/// "built in".
[[nodiscard]] Where origin_of(const Origins& origins, const std::string& path);

/// A finding the owner accepts, until a day.
struct Waiver {
    std::string finding, what, reason, owner;
    std::optional<std::chrono::year_month_day> expires;  ///< none: "never"
    Where where;
};

/// One file a profile was read from.
struct SourceFile {
    std::string path;
    std::string digest;  ///< of its bytes: changed since launch?
    bool operator==(const SourceFile&) const = default;
};

/// A profile with every ancestor and group resolved.
struct Profile {
    std::string name;
    Posture posture;
    Service service;
    Origins origins;
    std::vector<Waiver> waivers;
    std::vector<SourceFile> sources;  ///< the file itself first
};

}  // namespace guard
