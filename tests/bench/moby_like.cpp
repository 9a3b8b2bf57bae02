// Prints a seccomp profile of the size and shape that container runtimes ship; with an argument, a changed
// one.
#include <iostream>

#include "tests/review/moby_like.h"

int main(int argc, char**) {
    auto profile = guard::support::moby_like();
    if (argc > 1) profile = guard::support::moby_changed();
    std::cout << profile.dump(1) << '\n';
    return 0;
}
