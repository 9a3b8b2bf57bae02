#include "posture/includes.h"

#include <gtest/gtest.h>

namespace guard {
namespace {

struct Rights {
    const char* field;
    const char* outer;
    const char* inner;
};
const Rights kHolds[] = {
    {"network.publish", "any:80:80/tcp", "lan:80:80/tcp"},
    {"network.publish", "lan:80:80/tcp", "localhost:80:80/tcp"},
    {"network.publish", "any:80:80/tcp", "192.168.1.20:80:80/tcp"},
    {"network.publish", "lan:8000-8009:8000-8009/tcp", "lan:8003:8003/tcp"},
    {"network.egress", "internet", "internet:443/tcp"},
    {"network.egress", "any", "lan:22/tcp"},
    {"network.egress", "lan:1-1024/udp", "lan:53/udp"},
    {"network.egress", "10.0.0.0/7:443/tcp", "10.0.0.0/8:443/tcp"},
    {"network.egress", "10.0.0.0/8", "10.1.2.3:22/tcp"},
    {"network.egress", "[fd00::/8]:443/tcp", "[fd00::7]:443/tcp"},
    {"network.listen", "8000-8009/tcp", "8001/tcp"},
    {"network.peers", "web:5432-5433/tcp", "web:5432/tcp"},
    {"landlock.write", "/srv", "/srv/www"},
    {"landlock.read", "/", "/etc"},
    {"devices", "/dev/kvm:rw", "/dev/kvm:r"},
    {"identity.groups", "6", "6"},
};
const Rights kDoesNot[] = {
    {"network.publish", "lan:80:80/tcp", "any:80:80/tcp"},
    {"network.publish", "any:80:80/tcp", "any:80:80/udp"},
    {"network.publish", "any:80:80/tcp", "any:80:81/tcp"},
    {"network.publish", "lan:8000-8009:9000-9009/tcp", "lan:8003:9004/tcp"},
    {"network.publish", "192.168.1.20:80:80/tcp", "lan:80:80/tcp"},
    {"network.egress", "internet:443/tcp", "internet"},
    {"network.egress", "internet:443/tcp", "internet:443/udp"},
    {"network.egress", "internet", "example.org:443/tcp"},
    {"network.egress", "10.0.0.0/8:443/tcp", "10.0.0.0/7:443/tcp"},
    {"network.egress", "10.0.0.0/8:443/tcp", "11.0.0.1:443/tcp"},
    {"network.egress", "10.0.0.0/8:443/tcp", "[fd00::7]:443/tcp"},
    {"landlock.write", "/srv", "/srvx"},
    {"landlock.write", "/srv/www", "/srv"},
    {"devices", "/dev/kvm:r", "/dev/kvm:rw"},
    {"identity.groups", "6", "60"},
};

TEST(IncludesTest, AWiderRightHoldsANarrowerOne) {
    for (const auto& [field, outer, inner] : kHolds)
        EXPECT_TRUE(includes_right(field, outer, inner)) << field << ' ' << outer << ' ' << inner;
}

TEST(IncludesTest, NothingElseIsHeld) {
    for (const auto& [field, outer, inner] : kDoesNot)
        EXPECT_FALSE(includes_right(field, outer, inner)) << field << ' ' << outer << ' ' << inner;
}

}  // namespace
}  // namespace guard
