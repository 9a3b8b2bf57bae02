#pragma once
#include <optional>
#include <string>

#include "base/error.h"
#include "launcher/reach_words.h"

namespace guard::launcher {

/// Fails where a program of this machine listens where `word` would publish: the sentence names it. A
/// published port goes before it, so it would be cut off without a word.
[[nodiscard]] Result<void> check_not_taken(const PublishWord& word, const std::string& text);

}  // namespace guard::launcher
