#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace guard {

/// One line of /proc/PID/mountinfo; escapes are decoded. proc_pid_mountinfo(5)
struct MountLine {
    int id = 0, parent = 0;
    std::string device;                                     ///< "254:0"
    std::string root;                                       ///< what of that file system stands at `place`
    std::string place;                                      ///< as the root of the read process sees it
    std::vector<std::string> options;                       ///< of this mount: "ro", "nosuid", "idmapped"
    std::vector<std::string> propagation;                   ///< "shared:12"; none: private
    std::string type, source;                               ///< of the file system
    std::vector<std::string> super_options;                 ///< of the file system: "rw", "size=65536k"
    [[nodiscard]] bool has(std::string_view option) const;  ///< in `options`
    [[nodiscard]] bool super_has(std::string_view option) const;  ///< in `super_options`
};

/// Fails with the line that is wrong.
[[nodiscard]] Result<std::vector<MountLine>> parse_mountinfo(std::string_view text);

/// The mounts that a path walk ends in: without those that another one covers, whichever was made first.
[[nodiscard]] std::vector<MountLine> visible_mounts(std::vector<MountLine> mounts);

/// "\040" -> " ": the kernel writes blank, tab, newline and backslash in octal.
[[nodiscard]] std::string unescape_octal(std::string_view text);

}  // namespace guard
