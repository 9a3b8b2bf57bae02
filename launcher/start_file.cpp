#include "launcher/start_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace guard::launcher {
namespace {

// `word` as the host sees it; empty where it is in no folder of the host.
std::string source_of(const LaunchPlan& plan, const std::string& word) {
    for (const auto& mount : plan.mounts)
        if (mount.make == PlannedMount::Make::outside && mount.place != "/" &&
            word.starts_with(mount.place + "/"))
            return mount.mount.source + word.substr(mount.place.size());
    return {};
}

}  // namespace

Result<void> check_start_file(const LaunchPlan& plan,
                              const std::function<bool(const std::string& path)>& missing) {
    constexpr std::size_t kProgramAndScript = 2;
    for (std::size_t index = 0; index < std::min(plan.command.size(), kProgramAndScript); ++index) {
        const auto source = source_of(plan, plan.command[index]);
        if (source.empty() || !missing(source)) continue;
        return fail_errno(
            fmt::format("start {}: {}", plan.name, source), ENOENT,
            fmt::format("put server.jar there and: echo 'exec java -jar server.jar nogui' | sudo tee {}",
                        source));
    }
    return {};
}

}  // namespace guard::launcher
