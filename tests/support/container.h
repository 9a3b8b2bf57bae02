#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "audit/audit.h"
#include "launcher/state.h"
#include "tests/support/run_program.h"

namespace guard::support {

/// The program under test with these arguments, on the shipped profiles.
/// `through` is what starts it, such as a shell that changes something about itself first.
[[nodiscard]] inline RunResult run_guard(std::vector<std::string> arguments,
                                         const std::vector<std::string>& through = {}) {
    arguments.insert(arguments.begin(), GUARD_BINARY_DIR "/cli/guard");
    arguments.insert(arguments.begin(), through.begin(), through.end());
    RunOptions options;
    options.env["GUARD_PROFILE_PATH"] = GUARD_SOURCE_DIR "/profiles";
    return run_program(arguments, options);
}

/// A container that was launched by the program `guard`, under audit; stopped at the end.
class Container {
public:
    /// Why no container can be launched here; none where it can.
    [[nodiscard]] static std::optional<std::string> none_here() {
        if (::access(GUARD_BINARY_DIR "/cli/guard", X_OK) == 0) return std::nullopt;
        return "the program guard is not built";
    }

    Container(std::string name, const std::string& profile, const std::vector<std::string>& through = {})
        : name_(std::move(name)) {
        launched_ = run_guard({"launch", "--profile", profile, "--name", name_, "--detach"}, through);
        if (const auto read = launcher::load_record(name_)) record = *read;
    }
    Container(const Container&) = delete;
    Container& operator=(const Container&) = delete;
    ~Container() { static_cast<void>(run_guard({"stop", name_, "--timeout", "1s"})); }

    [[nodiscard]] const RunResult& launched() const { return launched_; }

    /// Runs a line of bash in which $P is the pid of the command and $I that of PID 1.
    void shell(const std::string& line, std::map<std::string, std::string> variables = {}) const {
        RunOptions options{.env = std::move(variables)};
        options.env["P"] = std::to_string(record.bindings.payload.pid);
        options.env["I"] = std::to_string(record.bindings.init.pid);
        const auto result = run_program({"bash", "-ec", line}, options);
        ASSERT_EQ(result.status, 0) << line << "\n" << result.out << result.err;
    }

    [[nodiscard]] std::vector<Finding> findings(audit::Files files = audit::Files::skip) const {
        const auto report = audit::audit_records({record}, {.files = files});
        EXPECT_TRUE(report) << describe(report.error());
        return report ? report->findings : std::vector<Finding>{};
    }

    /// One line a finding: "CHECK ITEM found 'OBSERVED' by COMMAND REASON".
    [[nodiscard]] std::string told(audit::Files files = audit::Files::skip) const {
        std::string text;
        for (const auto& finding : findings(files))
            text += fmt::format("{} {} found '{}' by {} {}\n", finding.check->id, finding.item,
                                finding.observed, finding.subjects.front().command, finding.reason);
        return text;
    }

    Record record;  ///< as written at the launch; a test may claim that something else was launched

private:
    std::string name_;
    RunResult launched_;
};

}  // namespace guard::support
