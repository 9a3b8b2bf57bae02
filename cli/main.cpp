#include <sys/auxv.h>

#include <algorithm>
#include <exception>
#include <string>
#include <vector>

#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/run.h"

int main(int argc, char** argv) {
    using namespace guard::cli;
    // Before anything is read: with rights that the caller lacks, every path and variable is an attack.
    if (::getauxval(AT_SECURE) != 0) {
        complain({"run with rights that its caller does not have (set-user-id, file capabilities)", "", 0,
                  "sudo guard ..., and take the bit away: chmod u-s,g-s"});
        return kNotLaunched;
    }
    hold_standard_descriptors();
    try {
        return run(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
    } catch (const std::exception& error) {
        complain({"go on", error.what(), 0, "this is a fault of guard: please report it"});
        return kNotLaunched;
    }
}
