#pragma once
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "audit/exact.h"
#include "base/error.h"
#include "posture/finding.h"
#include "posture/record.h"

namespace guard::audit {

/// Whether the records are all there are: then a container of guard's that has none is a finding.
enum class Records : bool { some, all };

/// Whether the files of each container are searched for set-user-id and the like: this takes long.
enum class Files : bool { skip, scan };

/// How to look.
struct Options {
    std::chrono::year_month_day today{};  ///< for waivers: one counts up to and including its day
    Records records = Records::some;
    Files files = Files::skip;
    Ask ask = Ask::when_unproved;
    KernelReader* kernel = nullptr;  ///< kept open from one audit to the next; null: this one opens its own
};

/// What was looked at in one container.
struct ContainerReport {
    std::string name;
    std::size_t tasks = 0;   ///< threads of all its processes
    std::size_t checks = 0;  ///< questions asked of each of them
};

struct Report {
    std::vector<ContainerReport> containers;  ///< in the order of the records
    std::vector<Finding> findings;            ///< sorted and merged; none and no unknown: all as launched
};

/// Reads every task of these containers, and every other task of this machine that is in their namespaces or
/// cgroups, and compares it with what was launched. What can't be read is an unknown with its errno. Fails
/// only where /proc itself can't be read.
[[nodiscard]] Result<Report> audit_records(const std::vector<Record>& records, const Options& options);

}  // namespace guard::audit
