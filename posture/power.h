#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "posture/posture.h"

/// How far over this machine a process reaches with what it holds beyond nothing granted.
namespace guard {

/// The later one reaches farther.
enum class Power : std::uint8_t { little, settings, network, programs, files, machine };

/// One row a reach, in the order of the enumerators.
struct PowerRow {
    Power power;
    std::string_view name;   ///< "whole machine"
    std::string_view means;  ///< in words an owner understands
};
[[nodiscard]] std::span<const PowerRow> powers();
[[nodiscard]] std::string_view power_name(Power reach);

/// How far one right reaches, and why: what `compare` calls a change from nothing granted.
struct RightRow {
    std::string_view field, item;
    Power power;
    std::string_view why;
};
[[nodiscard]] std::span<const RightRow> right_rows();

/// True for the path of a socket whose clients get rights over this machine: docker.sock and the like.
[[nodiscard]] bool is_control_socket(std::string_view path);

/// The farthest reach of some changes from nothing granted, and the reason for it.
struct FarthestPower {
    Power power = Power::little;
    std::string why;
};
/// Rights over somebody else's user namespace are none over this machine: a capability counts only where the
/// user namespace is the machine's. user_namespaces(7)
[[nodiscard]] FarthestPower farthest_power(const std::vector<Change>& grants);

}  // namespace guard
