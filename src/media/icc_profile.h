// The colour profile that says "these values are sRGB" in files whose readers look for one.
#pragma once

#include <string>

namespace maquette::media {

// An ICC profile of sRGB (IEC 61966-2-1), version 4.2, three primaries and one curve: 500 bytes or so, always
// the same.
const std::string& srgb_icc_profile();

}  // namespace maquette::media
