#include "cli/watch_outputs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/sys.h"
#include "cli/output.h"

namespace guard::cli {

Result<void> WatchOutputs::add(const std::string& output) {
    const auto colon = output.find(':');
    const auto format = output.substr(0, colon);
    const auto path = colon == std::string::npos ? std::string() : output.substr(colon + 1);
    const bool lines = format == "text" || format == "json";
    if (path.empty() || (!lines && format != "prometheus"))
        return fail("write --output " + output, "it is nothing that a watcher writes",
                    "text:FILE and json:FILE get a line for each change, prometheus:FILE what is so now");
    if (!lines) {
        metric_files_.push_back(path);
        return {};
    }
    auto file = TRY(sys::open(path, O_WRONLY | O_CREAT | O_APPEND, 0644));
    files_.push_back({format == "json" ? Form::json : Form::text, path, std::move(file)});
    return {};
}

Result<WatchOutputs> WatchOutputs::open(const Invocation& invocation) {
    WatchOutputs outputs;
    const auto format = invocation.value("format", "text");
    if (format != "text" && format != "json" && format != "journal")
        return fail("watch as " + format, "it is no format for what comes bit by bit",
                    "one of text, json, journal; --output prometheus:FILE or --listen for Prometheus");
    outputs.form_ = format == "json" ? Form::json : format == "journal" ? Form::journal : Form::text;
    outputs.colour_ = colour_of(invocation);
    if (outputs.form_ == Form::journal) outputs.journal_ = TRY(Journal::open());
    for (const auto& output : invocation.values("output")) CHECK(outputs.add(output));
    if (invocation.has("listen")) outputs.server_ = TRY(MetricsServer::open(invocation.value("listen")));
    return outputs;
}

std::string WatchOutputs::written(Form form, const report::Told& told, const report::Findings& all,
                                  report::Colour colour) const {
    return form == Form::json ? report::watch_json(told, all) : report::watch_text(told, all, colour);
}

Result<void> WatchOutputs::tell(const report::Told& told, const report::Findings& all) {
    for (const auto& file : files_)
        CHECK(sys::write_all(file.fd.get(), written(file.form, told, all, report::Colour::off), file.path));
    if (journal_) return journal_->send(report::watch_journal(told));
    return sys::write_all(STDOUT_FILENO, written(form_, told, all, colour_), "the result to stdout");
}

Result<void> WatchOutputs::show(const report::Findings& all, std::int64_t looked) {
    metrics_ = report::watch_prometheus(all, looked);
    for (const auto& path : metric_files_) CHECK(sys::replace_file(path, metrics_, 0644, sys::Sync::no));
    return {};
}

void WatchOutputs::serve() const {
    if (server_) server_->serve(metrics_);
}

}  // namespace guard::cli
