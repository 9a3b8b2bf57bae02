#include "cli/result.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/sys.h"
#include "cli/exit_status.h"
#include "cli/output.h"

namespace guard::cli {
namespace {

std::string_view formats_of(const Command& command) {
    const auto* const row =
        std::ranges::find(command.options, std::string_view("format"), &Option::name).base();
    return row == command.options.data() + command.options.size() ? "text" : row->choices;
}

Result<void> write_output(const Invocation& invocation, const std::string& output, const Write& write) {
    const auto colon = output.find(':');
    const auto format = output.substr(0, colon);
    const auto formats = formats_of(*invocation.command);
    const bool known = fmt::format("|{}|", formats).find(fmt::format("|{}|", format)) != std::string::npos;
    if (colon == std::string::npos || !known || colon + 1 == output.size())
        return fail(fmt::format("write --output {}", output), "it is not FORMAT:FILE",
                    fmt::format("FORMAT is one of {}", formats));
    const auto path = output.substr(colon + 1);
    const auto file = TRY(sys::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    return sys::write_all(file.get(), write(format, report::Colour::off), path);
}

}  // namespace

int give_result(const Invocation& invocation, int status, const Write& write) {
    for (const auto& output : invocation.values("output"))
        if (auto written = write_output(invocation, output, write); !written) {
            complain(written.error());
            return kUsage;
        }
    return answer(write(invocation.value("format", "text"), colour_of(invocation)), status);
}

}  // namespace guard::cli
