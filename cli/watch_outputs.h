#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/journal.h"
#include "cli/command.h"
#include "cli/metrics.h"
#include "report/watch.h"

namespace guard::cli {

/// Where a watcher tells: stdout or the journal, files of --output, and who asks for metrics.
class WatchOutputs {
public:
    /// Fails where one of them can't be opened, or is of a form that a watcher does not write.
    [[nodiscard]] static Result<WatchOutputs> open(const Invocation& invocation);

    /// Tells that a finding began or ended.
    [[nodiscard]] Result<void> tell(const report::Told& told, const report::Findings& all);
    /// What is so now, for the metrics. A file of them is replaced in one step.
    [[nodiscard]] Result<void> show(const report::Findings& all, std::int64_t looked);

    /// Readable when somebody asks for metrics; -1 where nobody may.
    [[nodiscard]] int descriptor() const { return server_ ? server_->descriptor() : -1; }
    void serve() const;

private:
    enum class Form : std::uint8_t { text, json, journal };
    struct File {
        Form form;
        std::string path;
        UniqueFd fd;
    };
    Result<void> add(const std::string& output);
    std::string written(Form form, const report::Told& told, const report::Findings& all,
                        report::Colour colour) const;

    Form form_ = Form::text;
    report::Colour colour_ = report::Colour::off;
    std::vector<File> files_;  ///< each told on a line of its own
    std::vector<std::string> metric_files_;
    std::string metrics_;
    std::optional<Journal> journal_;
    std::optional<MetricsServer> server_;
};

}  // namespace guard::cli
