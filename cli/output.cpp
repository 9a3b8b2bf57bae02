#include "cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/sys.h"
#include "cli/exit_status.h"
#include "report/layout.h"

namespace guard::cli {
namespace {

void put_on_stderr(std::string_view text) {
    static_cast<void>(sys::write_all(STDERR_FILENO, text, "stderr"));  // nowhere is left to complain
}

std::string without_newlines(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

}  // namespace

std::string complaint(const Error& error) {
    auto text = report::hanging("guard:", 7, report::printable("cannot " + describe(error)));
    if (!error.fix.empty()) text += report::hanging("  do:", 6, report::printable(error.fix));
    return text;
}

void complain(const Error& error) { put_on_stderr(complaint(error)); }

void tell(const std::string& name, std::string_view text) {
    put_on_stderr(
        report::hanging(name, name.size() + 2, report::printable(without_newlines(std::string(text)))));
}

bool shows_progress(const Invocation& invocation) {
    if (invocation.has("quiet")) return false;
    return invocation.has("verbose") || ::isatty(STDERR_FILENO) == 1;
}

report::Colour colour_of(const Invocation& invocation) {
    const auto when = invocation.value("color", "auto");
    const char* const refused = std::getenv("NO_COLOR");
    const bool wanted = ::isatty(STDOUT_FILENO) == 1 && (refused == nullptr || *refused == '\0');
    return when == "always" || (when == "auto" && wanted) ? report::Colour::on : report::Colour::off;
}

int answer(std::string_view result, int status) {
    if (auto put = sys::write_all(STDOUT_FILENO, result, "the result to stdout"); !put) {
        complain(put.error());
        return kUsage;
    }
    return status;
}

void hold_standard_descriptors() {
    constexpr std::array<int, 3> kWrongWay{O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = 0; fd < static_cast<int>(kWrongWay.size()); ++fd)
        if (::fcntl(fd, F_GETFD) < 0)
            static_cast<void>(::open("/dev/null", kWrongWay.at(static_cast<std::size_t>(fd))));
}

}  // namespace guard::cli
