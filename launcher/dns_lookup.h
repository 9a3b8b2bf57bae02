#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ip_address.h"

namespace guard::launcher {

struct LookedUp {
    IpAddress address;
    std::chrono::seconds lives{};  ///< of its record
};

/// The addresses of a name, asked of the nameservers of /etc/resolv.conf; no NSS, so that a static guard can.
/// Fails where no nameserver answers; a name that does not exist has no addresses. resolver(3)
[[nodiscard]] Result<std::vector<LookedUp>> look_up(const std::string& name, IpFamily family);
/// The addresses in a DNS answer. Fails where the bytes are no answer. RFC 1035
[[nodiscard]] Result<std::vector<LookedUp>> addresses_in_answer(const unsigned char* bytes, std::size_t size,
                                                                IpFamily family);

}  // namespace guard::launcher
