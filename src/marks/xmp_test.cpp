#include "marks/xmp.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "marks/xmp_container.h"

namespace maquette::marks {

namespace {

const XmpFields kFields = {
    .digital_source_type = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    .ai_system = "Maquette, starter",
    .ai_system_version = "0.1.0",
    .prompt = "red <mesas> & a \"ringed\" planet\nat dusk, réverbère",
    .prompt_writer = "A. Painter"};

// As another program writes it: other prefixes, values as attributes, its own properties, padding.
constexpr std::string_view kForeign =
    "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
    "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><!-- <r:RDF> -->"
    "<r:Description r:about='uuid:1' xmlns:dc='http://purl.org/dc/elements/1.1/' "
    "xmlns:ext='http://iptc.org/std/Iptc4xmpExt/2008-02-29/' ext:AISystemUsed='Other &amp; Co' "
    "dc:format='image/png'>"
    "<ext:AIPromptInformation>old</ext:AIPromptInformation><dc:rights>mine</dc:rights></r:Description>"
    "</r:RDF></x:xmpmeta>   <?xpacket end='w'?>";

TEST(Xmp, ANewPacketSaysWhatWasWritten) {
  const std::string packet = merge_xmp("", kFields).take();
  EXPECT_EQ(read_xmp(packet).take(), kFields);
  // Written again: the same bytes, nothing twice.
  EXPECT_EQ(read_xmp(merge_xmp(packet, {.ai_system = "B"}).take()).take(), XmpFields{.ai_system = "B"});
}

TEST(Xmp, AForeignPacketIsExtended) {
  EXPECT_EQ(read_xmp(kForeign).take(), (XmpFields{.ai_system = "Other & Co", .prompt = "old"}));
  const std::string merged = merge_xmp(kForeign, kFields).take();
  EXPECT_EQ(read_xmp(merged).take(), kFields);
  EXPECT_NE(merged.find("dc:format='image/png'"), std::string::npos);
  EXPECT_NE(merged.find("<dc:rights>mine</dc:rights>"), std::string::npos);
  EXPECT_NE(merged.find("<r:Description r:about=\"uuid:1\""), std::string::npos) << merged;
  EXPECT_EQ(merged.find("Other"), std::string::npos);
  EXPECT_EQ(merged.find("old"), std::string::npos);
  EXPECT_TRUE(merged.ends_with("</r:RDF></x:xmpmeta>   <?xpacket end='w'?>"));
}

TEST(Xmp, DamagedPacketsAreErrors) {
  for (const char* packet :
       {"text", "<a>", "<!DOCTYPE x [<!ENTITY a 'b'>]><a/>", "<a b=c>", "<!-- ", "<", "<a b='"})
    EXPECT_FALSE(merge_xmp(packet, kFields)) << packet;
  // An element without an end would hide what is written.
  EXPECT_FALSE(
      merge_xmp("<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
                "<Iptc4xmpExt:AISystemUsed></r:RDF>",
                kFields));
  EXPECT_FALSE(read_xmp(std::string(size_t{9} << 20, ' ')));
  for (size_t size = 0; size < kForeign.size(); ++size) {
    const auto merged = merge_xmp(kForeign.substr(0, size), kFields);
    EXPECT_TRUE(!merged || read_xmp(*merged)) << size;
  }
}

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

// Small files of each kind: only their containers are real.
std::string png() {
  const std::string path =
      std::string(MAQUETTE_SOURCE_DIR) + "/tests/golden/pipelines/sd1_custom_sigmas/picture_0.png";
  return read_text_file(path).take();
}
const std::string kJpeg(
    "\xff\xd8\xff\xe0\0\4JF\xff\xe1\0\x08"
    "Exif\0\0\xff\xdb\0\3q\xff\xda\0\2data\xff\xd9",
    34);
const std::string kTiff("II*\0\x8\0\0\0\1\0\0\1\3\0\1\0\0\0\x10\0\0\0\0\0\0\0", 26);
const std::string kWebp(
    "RIFF\x16\0\0\0WEBPVP8L\x9\0\0\0\x2f\x0f\xc0\x03\x10"
    "abcd\0",
    30);

TEST(XmpContainer, EachFormatHoldsAPacketAndKeepsTheRest) {
  const std::string packet = merge_xmp("", kFields).take();
  for (const std::string& file : {png(), kJpeg, kTiff, kWebp}) {
    const std::string_view head = std::string_view(file).substr(0, 12);
    ASSERT_TRUE(find_xmp(bytes(file))) << head;
    EXPECT_FALSE(find_xmp(bytes(file)).take()) << head;
    const std::string once = with_xmp(bytes(file), packet).take();
    EXPECT_EQ(find_xmp(bytes(once)).take(), packet) << head;
    // Another one replaces it.
    const std::string twice = with_xmp(bytes(once), "<other/>").take();
    EXPECT_EQ(find_xmp(bytes(twice)).take(), "<other/>") << head;
    // What is cut off is an error or is found to hold what it holds; never a crash.
    for (size_t size = 0; size < std::min<size_t>(once.size(), 2000); ++size) {
      const std::string cut = once.substr(0, size);
      static_cast<void>(find_xmp(bytes(cut)));
      static_cast<void>(with_xmp(bytes(cut), packet));
    }
  }
}

TEST(XmpContainer, AWebpPictureGetsTheExtendedHeader) {
  const std::string made = with_xmp(bytes(kWebp), "<x/>").take();
  // Flags: alpha of the lossless header, XMP; canvas 16 x 16.
  EXPECT_EQ(made.substr(12, 18), std::string("VP8X\x0a\0\0\0\x14\0\0\0\x0f\0\0\x0f\0\0", 18));
}

TEST(XmpContainer, WhatDoesNotFitIsRefused) {
  const auto refused = with_xmp(bytes(kJpeg), std::string(70000, 'x'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::usage);
  EXPECT_FALSE(with_xmp(bytes("text"), "<x/>"));
}

}  // namespace

}  // namespace maquette::marks
