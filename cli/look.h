#pragma once
#include <vector>

#include "base/error.h"
#include "base/kept_files.h"
#include "cli/command.h"
#include "posture/record.h"
#include "report/findings.h"

/// One look at the containers that `guard audit` was asked about.
namespace guard::cli {

/// Whether a name without a record is an error, or a container that is not running now.
enum class NotThere : std::uint8_t { is_error, is_fine };

/// Every container's record, or those of the names asked for. A folder without a readable record is not
/// skipped: somebody who took the record away would be rewarded.
struct Records {
    std::vector<Record> read;
    std::vector<Finding> missing;
};
[[nodiscard]] Result<Records> records_of(const Invocation& invocation, NotThere not_there);

/// Where an audit keeps what the kernel's walks take to begin with.
[[nodiscard]] KeptFiles kept_programs();

/// Compares what runs with these records.
[[nodiscard]] Result<report::Findings> look_at(Records records, const Invocation& invocation);
/// The same of a process that somebody else may have started, as --pid and --profile say.
[[nodiscard]] Result<report::Findings> look_at_process(const Invocation& invocation);

}  // namespace guard::cli
