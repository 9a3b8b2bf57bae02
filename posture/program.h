#pragma once
#include <algorithm>
#include <array>
#include <string_view>

#include "posture/posture.h"

namespace guard {

/// Environment variables by which somebody else's code gets into a program that is itself untouched.
/// ld.so(8), environ(7)
inline constexpr auto kLoaderNames = std::to_array<std::string_view>(
    {"BASH_ENV", "GCONV_PATH", "GLIBC_TUNABLES", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "LD_AUDIT",
     "LD_LIBRARY_PATH", "LD_PRELOAD", "NODE_OPTIONS", "PERL5LIB", "PERL5OPT", "PYTHONHOME", "PYTHONPATH",
     "PYTHONSTARTUP", "RUBYLIB", "RUBYOPT", "_JAVA_OPTIONS"});

[[nodiscard]] constexpr bool changes_what_is_loaded(std::string_view name) {
    return std::ranges::find(kLoaderNames, name) != kLoaderNames.end();
}

/// What is expected of a program that is started under this posture: memory that is writable and executable
/// only where its filter grants it, and those of kLoaderNames that it is given. `names`: of its environment.
template <class Names>
void expect_of_program(Posture& posture, const Names& names) {
    const auto* access = value_of(posture.seccomp.access);
    const bool compiles = access != nullptr && allows_write_exec(*access);
    posture.program.write_exec = compiles ? Lock::open : Lock::held;
    auto& loader = made(posture.program.loader).all;
    for (const auto& name : names)
        if (changes_what_is_loaded(name)) loader.emplace(name);
}

}  // namespace guard
