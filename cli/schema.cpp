#include "policies/schema.h"

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/output.h"

namespace guard::cli {

int run_schema(const Invocation& invocation) {
    return answer(invocation.has("group") ? group_schema() : profile_schema(), kDone);
}

}  // namespace guard::cli
