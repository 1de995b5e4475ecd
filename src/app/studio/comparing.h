// What two pictures of the studio have in common: the proof that a retake kept what it should keep, and the
// difference of two takes.
#pragma once

#include "app/studio/filing.h"

namespace maquette::app {

// Compares the pixels of a retake with those of the picture it was made from, in 16 bits. mask: white was
// repainted; empty: the whole picture is compared. Of a retake that has only 8 bits (painted over in a
// browser), a pixel counts as unchanged where it is the original's within one rounding. Throws Error(usage)
// for pictures of different sizes.
//   {outside_unchanged, changed_pixels, outside_pixels, seam_drift{inside_levels, outside_levels,
//   shift_delta_e, ...},
//    parent, mask}
Json proof_of(const production::FileStore& store, const std::string& take_sha256,
              const std::string& parent_sha256, const std::string& mask_sha256);

// {psnr, max_difference, changed_share}, or {reason} where they cannot be compared. Measured in 16 bits;
// max_difference is in levels of 8 bits and may be a fraction, psnr null where the pictures are equal.
Json picture_difference(const production::FileStore& store, const std::string& a_sha256,
                        const std::string& b_sha256);
Json difference_of_files(const std::filesystem::path& a, const std::filesystem::path& b);

// The fields in which two recipe documents differ, by their paths: [{name, a, b}].
Json recipe_difference(const Json& a, const Json& b);

// Ratios of texture seams: {x{ratio, ...}, y{...}}.
Json seams_of(const production::FileStore& store, const std::string& sha256);

}  // namespace maquette::app
