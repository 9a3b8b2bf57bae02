#include "launcher/life.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/sys.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/result.h"
#include "cli/status_words.h"
#include "launcher/log.h"

namespace guard::cli {
namespace {

int failed(const Error& error) {
    complain(error);
    return kFailed;
}

}  // namespace

int run_list(const Invocation& invocation) {
    const auto all = launcher::list();
    if (!all) return failed(all.error());
    return give_result(invocation, kDone, [&](std::string_view format, report::Colour) {
        return format == "json" ? statuses_json(*all) : list_text(*all);
    });
}

int run_status(const Invocation& invocation) {
    const auto one = launcher::status(invocation.operands.front());
    if (!one) return failed(one.error());
    return give_result(invocation, kDone, [&](std::string_view format, report::Colour) {
        return format == "json" ? statuses_json({*one}) : status_text(*one);
    });
}

int run_stop(const Invocation& invocation) {
    const auto& name = invocation.operands.front();
    std::optional<std::chrono::milliseconds> timeout;
    if (invocation.has("timeout")) {
        const auto given = parse_duration(invocation.value("timeout"));
        if (!given) {
            complain({fmt::format("stop {}: --timeout {}", name, given.error().attempt), given.error().reason,
                      0, given.error().fix});
            return kUsage;
        }
        timeout = *given;
    }
    const auto stopped = launcher::stop(name, timeout);
    if (!stopped) return failed(stopped.error());
    if (shows_progress(invocation)) tell(name, "stopped");
    return kDone;
}

int run_logs(const Invocation& invocation) {
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    launcher::Escaper escaped;
    Result<void> put;
    const auto sink = [&](std::string_view bytes) {
        put = sys::write_all(STDOUT_FILENO, terminal ? escaped(bytes) : std::string(bytes),
                             "the log to stdout");
        return put.has_value();
    };
    const auto follow = invocation.has("follow") ? launcher::Follow::yes : launcher::Follow::no;
    const auto shown = launcher::logs(invocation.operands.front(), follow, sink);
    if (!shown) return failed(shown.error());
    if (put && terminal) put = sys::write_all(STDOUT_FILENO, escaped.rest(), "the log to stdout");
    return put ? kDone : failed(put.error());
}

}  // namespace guard::cli
