// Facts as the licence texts state them, shortened; the text itself is what counts, so that a register keeps
// a snapshot of it. SPDX has no ids for the licences of most image models, ScanCode for some of them.
#include "rights/licences.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"

namespace maquette::rights {

namespace {

constexpr std::string_view kNoClaim = "no claim on pictures";
constexpr std::string_view kRail =
    "use-based restrictions (attachment A): nothing unlawful, no harm to minors, no false information meant "
    "to harm, "
    "no defamation, no automated decisions about people's rights, no medical advice; to be passed on";
constexpr std::string_view kRailOutputs =
    "no claim on pictures; who makes them answers for them, within the restrictions";
constexpr std::string_view kStability = "the acceptable use policy of the licensor";
constexpr std::string_view kCreativeCommons = "says nothing of what is made with the work's help";

constexpr Licence kLicences[] = {
    {.id = "Apache-2.0",
     .title = "Apache License 2.0",
     .commercial = Answer::yes,
     .attribution = true,
     .outputs = kNoClaim,
     .source = "sections 2 and 4"},
    {.id = "MIT",
     .title = "MIT License",
     .commercial = Answer::yes,
     .attribution = true,
     .outputs = kNoClaim,
     .source = "whole text"},
    {.id = "BSD-3-Clause",
     .title = "BSD 3-Clause License",
     .commercial = Answer::yes,
     .attribution = true,
     .outputs = kNoClaim,
     .source = "whole text"},
    {.id = "CC0-1.0",
     .title = "Creative Commons Zero 1.0",
     .commercial = Answer::yes,
     .outputs = kNoClaim,
     .source = "section 2"},
    {.id = "CC-BY-4.0",
     .title = "Creative Commons Attribution 4.0",
     .commercial = Answer::yes,
     .attribution = true,
     .outputs = kCreativeCommons,
     .source = "sections 2 and 3"},
    {.id = "CC-BY-SA-4.0",
     .title = "Creative Commons Attribution ShareAlike 4.0",
     .commercial = Answer::yes,
     .attribution = true,
     .share_alike = true,
     .outputs = kCreativeCommons,
     .source = "sections 2 and 3"},
    {.id = "CC-BY-ND-4.0",
     .title = "Creative Commons Attribution NoDerivatives 4.0",
     .commercial = Answer::yes,
     .attribution = true,
     .restrictions = "nothing derived from it may be passed on",
     .outputs = kCreativeCommons,
     .source = "sections 2 and 3"},
    {.id = "CC-BY-NC-4.0",
     .title = "Creative Commons Attribution NonCommercial 4.0",
     .commercial = Answer::no,
     .attribution = true,
     .outputs = kCreativeCommons,
     .source = "sections 1(i) and 2(a)"},
    {.id = "CC-BY-NC-SA-4.0",
     .title = "Creative Commons Attribution NonCommercial ShareAlike 4.0",
     .commercial = Answer::no,
     .attribution = true,
     .share_alike = true,
     .outputs = kCreativeCommons,
     .source = "sections 1 and 2(a)"},
    {.id = "CC-BY-NC-ND-4.0",
     .title = "Creative Commons Attribution NonCommercial NoDerivatives 4.0",
     .commercial = Answer::no,
     .attribution = true,
     .restrictions = "nothing derived from it may be passed on",
     .outputs = kCreativeCommons,
     .source = "sections 1 and 2(a)"},
    {.id = "CDLA-Permissive-2.0",
     .title = "Community Data License Agreement Permissive 2.0",
     .commercial = Answer::yes,
     .outputs = "results are free of the agreement's terms",
     .source = "section 3"},
    {.id = "O-UDA-1.0",
     .title = "Open Use of Data Agreement 1.0",
     .commercial = Answer::yes,
     .outputs = "results are free of the agreement's terms",
     .source = "section 3"},
    {.id = "ODbL-1.0",
     .title = "Open Database License 1.0",
     .commercial = Answer::yes,
     .attribution = true,
     .share_alike = true,
     .outputs = "works produced from it name it",
     .source = "section 4"},
    {.id = "LicenseRef-scancode-stable-diffusion-2022-08-22",
     .title = "CreativeML Open RAIL-M",
     .commercial = Answer::yes,
     .restrictions = kRail,
     .outputs = kRailOutputs,
     .source = "sections 4 to 6, attachment A"},
    {.id = "LicenseRef-scancode-bigscience-open-rail-m",
     .title = "BigScience Open RAIL-M",
     .commercial = Answer::yes,
     .restrictions = kRail,
     .outputs = kRailOutputs,
     .source = "sections 4 to 6, attachment A"},
    {.id = "LicenseRef-maquette-open-rail-plus-plus-m",
     .title = "CreativeML Open RAIL++-M",
     .commercial = Answer::yes,
     .restrictions = kRail,
     .outputs = kRailOutputs,
     .source = "sections 4 to 6, attachment A; no id at SPDX or ScanCode"},
    {.id = "LicenseRef-scancode-stability-ai-community-2024",
     .title = "Stability AI Community License (2024)",
     .commercial = Answer::yes,
     .revenue_cap_usd = 1'000'000,
     .attribution = true,
     .restrictions = kStability,
     .outputs = "outputs belong to who makes them, as far as the law gives them to anybody",
     .source = "the commercial use section; an enterprise licence above the cap"},
    {.id = "LicenseRef-scancode-stability-ai-nc-2023-12-06",
     .title = "Stability AI Non-Commercial Research Community License",
     .commercial = Answer::no,
     .attribution = true,
     .restrictions = kStability,
     .outputs = "only for research and other non-commercial ends",
     .source = "its title and scope"},
    {.id = "LicenseRef-scancode-flux-1-nc",
     .title = "FLUX.1 [dev] Non-Commercial License",
     .commercial = Answer::no,
     .restrictions = "the weights may not be run for commercial ends or in production",
     .outputs = "pictures are not claimed; running the weights to earn money is not allowed",
     .source = "the definition of non-commercial purpose"},
    {.id = "LicenseRef-scancode-tencent-hunyuan-3d-2.0-cla",
     .title = "Tencent Hunyuan 3D 2.0 Community License",
     .commercial = Answer::yes,
     .attribution = true,
     .excluded = "EU GB KR",
     .restrictions = "an acceptable use policy; very large services need another licence",
     .outputs = kNoClaim,
     .source = "the definition of territory"},
    {.id = "LicenseRef-maquette-own-work",
     .title = "made by the studio itself, of its own material",
     .commercial = Answer::yes,
     .outputs = kNoClaim,
     .source = "the studio's word"},
    {.id = "LicenseRef-maquette-contract",
     .title = "an agreement that the studio has signed",
     .commercial = Answer::unknown,
     .outputs = "as the agreement says",
     .source = "the agreement: an approval says what it allows"},
};

// Names in use -> id; in lower case.
struct Alias {
  std::string_view name, id;
};
constexpr Alias kAliases[] = {
    {"apache 2.0", "Apache-2.0"},
    {"apache license 2.0", "Apache-2.0"},
    {"cc0", "CC0-1.0"},
    {"creativeml-openrail-m", "LicenseRef-scancode-stable-diffusion-2022-08-22"},
    {"creativeml open rail-m", "LicenseRef-scancode-stable-diffusion-2022-08-22"},
    {"creativeml open rail-m license", "LicenseRef-scancode-stable-diffusion-2022-08-22"},
    {"bigscience-openrail-m", "LicenseRef-scancode-bigscience-open-rail-m"},
    {"openrail++", "LicenseRef-maquette-open-rail-plus-plus-m"},
    {"openrail++-m", "LicenseRef-maquette-open-rail-plus-plus-m"},
    {"creativeml open rail++-m", "LicenseRef-maquette-open-rail-plus-plus-m"},
    {"creativeml open rail++-m license", "LicenseRef-maquette-open-rail-plus-plus-m"},
    {"stabilityai-ai-community", "LicenseRef-scancode-stability-ai-community-2024"},
    {"stability ai community license", "LicenseRef-scancode-stability-ai-community-2024"},
    {"flux-1-dev-non-commercial-license", "LicenseRef-scancode-flux-1-nc"},
    {"flux.1 [dev] non-commercial license", "LicenseRef-scancode-flux-1-nc"},
};

constexpr std::string_view kEuropeanUnion =
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";

bool lies_in(std::string_view place, std::string_view territory) {
  return place == territory || territory == "WORLD" ||
         (territory == "EU" && place.size() == 2 && kEuropeanUnion.find(place) != kEuropeanUnion.npos);
}

}  // namespace

std::string_view name(Answer answer) {
  constexpr std::array<std::string_view, 3> kNames = {"yes", "no", "unknown"};
  return kNames[static_cast<size_t>(answer)];
}

std::span<const Licence> licences() { return kLicences; }

const Licence* find_licence(std::string_view id_or_name) {
  std::string wanted = lower_ascii(trim(id_or_name));
  const auto alias = std::ranges::find(kAliases, wanted, &Alias::name);
  if (alias != std::end(kAliases)) wanted = lower_ascii(alias->id);
  const auto found = std::ranges::find_if(
      kLicences, [&](const Licence& licence) { return lower_ascii(licence.id) == wanted; });
  return found == std::end(kLicences) ? nullptr : &*found;
}

bool territories_meet(std::string_view a, std::string_view b) { return lies_in(a, b) || lies_in(b, a); }

void require_territory(std::string_view code) {
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (code == "WORLD" || (code.size() == 2 && std::ranges::all_of(code, capital))) return;
  throw Error(ErrorCode::usage, "cannot use this territory")
      .with("found", code.substr(0, 40))
      .with("expected", "two capital letters as in FR, or EU, or WORLD");
}

std::string licence_id(std::string_view id_or_name) {
  const Licence* known = find_licence(id_or_name);
  return std::string(known ? known->id : id_or_name);
}

}  // namespace maquette::rights
