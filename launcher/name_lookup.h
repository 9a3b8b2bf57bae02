#pragma once
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "launcher/network_names.h"

namespace guard::launcher {

/// Keeps what the names in `egress` stand for in guard's table. A process of its own, without rights, asks
/// the nameservers and reads their answers: a supervisor neither waits for them nor trusts them with what it
/// may do. That process lives only while it asks.
class NameLookup {
public:
    using Clock = std::chrono::steady_clock;

    /// Does nothing, ever, where `plan` has no names.
    explicit NameLookup(const NetworkPlan& plan);
    NameLookup(const NameLookup&) = delete;
    NameLookup& operator=(const NameLookup&) = delete;
    /// Ends the process that asks.
    ~NameLookup();

    /// Starts to ask for every name, unless it is at it.
    void start();
    /// Readable when take() has something to do; -1 while nobody asks.
    [[nodiscard]] int fd() const { return answers_.get(); }
    /// Puts what has been answered into the table. Returns lines for the user: names that nobody answers for.
    [[nodiscard]] std::vector<std::string> take();
    /// When do_what_is_due() has something to do; none where there are no names.
    [[nodiscard]] std::optional<Clock::time_point> due() const { return due_; }
    /// Asks again when answers have run out; gives up on a process that takes too long.
    void do_what_is_due();

private:
    struct Answer;
    [[noreturn]] static void ask(const std::vector<EgressName>& names, const std::vector<IpAddress>& own,
                                 int answers, pid_t supervisor);
    void note(const Answer& answer);
    void close_name(const Answer& answer);
    void end();

    const NetworkPlan& plan_;
    std::vector<EgressName> names_;
    std::vector<IpAddress> own_;
    UniqueFd process_, answers_;
    std::vector<StandsFor> known_;
    std::vector<bool> silent_;  ///< by name: told already
    std::vector<std::string> told_;
    std::size_t open_ = 0;  ///< names still asked for
    bool failed_ = false;
    Clock::time_point next_;
    std::optional<Clock::time_point> due_;
};

}  // namespace guard::launcher
