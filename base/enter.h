#pragma once
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"

namespace guard {

/// As long as this lives, the calling thread is in another network namespace. setns(2)
class [[nodiscard]] EnteredNetwork {
public:
    /// Fails with the errno of setns(2).
    static Result<EnteredNetwork> enter(int netns);
    EnteredNetwork(EnteredNetwork&&) noexcept = default;
    EnteredNetwork& operator=(EnteredNetwork&&) = delete;
    ~EnteredNetwork();

private:
    explicit EnteredNetwork(UniqueFd own) : own_(std::move(own)) {}
    UniqueFd own_;
};

}  // namespace guard
