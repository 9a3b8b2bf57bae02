#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace guard {

/// What takes long to work out, remembered from one command to the next: each in a file of its own, under a
/// hash of all that it depends on, so that it is never out of date. Whatever is wrong with the folder or a
/// file in it, the caller works it out once more.
class KeptFiles {
public:
    KeptFiles() = default;  ///< keeps nothing
    /// `directory` is made where it is missing and something is kept.
    explicit KeptFiles(std::string directory) : directory_(std::move(directory)) {}

    /// What was kept under `key`, a digest_of(): only where nobody but root and this user can have written
    /// it, and where it is whole.
    [[nodiscard]] std::optional<std::string> get(const std::string& key) const;
    /// Two that keep the same at once do no harm to each other. That it can't be written is no error.
    void keep(const std::string& key, std::string_view bytes) const;

private:
    [[nodiscard]] std::string path_of(const std::string& key) const { return directory_ + "/" + key; }
    void make_room() const;

    std::string directory_;
};

}  // namespace guard
