// XMP specification part 1 (ISO 16684-1), 7.3 packet and 7.4 RDF. The tags of the packet are found, and only
// the bytes of the five properties are touched: an XML library would write the rest in other words than it
// was.
#include "marks/xmp.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace maquette::marks {

namespace {

constexpr size_t kMaxPacket = size_t{8} << 20;
constexpr size_t kMaxTags = 100'000;
constexpr size_t kMaxAttributes = 1000;
constexpr std::string_view kIptc = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
constexpr std::string_view kRdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
constexpr std::string_view kSpace = " \t\r\n";

struct Property {
  std::string_view name;
  std::string XmpFields::*field;
};
constexpr std::array<Property, 5> kProperties = {{{"DigitalSourceType", &XmpFields::digital_source_type},
                                                  {"AISystemUsed", &XmpFields::ai_system},
                                                  {"AISystemVersionUsed", &XmpFields::ai_system_version},
                                                  {"AIPromptInformation", &XmpFields::prompt},
                                                  {"AIPromptWriterName", &XmpFields::prompt_writer}}};

struct Attribute {
  std::string_view name;
  std::string_view value;  // with entities
  size_t begin = 0;        // in the packet, the space in front included
  size_t end = 0;
};

struct Tag {
  std::string_view name;
  bool closes = false;  // </name>
  bool empty = false;   // <name/>
  size_t begin = 0;
  size_t end = 0;
  std::vector<Attribute> attributes;
};

Error bad_xmp(std::string_view found) {
  return Error(ErrorCode::bad_file, "cannot read the XMP packet").with("found", found);
}

size_t skip_space(std::string_view text, size_t at) {
  return std::min(text.find_first_not_of(kSpace, at), text.size());
}

// One tag from its "<"; nothing where it has no end or is no tag.
std::optional<Tag> parse_tag(std::string_view text, size_t begin) {
  Tag tag{.begin = begin};
  size_t at = begin + 1;
  if (text.substr(at).starts_with('/')) {
    tag.closes = true;
    ++at;
  }
  const size_t name_end = text.find_first_of(" \t\r\n/>", at);
  if (name_end == std::string_view::npos || name_end == at) return std::nullopt;
  tag.name = text.substr(at, name_end - at);
  at = name_end;
  while (true) {
    const size_t space = at;
    at = skip_space(text, at);
    if (at >= text.size()) return std::nullopt;
    if (text[at] == '/') {
      tag.empty = true;
      ++at;
      continue;
    }
    if (text[at] == '>') {
      tag.end = at + 1;
      return tag;
    }
    // name = "value", either quotation mark
    const size_t equals = text.find_first_of("=<>", at);
    if (equals == std::string_view::npos || text[equals] != '=') return std::nullopt;
    const size_t quote = skip_space(text, equals + 1);
    if (quote >= text.size() || (text[quote] != '"' && text[quote] != '\'')) return std::nullopt;
    const size_t close = text.find(text[quote], quote + 1);
    if (close == std::string_view::npos || tag.attributes.size() >= kMaxAttributes) return std::nullopt;
    const std::string_view name = text.substr(at, equals - at);
    tag.attributes.push_back({name.substr(0, name.find_last_not_of(kSpace) + 1),
                              text.substr(quote + 1, close - quote - 1), space, close + 1});
    at = close + 1;
  }
}

// All tags in their order. Comments, processing instructions and CDATA are passed over; a document type,
// which could declare entities, is refused.
Result<std::vector<Tag>> parse_tags(std::string_view text) {
  if (text.size() > kMaxPacket) return bad_xmp("more than 8 MiB");
  std::vector<Tag> tags;
  for (size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at)) {
    const std::string_view rest = text.substr(at);
    std::string_view end;
    if (rest.starts_with("<!--")) end = "-->";
    if (rest.starts_with("<?")) end = "?>";
    if (rest.starts_with("<![CDATA[")) end = "]]>";
    if (!end.empty()) {
      const size_t close = text.find(end, at);
      if (close == std::string_view::npos) return bad_xmp("a comment or an instruction without an end");
      at = close + end.size();
      continue;
    }
    if (rest.starts_with("<!")) return bad_xmp("a document type");
    std::optional<Tag> tag = parse_tag(text, at);
    if (!tag) return bad_xmp(fmt::format("a damaged tag at byte {}", at));
    if (tags.size() >= kMaxTags) return bad_xmp("more than 100,000 tags");
    at = tag->end;
    tags.push_back(std::move(*tag));
  }
  return tags;
}

// The prefixes that stand for a namespace anywhere in the packet.
std::vector<std::string_view> prefixes_of(const std::vector<Tag>& tags, std::string_view uri) {
  std::vector<std::string_view> found;
  for (const Tag& tag : tags) {
    for (const Attribute& attribute : tag.attributes) {
      constexpr std::string_view kDeclares = "xmlns:";
      if (attribute.value == uri && attribute.name.starts_with(kDeclares) &&
          std::ranges::find(found, attribute.name.substr(kDeclares.size())) == found.end())
        found.push_back(attribute.name.substr(kDeclares.size()));
    }
  }
  return found;
}

// The part behind the colon where the prefix is one of these; empty otherwise.
std::string_view local_name(std::string_view name, const std::vector<std::string_view>& prefixes) {
  const size_t colon = name.find(':');
  if (colon == std::string_view::npos) return {};
  return std::ranges::find(prefixes, name.substr(0, colon)) == prefixes.end() ? "" : name.substr(colon + 1);
}

const Property* property_named(std::string_view local) {
  const auto* found = std::ranges::find(kProperties, local, &Property::name);
  return found == kProperties.end() ? nullptr : found;
}

struct Occurrence {
  const Property* property;
  std::string_view value;  // with entities
  size_t begin;
  size_t end;
};

// The five properties wherever they stand: attributes, empty elements, elements with text.
Result<std::vector<Occurrence>> occurrences_of(std::string_view packet, const std::vector<Tag>& tags) {
  const std::vector<std::string_view> prefixes = prefixes_of(tags, kIptc);
  std::vector<Occurrence> found;
  for (size_t i = 0; i < tags.size(); ++i) {
    const Tag& tag = tags[i];
    const Property* own = tag.closes ? nullptr : property_named(local_name(tag.name, prefixes));
    if (!own) {
      for (const Attribute& attribute : tag.attributes) {
        if (const Property* property = property_named(local_name(attribute.name, prefixes)))
          found.push_back({property, attribute.value, attribute.begin, attribute.end});
      }
      continue;
    }
    if (tag.empty) {
      found.push_back({own, "", tag.begin, tag.end});
      continue;
    }
    // To its own end: the properties are simple, so that none of the same name is inside.
    size_t last = i + 1;
    while (last < tags.size() && !(tags[last].closes && tags[last].name == tag.name)) ++last;
    if (last == tags.size()) return bad_xmp(fmt::format("<{}> without an end", tag.name));
    found.push_back({own, packet.substr(tag.end, tags[last].begin - tag.end), tag.begin, tags[last].end});
    i = last;
  }
  return found;
}

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}}};

// Numbered characters ("&#xA;") stay as they are: nobody writes these five fields with them but for line
// ends.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const auto* entity = std::ranges::find_if(
        kEntities, [&](const auto& each) { return text.substr(at).starts_with(each.first); });
    if (entity != kEntities.end()) {
      out += entity->second;
      at += entity->first.size();
    } else if (text.substr(at).starts_with("&#xA;") || text.substr(at).starts_with("&#10;")) {
      out += '\n';
      at += 5;
    } else {
      out += text[at++];
    }
  }
  return out;
}

// Characters that XML 1.0 cannot hold become spaces.
std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto* entity = std::ranges::find(kEntities, c, [](const auto& each) { return each.second; });
    if (entity != kEntities.end()) {
      out += entity->first;
    } else {
      const bool forbidden = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
      out += forbidden ? ' ' : c;
    }
  }
  return out;
}

// What the packet is about, which is the same in all of its descriptions, ready to stand between quotation
// marks.
std::string about_of(const std::vector<Tag>& tags, const std::vector<std::string_view>& rdf) {
  for (const Tag& tag : tags) {
    for (const Attribute& attribute : tag.attributes) {
      if (local_name(attribute.name, rdf) == "about") return escape(unescape(attribute.value));
    }
  }
  return "";
}

std::string description(const XmpFields& fields, std::string_view rdf, std::string_view about) {
  std::string out =
      fmt::format("<{0}:Description {0}:about=\"{1}\" xmlns:Iptc4xmpExt=\"{2}\">\n", rdf, about, kIptc);
  for (const Property& property : kProperties) {
    const std::string& value = fields.*property.field;
    if (!value.empty())
      out += fmt::format("  <Iptc4xmpExt:{0}>{1}</Iptc4xmpExt:{0}>\n", property.name, escape(value));
  }
  return out + fmt::format("</{}:Description>\n", rdf);
}

// The identifier is the same for every packet (ISO 16684-1, 7.3.2). No padding: who changes it writes a new
// file.
std::string new_packet(const XmpFields& fields) {
  return fmt::format(
      "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
      "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n<rdf:RDF xmlns:rdf=\"{}\">\n{}</rdf:RDF>\n</x:xmpmeta>\n"
      "<?xpacket end=\"w\"?>",
      kRdf, description(fields, "rdf", ""));
}

}  // namespace

Result<std::string> merge_xmp(std::string_view packet, const XmpFields& fields) {
  if (packet.empty()) return new_packet(fields);
  const Result<std::vector<Tag>> tags = parse_tags(packet);
  if (!tags) return tags.error();
  const std::vector<std::string_view> rdf = prefixes_of(*tags, kRdf);
  const auto end_of_rdf = std::ranges::find_if(
      *tags, [&rdf](const Tag& tag) { return tag.closes && local_name(tag.name, rdf) == "RDF"; });
  if (end_of_rdf == tags->end()) return bad_xmp("no rdf:RDF");
  const Result<std::vector<Occurrence>> old = occurrences_of(packet, *tags);
  if (!old) return old.error();
  std::string out;
  size_t at = 0;
  for (const Occurrence& occurrence : *old) {
    if (occurrence.begin < at || occurrence.end > end_of_rdf->begin)
      return bad_xmp("properties outside rdf:RDF");
    out += packet.substr(at, occurrence.begin - at);
    at = occurrence.end;
  }
  out += packet.substr(at, end_of_rdf->begin - at);
  const std::string_view prefix = end_of_rdf->name.substr(0, end_of_rdf->name.find(':'));
  out += description(fields, prefix, about_of(*tags, rdf));
  out += packet.substr(end_of_rdf->begin);
  // A packet whose names contradict each other could hide what was written.
  const Result<XmpFields> written = read_xmp(out);
  const bool same = written && std::ranges::all_of(kProperties, [&](const Property& property) {
                      return (*written).*property.field == unescape(escape(fields.*property.field));
                    });
  if (!same) return bad_xmp("names that contradict each other");
  return out;
}

Result<XmpFields> read_xmp(std::string_view packet) {
  const Result<std::vector<Tag>> tags = parse_tags(packet);
  if (!tags) return tags.error();
  const Result<std::vector<Occurrence>> found = occurrences_of(packet, *tags);
  if (!found) return found.error();
  XmpFields fields;
  for (const Occurrence& occurrence : *found) fields.*occurrence.property->field = unescape(occurrence.value);
  return fields;
}

}  // namespace maquette::marks
