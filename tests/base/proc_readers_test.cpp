#include <gmock/gmock.h>

#include "base/id_map.h"
#include "base/proc_limits.h"
#include "base/proc_net.h"
#include "base/proc_stat.h"

namespace guard {
namespace {

using testing::ElementsAre;

TEST(IdMapTest, IdsAreTranslatedBothWays) {
    const auto map = parse_id_map("         0     300000      65536\n     70000       1000          1\n");
    ASSERT_TRUE(map);
    EXPECT_EQ(inside_id(*map, 300999), 999U);
    EXPECT_EQ(inside_id(*map, 1000), 70000U);
    EXPECT_EQ(inside_id(*map, 0), std::nullopt);
    EXPECT_EQ(inside_id(*map, 365536), std::nullopt);
    EXPECT_EQ(outside_id(*map, 65535), 365535U);
    EXPECT_EQ(outside_id(*map, 65536), std::nullopt);
}

TEST(IdMapTest, TheWholeRangeOfTheHostFits) {
    const auto map = parse_id_map("         0          0 4294967295\n");
    ASSERT_TRUE(map);
    EXPECT_EQ(inside_id(*map, 4294967294U), 4294967294U);
    EXPECT_EQ(inside_id(*map, 4294967295U), std::nullopt);
}

TEST(IdMapTest, ABrokenLineIsAnError) { EXPECT_FALSE(parse_id_map("0 1\n")); }

TEST(ProcLimitsTest, SoftAndHardAreReadByTheKernelsWords) {
    const auto limits = parse_proc_limits(
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max open files            1024                 20000                files     \n"
        "Max nice priority         0                    0                    \n"
        "Max cpu time              unlimited            unlimited            seconds   \n");
    ASSERT_TRUE(limits);
    EXPECT_EQ(limits->size(), 3U);
    EXPECT_EQ(limits->at("Max open files"), (ProcLimit{1024, 20000}));
    EXPECT_EQ(limits->at("Max nice priority"), (ProcLimit{0, 0}));
    EXPECT_EQ(limits->at("Max cpu time"), (ProcLimit{std::nullopt, std::nullopt}));
}

TEST(ProcLimitsTest, ABrokenLineIsAnError) { EXPECT_FALSE(parse_proc_limits("Max open files   x\n")); }

// Kernel 6.18, a thread of a server under `chrt -f 10`; kernel 4.19 has the same fields up to the 52nd.
constexpr const char* kStat =
    "4733 (a) b (c) S 4709 4711 4711 34816 4711 4194560 98 0 0 0 0 0 0 0 -11 0 39 0 123456789 2625536 376 "
    "18446744073709551615 1 1 0 0 0 0 0 4096 65536 1 0 0 17 1 10 1 0 0 0 0 0 0 0 0 8000 8063 0\n";

TEST(ProcStatTest, FieldsAreCountedFromTheLastBracket) {
    const auto stat = parse_proc_stat(kStat);
    ASSERT_TRUE(stat) << describe(stat.error());
    EXPECT_EQ(*stat, (ProcStat{.terminal = 34816,
                               .nice = 0,
                               .start = 123456789,
                               .realtime = 10,
                               .policy = 1,
                               .flags = 4194560,
                               .environment_begin = 8000,
                               .environment_end = 8063}));
    EXPECT_FALSE(stat->of_kernel());
}

TEST(ProcStatTest, AThreadOfTheKernelIsToldByItsFlag) {
    std::string line = kStat;
    line.replace(line.find("4194560"), 7, "2129984");
    const auto stat = parse_proc_stat(line);
    ASSERT_TRUE(stat);
    EXPECT_TRUE(stat->of_kernel());
    EXPECT_FALSE(stat->ending());
}

TEST(ProcStatTest, ATaskThatIsEndingIsToldByItsFlagWhateverItsState) {
    std::string line = kStat;
    line.replace(line.find("4194560"), 7, "4194564");
    const auto stat = parse_proc_stat(line);
    ASSERT_TRUE(stat);
    EXPECT_TRUE(stat->ending());
}

TEST(ProcStatTest, ALineThatEndsTooEarlyIsAnErrorThatNamesTheField) {
    const auto stat = parse_proc_stat("1 (x) S 0 0 0 0 0");
    ASSERT_FALSE(stat);
    EXPECT_NE(describe(stat.error()).find("field 9"), std::string::npos);
    EXPECT_FALSE(parse_proc_stat(""));
}

TEST(ProcNetTest, TcpSocketsThatListenAreToldFromConnectedOnes) {
    const auto sockets = parse_listening(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 00000000:63DD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 32 1\n"
        "   1: 020200C0:E7E0 507100CB:0050 01 00000000:00000000 03:00000454 00000000     0        0 0 3\n",
        Transport::tcp);
    ASSERT_TRUE(sockets);
    EXPECT_THAT(*sockets, ElementsAre(ListeningSocket{"00000000", 25565, 32}));
}

TEST(ProcNetTest, UdpSocketsThatAreBoundAndNotConnectedCount) {
    const auto sockets = parse_listening(
        "  sl  local_address rem_address   st\n"
        " 12: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 07 0\n"
        " 13: 0100007F:9999 0100007F:0035 01 0\n",
        Transport::udp);
    ASSERT_TRUE(sockets);
    EXPECT_THAT(*sockets, ElementsAre(ListeningSocket{"00000000000000000000000000000000", 53}));
}

TEST(ProcNetTest, AnAddressIsReadFromItsHexadecimalWords) {
    EXPECT_EQ(format_address(address_in_hex("0100007F").value()), "127.0.0.1");
    EXPECT_EQ(format_address(address_in_hex("00000000000000000000000001000000").value()), "::1");
    EXPECT_EQ(format_address(address_in_hex("0000000000000000FFFF00000100007F").value()), "127.0.0.1");
    EXPECT_FALSE(address_in_hex("0100007"));
    EXPECT_FALSE(address_in_hex("0100007G"));
}

TEST(ProcNetTest, UnixSocketsThatListenAreToldFromConnectedOnes) {
    const auto sockets = parse_unix_listeners(
        "Num       RefCount Protocol Flags    Type St Inode Path\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 2113 /run/with blank.sock\n"
        "0000000000000000: 00000003 00000000 00000000 0001 03 2114 /run/connected.sock\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 2115 @abstract\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 2116\n");
    EXPECT_THAT(sockets,
                ElementsAre(UnixListener{"/run/with blank.sock", 2113}, UnixListener{"@abstract", 2115}));
}

TEST(ProcNetTest, ALineWithoutAPortIsAnError) {
    EXPECT_FALSE(parse_listening("0: x y 0A\n", Transport::tcp));
}

TEST(ProcNetTest, InterfacesAreNamedWithoutTheHeadings) {
    EXPECT_THAT(parse_interfaces("Inter-|   Receive                |  Transmit\n"
                                 " face |bytes    packets errs    |bytes    packets\n"
                                 "    lo:       0       0    0\n"
                                 "  eth0: 1234567   8    0\n"),
                ElementsAre("lo", "eth0"));
}

}  // namespace
}  // namespace guard
