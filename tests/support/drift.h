#pragma once
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "base/unique_fd.h"
#include "tests/support/temp_dir.h"

namespace guard::support {

/// Puts the server of drifter.cpp into `folder`/bin, and the profile of a container that runs it: that of a
/// minecraft server and `more`, which may begin with keys of its process. Returns the profile's path.
[[nodiscard]] inline std::string write_drift_profile(const TempDir& folder, const std::string& more = "") {
    folder.make("bin");
    std::filesystem::copy_file(GUARD_BINARY_DIR "/tests/support/drifter", folder / "bin/drifter");
    return folder.write("drift.toml",
                        "guard = 1\nextends = [\"minecraft\"]\n"
                        "[filesystem.mounts]\n\"/opt/drift\" = { type = \"bind\", source = \"" +
                            folder / "bin" +
                            "\", exec = true }\n"
                            "[process]\ncommand = [\"/opt/drift/drifter\"]\n" +
                            more);
}

/// Waits until the server of drifter.cpp has made its socket, 3 s at most: a command to it then fails by
/// itself.
inline void await_drifter(const char* path) {
    for (int tries = 0; tries < 300 && ::access(path, F_OK) != 0; ++tries) ::usleep(10'000);
}

/// Tells the server of drifter.cpp at this socket to do something, with a descriptor that it is to have;
/// waits until it is done, and done without an error.
inline void tell_drifter(const char* path, const std::string& command, int fd = -1) {
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_TRUE(socket) << std::strerror(errno);
    sockaddr_un address{AF_UNIX, {}};
    std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    // The socket of an earlier life of the container may still be there, and nobody behind it yet.
    int connected = -1;
    for (int tries = 0; tries < 300 && connected != 0; ++tries) {
        connected = ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
        if (connected != 0) ::usleep(10'000);
    }
    ASSERT_EQ(connected, 0);
    auto text = command;
    iovec data{text.data(), text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        auto* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    ASSERT_GE(::sendmsg(socket.get(), &message, 0), 0);
    std::array<char, 16> answer{};
    ASSERT_GT(::recv(socket.get(), answer.data(), answer.size(), 0), 0);
    EXPECT_STREQ(answer.data(), "0") << command << ": " << std::strerror(std::atoi(answer.data()));
    // Its end is closed when this one reads the end.
    EXPECT_EQ(::recv(socket.get(), answer.data(), answer.size(), 0), 0);
}

}  // namespace guard::support
