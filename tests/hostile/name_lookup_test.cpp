#include "launcher/name_lookup.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <chrono>
#include <map>

#include "launcher/network_names.h"
#include "tests/hostile/network_lab.h"
#include "tests/support/temp_dir.h"

namespace guard::launcher::lab {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr auto kInternet = "198.41.0.2", kLan = "192.168.77.2";

/// A nameserver at 127.0.0.1:53 of this machine that knows IPv4 addresses of some names; or says nothing.
class Nameserver {
public:
    enum class Manner : bool { silent, answers };
    Nameserver(Manner manner, std::map<std::string, std::string> names)
        : manner_(manner), names_(std::move(names)), fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_storage at{};
        const auto size = fill(at, "127.0.0.1", 53);
        EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&at), size), 0);
        thread_ = std::thread([this] { serve(); });
    }
    ~Nameserver() {
        stop_ = true;
        thread_.join();
    }
    Nameserver(const Nameserver&) = delete;
    Nameserver& operator=(const Nameserver&) = delete;

private:
    void serve() {
        while (!stop_) {
            pollfd wait{fd_.get(), POLLIN, 0};
            if (::poll(&wait, 1, 20) != 1) continue;
            std::array<char, 512> bytes{};
            sockaddr_storage peer{};
            socklen_t size = sizeof peer;
            const auto got = ::recvfrom(fd_.get(), bytes.data(), bytes.size(), 0,
                                        reinterpret_cast<sockaddr*>(&peer), &size);
            if (got < 17 || manner_ == Manner::silent) continue;
            const auto answer = answer_to({bytes.data(), static_cast<std::size_t>(got)});
            ::sendto(fd_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&peer), size);
        }
    }
    // RFC 1035: the question again, and one record that points back at its name.
    [[nodiscard]] std::string answer_to(const std::string& query) const {
        std::string name;
        std::size_t at = 12;
        for (; query[at] != 0; at += static_cast<std::size_t>(query[at]) + 1)
            name += (name.empty() ? "" : ".") + query.substr(at + 1, static_cast<std::size_t>(query[at]));
        const auto question = query.substr(12, at + 5 - 12);
        const auto known = names_.find(name);
        const bool has = known != names_.end() && question[question.size() - 3] == 1;  // type A
        std::string answer = query.substr(0, 2) + std::string("\x81\x80\0\1\0", 5) + (has ? '\1' : '\0') +
                             std::string(4, '\0') + question;
        if (has)
            answer += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4", 12) + parse_address(known->second)->raw();
        return answer;
    }

    Manner manner_;
    std::map<std::string, std::string> names_;
    UniqueFd fd_;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

class NameLookupTest : public NetworkLab {
protected:
    void SetUp() override {
        NetworkLab::SetUp();
        if (IsSkipped()) return;
        const auto file = folder_.write("resolv.conf", "nameserver 127.0.0.1\n");
        ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
        ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
        ASSERT_EQ(::mount(file.c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr), 0);
    }
    void TearDown() override { ::umount2("/etc/resolv.conf", MNT_DETACH); }
    /// Takes answers until the process that asks has ended; what it says to the user.
    static std::vector<std::string> finish(NameLookup& names) {
        std::vector<std::string> told;
        for (const auto end = std::chrono::steady_clock::now() + 15s;
             names.fd() >= 0 && std::chrono::steady_clock::now() < end;) {
            pollfd wait{names.fd(), POLLIN, 0};
            ::poll(&wait, 1, 100);
            for (auto& line : names.take()) told.push_back(std::move(line));
        }
        return told;
    }

    support::TempDir folder_;
};

std::string the_child() {
    std::string pid;
    std::ifstream("/proc/thread-self/children") >> pid;
    return pid;
}

TEST_F(NameLookupTest, WhatANameStandsForIsLetThroughAndNothingElse) {
    const Nameserver nameserver(Nameserver::Manner::answers, {{"example.org", kInternet}});
    const Server listens(internet(), 443), other(internet(), 80);
    auto& box = launch("box", {.egress = {"example.org:443/tcp"}});
    EXPECT_TRUE(is_refused(ask(box.net(), kInternet, 443)));
    EXPECT_THAT(*addresses_of_names("box"), IsEmpty());
    NameLookup names(box.plan);
    names.start();
    EXPECT_THAT(finish(names), ElementsAre());
    EXPECT_THAT(*addresses_of_names("box"), ElementsAre(Pair("example.org:443/tcp", ElementsAre(kInternet))));
    EXPECT_THAT(*addresses_of_names("another"), IsEmpty());
    EXPECT_FALSE(is_refused(ask(box.net(), kInternet, 443)));
    EXPECT_TRUE(is_refused(ask(box.net(), kInternet, 80)));
    ASSERT_TRUE(names.due());
    EXPECT_GT(*names.due(), NameLookup::Clock::now() + 50s) << "the record lives for a minute";
}

TEST_F(NameLookupTest, TwoNamesOfOneMachineKeepThePortsOfBoth) {
    const Nameserver nameserver(Nameserver::Manner::answers,
                                {{"one.org", kInternet}, {"two.org", kInternet}});
    const Server first(internet(), 443), second(internet(), 80);
    auto& box = launch("box", {.egress = {"one.org:443/tcp", "two.org:80/tcp"}});
    NameLookup names(box.plan);
    for (int round = 0; round < 2; ++round) {
        names.start();
        finish(names);
        EXPECT_FALSE(is_refused(ask(box.net(), kInternet, 443)));
        EXPECT_FALSE(is_refused(ask(box.net(), kInternet, 80)));
    }
}

TEST_F(NameLookupTest, ANameOfTheInternetLeadsNowhereAtHome) {
    const Nameserver nameserver(Nameserver::Manner::answers, {{"evil.org", kLan}, {"nas.lan", kLan}});
    const Server listens(lan(), 443), also(lan(), 80);
    auto& box = launch("box", {.egress = {"evil.org:443/tcp", "nas.lan:80/tcp"}});
    NameLookup names(box.plan);
    names.start();
    finish(names);
    EXPECT_TRUE(is_refused(ask(box.net(), kLan, 443)));
    EXPECT_FALSE(is_refused(ask(box.net(), kLan, 80)));
    EXPECT_THAT(*addresses_of_names("box"), ElementsAre(Pair("nas.lan:80/tcp", ElementsAre(kLan))));
}

TEST_F(NameLookupTest, ASilentNameserverHoldsNobodyUpAndIsToldOnce) {
    const Nameserver nameserver(Nameserver::Manner::silent, {});
    auto& box = launch("box", {.egress = {"example.org:443/tcp"}, .ipv6 = false});
    NameLookup names(box.plan);
    const auto began = std::chrono::steady_clock::now();
    names.start();
    EXPECT_LT(std::chrono::steady_clock::now() - began, 300ms);
    EXPECT_THAT(finish(names), ElementsAre(HasSubstr("no nameserver answers for example.org")));
    EXPECT_LE(*names.due(), NameLookup::Clock::now() + 10s) << "asked again soon";
    names.start();
    const auto ending = std::chrono::steady_clock::now();
    {
        NameLookup other(box.plan);
        other.start();
    }
    EXPECT_LT(std::chrono::steady_clock::now() - ending, 300ms) << "nobody waits for it at the end";
}

TEST_F(NameLookupTest, TheProcessThatReadsAnswersOfStrangersHoldsNothing) {
    const Nameserver nameserver(Nameserver::Manner::silent, {});
    const UniqueFd leak(::open("/", O_RDONLY | O_DIRECTORY));
    auto& box = launch("box", {.egress = {"example.org:443/tcp"}, .ipv6 = false});
    NameLookup names(box.plan);
    names.start();
    const auto pid = the_child();
    std::string status;
    for (int tries = 0; tries < 200 && !status.contains("NoNewPrivs:\t1"); ++tries) {
        status = get("/proc/" + pid + "/status");
        std::this_thread::sleep_for(5ms);
    }
    EXPECT_THAT(status, HasSubstr("Uid:\t65534\t65534\t65534\t65534"));
    EXPECT_THAT(status, HasSubstr("Groups:\t \n"));
    EXPECT_THAT(status, HasSubstr("CapEff:\t0000000000000000"));
    EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
    const auto folder = "/proc/" + pid + "/fd";
    for (const auto& fd : sys::list_directory(AT_FDCWD, folder).value_or(std::vector<std::string>{})) {
        const auto target = sys::readlinkat(AT_FDCWD, folder + "/" + fd).value_or("");
        EXPECT_TRUE(target == "/dev/null" || target.starts_with("pipe:") || target.starts_with("socket:"))
            << target;
    }
}

TEST_F(NameLookupTest, WithoutNamesNobodyIsAsked) {
    auto& box = launch("box", {.egress = {"internet"}});
    NameLookup names(box.plan);
    names.start();
    EXPECT_LT(names.fd(), 0);
    EXPECT_FALSE(names.due());
}

}  // namespace
}  // namespace guard::launcher::lab
