#include "cli/status_words.h"

#include <gmock/gmock.h>

namespace guard::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

launcher::Status running() {
    launcher::Status status;
    status.name = "web";
    status.state = "running";
    status.egress = {"dns", "example.org:443/tcp", "gone.org:80/tcp"};
    return status;
}

TEST(StatusWordsTest, ANameIsShownWithWhatItStandsForNow) {
    auto status = running();
    status.names = {{"example.org:443/tcp", {"198.41.0.2", "2001:500::2"}}, {"gone.org:80/tcp", {}}};
    const auto text = status_text(status);
    EXPECT_THAT(text, HasSubstr("dns, example.org:443/tcp (198.41.0.2 2001:500::2)"));
    EXPECT_THAT(text, HasSubstr("gone.org:80/tcp (no address now)"));
    EXPECT_THAT(statuses_json({status}), HasSubstr("198.41.0.2"));
}

TEST(StatusWordsTest, WhatANameStandsForIsNotInventedWhereItCannotBeRead) {
    const auto text = status_text(running());
    EXPECT_THAT(text, HasSubstr("dns, example.org:443/tcp, gone.org:80/tcp"));
    EXPECT_THAT(text, Not(HasSubstr("no address")));
}

}  // namespace
}  // namespace guard::cli
