#pragma once
#include <memory>
#include <string>
#include <vector>

#include "policies/file_cache.h"

namespace guard::policies {

/// One file of a chain and what it says.
struct ChainFile {
    std::shared_ptr<const ReadFile> read;
    std::vector<std::size_t> parents;  ///< places in the chain
    std::vector<Place> parent_places;  ///< the same places of its `extends`
    [[nodiscard]] const Document& document() const { return *read->document; }
    [[nodiscard]] const FileSettings& said() const { return read->said; }
};

/// A profile with its ancestors: each once, parents before children, left before right; the file itself last.
struct Chain {
    std::vector<ChainFile> files;
};

/// Reads a file and everything it extends. A file that can't be read, a cycle and every error inside a file
/// becomes a diagnostic; the chain is empty where the file itself can't be read.
[[nodiscard]] Chain read_chain(const std::string& path, const LoadOptions& options,
                               std::vector<Diagnostic>& diagnostics);

/// What the chain says in the end: scalars of later files replace, lists append and forget doubles, `replace`
/// drops what was inherited.
[[nodiscard]] std::vector<Setting> merge(const Chain& chain);

/// Two ancestors of one file that say one thing differently, neither extending the other, where the file does
/// not choose: an error that shows both.
void check_agreement(const Chain& chain, std::vector<Diagnostic>& diagnostics);

}  // namespace guard::policies
