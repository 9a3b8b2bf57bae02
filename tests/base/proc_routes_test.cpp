#include "base/proc_routes.h"

#include <gmock/gmock.h>

namespace guard {
namespace {

using testing::ElementsAre;

std::vector<std::string> in_words(const Result<std::vector<Route>>& routes) {
    EXPECT_TRUE(routes);
    std::vector<std::string> words;
    for (const auto& route : routes.value_or(std::vector<Route>{})) words.push_back(format_route(route));
    return words;
}

// Kernel 6.18, a host with one address.
TEST(RoutesTest, Ipv4RoutesAreReadWithGatewayAndInterface) {
    EXPECT_THAT(in_words(parse_routes(
                    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
                    "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                    "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n")),
                ElementsAre("0.0.0.0/0 via 192.0.2.1 on eth0", "192.0.2.0/24 on eth0"));
}

TEST(RoutesTest, Ipv6LeavesOutWhatTheKernelKeepsForItself) {
    const std::string zero(32, '0');
    const auto line = [&zero](const std::string& to, const std::string& length, const std::string& via,
                              const std::string& flags, const std::string& interface) {
        return to + " " + length + " " + zero + " 00 " + via + " 00000400 00000001 00000000 " + flags +
               "     " + interface + "\n";
    };
    const std::string range = "fd000000000000000000000000000000", own = "fd000000000000000000000000000002";
    EXPECT_THAT(in_words(parse_ipv6_routes(
                    line(range, "40", zero, "00000001", "eth0") +
                    line(zero, "00", "fe800000000000000000000000000001", "00000003", "eth0") +
                    line(own, "80", zero, "80200001", "eth0") + line(own, "80", zero, "00000001", "eth0") +
                    line("fe800000000000000000000000000000", "40", zero, "00000001", "eth0") +
                    line("ff000000000000000000000000000000", "08", zero, "00000001", "eth0") +
                    line(zero, "00", zero, "00200200", "lo"))),
                ElementsAre("fd00::/64 on eth0", "::/0 via fe80::1 on eth0"));
}

TEST(RoutesTest, ABrokenLineIsAnError) {
    EXPECT_FALSE(parse_routes("eth0 zz\n"));
    EXPECT_FALSE(parse_ipv6_routes("fd00 40\n"));
}

}  // namespace
}  // namespace guard
