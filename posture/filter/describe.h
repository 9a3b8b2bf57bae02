#pragma once
#include <linux/seccomp.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "posture/filter/argument_set.h"
#include "posture/filter/difference.h"

/// What filters answer, and to what, in words.
namespace guard {

/// An answer as a reader knows it: "allowed", "refused (EPERM)", "the process is killed".
[[nodiscard]] std::string answer_in_words(std::uint32_t answer);

/// One call: "socket(AF_ALG, 0, 0)", "socketcall(1, 0) of i386", "call 0x1ac of x32", "call 3 of ABI
/// 0xc00000b7". Arguments are as many as the call has; all six where guard does not know.
[[nodiscard]] std::string call_in_words(const seccomp_data& data);

/// A set of arguments with their names and constants: "always", "never", "domain is AF_INET or AF_INET6; or
/// type has SOCK_RAW". `call` may be null.
[[nodiscard]] std::string arguments_in_words(const SyscallRow* call, Abi abi, const ArgumentSet& arguments);

/// Whose answer changes: "clone", "socketcall of i386", "calls 0x1ac-0x1b1".
[[nodiscard]] std::string subject_in_words(const FilterChange& change);

/// The whole change: "personality: refused (EPERM) -> allowed, where persona is 0x40000".
[[nodiscard]] std::string change_in_words(const FilterChange& change);

/// What of a call no filter can see, as a sentence: "its flags are in memory, where no filter can look";
/// empty where all that matters is in the arguments.
[[nodiscard]] std::string_view unseen_by_filters(std::string_view call);

}  // namespace guard
