// idle N: starts N processes that wait for ever, says "ready" and waits with them. They end with it.
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

int main(int count, char** words) {
    const int wanted = count > 1 ? std::atoi(words[1]) : 1;
    for (int made = 0; made < wanted; ++made) {
        const auto child = ::fork();
        if (child < 0) {
            std::perror("fork");
            return 1;
        }
        if (child > 0) continue;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) ::pause();
    }
    std::puts("ready");
    std::fflush(stdout);
    for (;;) ::pause();
}
