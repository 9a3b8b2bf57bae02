#include "launcher/dns_lookup.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <algorithm>
#include <array>

namespace guard::launcher {
namespace {

/// res_ninit's state, closed at the end of its life.
class Resolver {
public:
    Resolver() : ready_(::res_ninit(&state_) == 0) {
        // The next name waits for this one.
        state_.retrans = 2;
        state_.retry = 2;
    }
    ~Resolver() {
        if (ready_) ::res_nclose(&state_);
    }
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;
    [[nodiscard]] res_state get() { return ready_ ? &state_ : nullptr; }

private:
    struct __res_state state_{};
    bool ready_;
};

}  // namespace

Result<std::vector<LookedUp>> addresses_in_answer(const unsigned char* bytes, std::size_t size,
                                                  IpFamily family) {
    ns_msg message{};
    if (::ns_initparse(bytes, static_cast<int>(size), &message) < 0)
        return fail("read an answer of a nameserver", "it makes no sense");
    const auto wanted = family == IpFamily::v4 ? ns_t_a : ns_t_aaaa;
    std::vector<LookedUp> found;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
        ns_rr record{};
        if (::ns_parserr(&message, ns_s_an, i, &record) < 0)
            return fail("read an answer of a nameserver", "it broke off");
        LookedUp one{{family, {}}, std::chrono::seconds(ns_rr_ttl(record))};
        if (ns_rr_type(record) != wanted || ns_rr_rdlen(record) != one.address.size()) continue;
        std::copy_n(ns_rr_rdata(record), one.address.size(), one.address.bytes.begin());
        found.push_back(one);
    }
    return found;
}

Result<std::vector<LookedUp>> look_up(const std::string& name, IpFamily family) {
    Resolver resolver;
    if (resolver.get() == nullptr) return fail("look up " + name, "/etc/resolv.conf can't be read");
    std::array<unsigned char, NS_MAXMSG> answer{};
    const int type = family == IpFamily::v4 ? ns_t_a : ns_t_aaaa;
    const int size = ::res_nquery(resolver.get(), name.c_str(), ns_c_in, type, answer.data(), answer.size());
    if (size >= 0) return addresses_in_answer(answer.data(), static_cast<std::size_t>(size), family);
    const int why = resolver.get()->res_h_errno;
    if (why == HOST_NOT_FOUND || why == NO_DATA) return std::vector<LookedUp>{};
    return fail("look up " + name, "no nameserver answers", "see /etc/resolv.conf of this machine");
}

}  // namespace guard::launcher
