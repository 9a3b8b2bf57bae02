#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "posture/profile.h"

namespace guard::report {

enum class Detail : bool { brief, all };

/// The sections `explain` knows, in order: the tables of a profile.
[[nodiscard]] std::span<const std::string_view> explain_sections();

/// One statement about a profile, under the key that made it so.
struct Statement {
    std::string key;  ///< "limits.memory", "network.publish/lan:25565:25565/tcp"
    std::string text;
    Where where;
    unsigned depth = 1;  ///< 2: belongs to the one before
};

/// What the profile grants, as the differences from nothing granted, and what it says about the service's
/// life, in words an owner understands; each with the place it comes from.
[[nodiscard]] std::vector<Statement> statements_of(const Profile& profile, Detail detail);

/// The statements on a page. `sections` picks some, by name ("network") or by key ("limits.memory"); none
/// picks all.
[[nodiscard]] std::string explain_text(const Profile& profile, std::span<const std::string> sections,
                                       Detail detail);
/// The same as data: {"guard": 1, "profile", "statements": [{key, text, where}]}.
[[nodiscard]] std::string explain_json(const Profile& profile, std::span<const std::string> sections);

/// True where some statement is under this section or key.
[[nodiscard]] bool explains(const Profile& profile, const std::string& section);

}  // namespace guard::report
