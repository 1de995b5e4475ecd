// A sheet of proposals for people to look at together: pictures in a grid on neutral dark grey, each with
// what it was made from written under it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "media/image.h"

namespace maquette::media {

struct ContactPicture {
  Image8 picture;
  std::string title;  // bright: "1   seed 42"
  std::vector<std::string> notes =
      {};  // dimmer, below: the settings; wrapped where they are longer than the picture
};

struct ContactSheetOptions {
  std::string title = {};     // above everything, large: the brief
  std::string subtitle = {};  // below it, smaller, wrapped: model, common settings
  int columns = 0;            // 0: as many as bring the sheet nearest to 3:2
  int largest_side = 640;     // pictures are reduced to this, never enlarged
};

// The picture as a sheet draws it: no transparency, no side longer than this. A sheet of such pictures is the
// same as one of the pictures themselves, and takes less memory to make.
Image8 reduced_for_sheet(const Image8& picture, int64_t largest_side);

// Throws Error(usage) for no pictures or more than 1,000.
Image8 contact_sheet(std::span<const ContactPicture> pictures, const ContactSheetOptions& options = {});

}  // namespace maquette::media
