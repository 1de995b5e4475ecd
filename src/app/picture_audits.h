// Measuring sets of pictures: how diverse they are, and whether their palette drifts along a sequence.
#pragma once

#include <filesystem>
#include <vector>

#include "app/inspect.h"
#include "base/progress.h"

namespace maquette::app {

// Files, and folders whose picture files are taken in the order of their names. Throws Error(not_found,
// bad_file), Error(usage) for none or more than kMostAudited.
using PicturePaths = std::vector<std::filesystem::path>;
inline constexpr size_t kMostAudited = 2000;  // likenesses are n x n

// Whether `name` ends as the pictures do that can be read: ".png", ".tif", ...
bool is_picture_name(const std::filesystem::path& name);

Facts audit_diversity(const PicturePaths& pictures, const ProgressCallback& progress);
Facts audit_drift(const PicturePaths& pictures, const ProgressCallback& progress);

}  // namespace maquette::app
