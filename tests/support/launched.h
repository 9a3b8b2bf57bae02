#pragma once
#include <string>
#include <vector>

#include "launcher/launch.h"

/// A container for tests: the posture of an empty profile, and a filter that allows everything, so that what
/// is tested is not hidden behind it.
namespace guard::support {

/// BPF that allows every call; only for tests.
[[nodiscard]] inline std::string allow_all() {
    constexpr unsigned char kReturnAllow[8] = {0x06, 0, 0, 0, 0, 0, 0xff, 0x7f};
    return {reinterpret_cast<const char*>(kReturnAllow), sizeof kReturnAllow};
}

[[nodiscard]] inline Profile empty_profile(const std::string& name) {
    Profile profile;
    profile.name = name;
    profile.posture = nothing_granted();
    return profile;
}

[[nodiscard]] inline launcher::Request request_for(const std::string& name,
                                                   std::vector<std::string> command) {
    launcher::Request request;
    request.profile = empty_profile(name);
    request.name = name;
    request.command = std::move(command);
    request.filter = request.reaper_filter = allow_all();
    return request;
}

}  // namespace guard::support
