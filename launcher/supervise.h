#pragma once
#include <sys/types.h>

#include <chrono>
#include <optional>

#include "base/error.h"
#include "base/process.h"
#include "base/unique_fd.h"
#include "launcher/launch.h"
#include "launcher/name_lookup.h"
#include "launcher/plan.h"

namespace guard::launcher {

/// The signals that a supervisor takes in its own time; blocked for its whole life, given back at the end.
class HeldSignals {
public:
    HeldSignals();
    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;
    ~HeldSignals();
    [[nodiscard]] Result<UniqueFd> open() const;

private:
    sigset_t signals_{}, before_{};
};

/// A container whose command runs, as its supervisor holds it.
struct Running {
    UniqueFd init, payload;    ///< pidfds
    UniqueFd sync;             ///< where PID 1 tells how the command ended
    UniqueFd out, err, input;  ///< this side of the command's pipes
    UniqueFd terminal;         ///< master of its terminal
    UniqueFd signals;          ///< signalfd
    std::optional<std::chrono::steady_clock::time_point> asked_to_stop;
};

/// Stays until the command has ended: writes its log, shows it where attached, passes signals on, stops it on
/// SIGTERM, SIGINT or SIGHUP (stop signal, then after the stop timeout kill; a second SIGINT kills at once).
/// SIGTERM sent with a value: that many ms are the timeout. Returns the command's status, 128+N for signal N.
[[nodiscard]] Result<int> supervise(const LaunchPlan& plan, Running& running, NameLookup& names,
                                    bool attached, const Telling& telling);

}  // namespace guard::launcher
