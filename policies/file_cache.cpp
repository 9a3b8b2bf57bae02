#include "policies/file_cache.h"

namespace guard::policies {

Result<std::shared_ptr<const ReadFile>> FileCache::read(const std::string& path, const KeyIndex& index,
                                                        const LoadOptions& options) {
    if (const auto known = files_.find({path, &index}); known != files_.end()) return known->second;
    auto source = TRY(files_of(options).read(path, options.trust));
    auto parsed = parse_document(path, source.bytes);
    const auto extent = parsed.diagnostics.empty() ? Extent::whole : Extent::part;
    const auto file = std::make_shared<ReadFile>();
    file->id = source.id;
    file->distrust = std::move(source.distrust);
    file->document = std::move(parsed.document);
    file->diagnostics = std::move(parsed.diagnostics);
    file->said = read_settings(*file->document, index, extent, file->diagnostics);
    files_.emplace(std::pair{path, &index}, file);
    return file;
}

}  // namespace guard::policies

namespace guard {

std::shared_ptr<policies::FileCache> make_file_cache() { return std::make_shared<policies::FileCache>(); }

}  // namespace guard
