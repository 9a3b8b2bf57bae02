#include "policies/reach.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace guard::policies {
namespace {

struct Case {
    const char* written;
    const char* means;  ///< null: refused
};

void expect_all(const std::vector<Case>& cases,
                const std::function<Result<std::string>(std::string_view)>& parse) {
    for (const auto& [written, means] : cases) {
        const auto made = parse(written);
        ASSERT_EQ(made.has_value(), means != nullptr) << written;
        if (made) EXPECT_EQ(*made, means) << written;
    }
}

TEST(ReachTest, PublishIsFilledIn) {
    expect_all({{"25565", "localhost:25565:25565/tcp"},
                {"lan:25565/tcp", "lan:25565:25565/tcp"},
                {"8080:80", "localhost:8080:80/tcp"},
                {"any:80:8080/udp", "any:80:8080/udp"},
                {"192.168.1.20:80:8080", "192.168.1.20:80:8080/tcp"},
                {"[FD00::7]:80", "[fd00::7]:80:80/tcp"},
                {"lan:1-9", "lan:1-9:1-9/tcp"},
                {"", nullptr},
                {"lan:", nullptr},
                {"lan:0", nullptr},
                {"lan:65536", nullptr},
                {"lan:080", nullptr},
                {"lan:9-1", nullptr},
                {"lan:1-3:1-2", nullptr},
                {"lan:80/sctp", nullptr},
                {"a:b:c:d", nullptr},
                {"[fd00::7", nullptr},
                {"fd00::7:80", nullptr}},
               [](std::string_view text) -> Result<std::string> {
                   return format_publish(TRY(parse_publish(text)));
               });
}

TEST(ReachTest, EgressIsFilledIn) {
    expect_all({{"dns", "dns"},
                {"internet:443", "internet:443/tcp"},
                {"lan", "lan"},
                {"lan/udp", "lan/udp"},
                {"Example.ORG:443/tcp", "example.org:443/tcp"},
                {"10.0.0.0/8:22", "10.0.0.0/8:22/tcp"},
                {"fd00::/8", "fd00::/8"},
                {"[fd00::7]:53/udp", "[fd00::7]:53/udp"},
                {"internet:", nullptr},
                {"internett", nullptr},
                {"10.0.0", nullptr},
                {"10.0.0.1/8", nullptr},
                {"dns/udp", nullptr},
                {"", nullptr}},
               parse_egress);
}

TEST(ReachTest, ListenAndPeersAreFilledIn) {
    expect_all({{"5432", "5432/tcp"}, {"53/udp", "53/udp"}, {"x", nullptr}}, parse_listen);
    expect_all({{"a:1", "a:1/tcp"}, {"A:1", nullptr}, {"a", nullptr}, {":1", nullptr}}, parse_peer);
}

}  // namespace
}  // namespace guard::policies
