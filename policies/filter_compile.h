#pragma once
#include <string>

#include "base/error.h"
#include "posture/filter_rules.h"

namespace guard::policies {

/// The bytes of the BPF program (struct sock_filter[]) that answers as `rules` say, proved to do so for every
/// call and argument of this machine's own ABI. Foreign ABIs are killed, with their whole process; where
/// `rules.abis` lets "i386" or "x32" in, the same names are allowed there, argument tests see 32 bits, and
/// all else is answered as `on_denied`. `log_denied` is not in the bytes: load with SECCOMP_FILTER_FLAG_LOG.
/// Fails where a name or ABI is unknown, or what libseccomp made is not what was declared.
[[nodiscard]] Result<std::string> compile_filter(const FilterRules& rules);

}  // namespace guard::policies
