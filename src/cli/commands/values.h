// Arguments that hold several values, separated by colons or commas. All throw Error(usage) naming the form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/recipe.h"

namespace maquette::cli {

[[noreturn]] void bad_value(std::string_view option, std::string_view found, std::string_view expected);

Recipe::Control parse_control(const std::string& text);    // KIND:MODEL:IMAGE[:weight[:start:end]]
Recipe::Adapter parse_lora(const std::string& text);       // FILE[:weight[:text weight]]
Recipe::Region parse_region(const std::string& text);      // MASK:PROMPT, or MASK:weight:PROMPT
Recipe::Outpaint parse_outpaint(const std::string& text);  // LEFT,TOP,RIGHT,BOTTOM in pixels
// Two numbers from 0 around an x or a comma: HEIGHTxWIDTH, TOP,LEFT.
std::vector<double> parse_pair(std::string_view option, const std::string& text, char between);
Recipe::FeatureCache parse_feature_cache(const std::string& text);  // N[:DEPTH]

}  // namespace maquette::cli
