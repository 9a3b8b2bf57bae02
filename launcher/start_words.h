#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "launcher/plan.h"

/// What is said of a container that has just started. Pure, but for home_address.
namespace guard::launcher {

/// "profile minecraft 3f9c2a (minecraft.toml and 4 parents), data /var/lib/guard/minecraft"; groups of system
/// calls are no parents.
[[nodiscard]] std::string profile_line(const Profile& profile, const std::string& data);

/// "started in 9 ms: own users, own network, no rights on this machine, 2 GiB, 2 cores"
[[nodiscard]] std::string started_line(const LaunchPlan& plan, std::chrono::nanoseconds took);

/// Where its published ports are reached, a line each; `home` is this machine's address there.
[[nodiscard]] std::vector<std::string> reach_lines(const NetworkPlan& plan,
                                                   const std::optional<IpAddress>& home);

/// The private address of this machine that others at home know it by: the one its default route starts from,
/// else the first that is not a bridge's of guard. None where it has only public ones.
[[nodiscard]] std::optional<IpAddress> home_address(const NetworkPlan& plan);

}  // namespace guard::launcher
