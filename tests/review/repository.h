#pragma once
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

namespace guard::support {

/// A real git repository of the test's own, with a configuration of its own.
class TestRepository {
public:
    TestRepository() { git({"init", "-q", "-b", "main", "."}); }

    /// Runs git in it; throws with what it said where it fails.
    std::string git(std::vector<std::string> words) const {
        words.insert(words.begin(), {"git", "-c", "user.name=Test", "-c", "user.email=test@example.org", "-c",
                                     "commit.gpgsign=false", "-c", "protocol.file.allow=always"});
        const auto result =
            run_program(words, {.env = {{"GIT_CONFIG_GLOBAL", "/dev/null"}}, .folder = path()});
        if (result.status != 0) throw std::runtime_error(result.err + result.out);
        return result.out;
    }
    const std::string& path() const { return folder_.path(); }
    std::string write(const std::string& name, const std::string& text) const {
        return folder_.write(name, text);
    }
    /// Everything in the work tree as one commit; its id.
    std::string commit() const {
        git({"add", "-A"});
        git({"commit", "-q", "--allow-empty", "-m", "a change"});
        auto id = git({"rev-parse", "HEAD"});
        id.pop_back();
        return id;
    }

private:
    TempDir folder_;
};

}  // namespace guard::support
