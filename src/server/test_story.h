// A studio with one of everything, and a way to ask any operation by its name: for tests that walk the whole
// table of operations. Test programs include this, the program does not.
#pragma once

#include <array>

#include "app/studio/answers.h"
#include "app/studio/operation.h"
#include "server/test_server.h"

namespace maquette::server {

// --- pictures, made without a library: their bytes are not packed ---

inline std::string big_endian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

inline std::string png_chunk(const std::string& kind, const std::string& data) {
  uint32_t crc = 0xffffffff;
  for (const char byte : kind + data) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return big_endian(static_cast<uint32_t>(data.size())) + kind + data + big_endian(~crc);
}

// One stored block of deflate (RFC 1951, 3.2.4) in the frame of zlib (RFC 1950); at most 65535 bytes.
inline std::string zlib_stored(const std::string& data) {
  uint32_t a = 1, b = 0;
  for (const char byte : data) {
    a = (a + static_cast<unsigned char>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  const auto low = static_cast<char>(data.size() & 0xff), high = static_cast<char>(data.size() >> 8);
  const std::string sizes = {low, high, static_cast<char>(~low), static_cast<char>(~high)};
  return "\x78\x01\x01" + sizes + data + big_endian(b << 16 | a);
}

// RGB of one colour; `more`: chunks before the pixels.
inline std::string png(uint32_t width, uint32_t height, unsigned char grey, const std::string& more = "") {
  std::string rows;
  for (uint32_t y = 0; y < height; ++y) rows += '\0' + std::string(3 * width, static_cast<char>(grey));
  return "\x89PNG\r\n\x1a\n" +
         png_chunk("IHDR", big_endian(width) + big_endian(height) + std::string("\x08\x02\0\0\0", 5)) + more +
         png_chunk("IDAT", zlib_stored(rows)) + png_chunk("IEND", "");
}

// --- asking ---

inline std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char letter : text) encoded += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
  return encoded;
}

inline std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Puts the arguments where the operation wants them. file: of operations that take one.
inline Answer ask(Client& client, const app::Operation& operation, const Json& arguments,
                  const std::string& file = "", const std::string& more = "") {
  std::string path = "/api/v1";
  for (const std::string& word : split(operation.path.substr(1), '/')) {
    const bool named = word.starts_with('{');
    path += "/" + (named ? percent_encoded(text_of(arguments.at(word.substr(1, word.size() - 2)))) : word);
  }
  std::string query;
  Json body = Json::object();
  for (const auto& [name, value] : arguments.items()) {
    const auto found = std::ranges::find(operation.parameters, name, &app::Parameter::name);
    const bool known = found != operation.parameters.end();
    if (known && found->place == app::Place::path) continue;
    if (known ? found->place == app::Place::query || operation.takes_file
              : operation.takes_file || operation.method == "GET") {
      query += fmt::format("{}{}={}", query.empty() ? "?" : "&", name, percent_encoded(text_of(value)));
    } else {
      body[name] = value;
    }
  }
  if (operation.takes_file)
    return client.send(operation.method, path + query, file,
                       "Content-Type: application/octet-stream\r\n" + more);
  const bool has_body = operation.method != "GET" && (!body.empty() || operation.method != "DELETE");
  return client.send(operation.method, path + query, has_body ? body.dump() : "", more);
}

// Of a list. By value: loops may run over it.
inline Json items_of(const Answer& answer) { return answer.json().value("items", Json::array()); }

// --- the studio ---

constexpr std::string_view kSecret = "moonlit secret";  // stands in every text of the show "lanterns"

class Story {
 public:
  explicit Story(db::Backend backend, ServerOptions options = {}) : studio_(backend, std::move(options)) {
    studio_.add_person("root", std::nullopt);
    studio_.give_all_roles("root", "");
    studio_.add_person("somebody", std::nullopt);
    root_ = studio_.signed_in("root");
    make("show create", {{"code", "lanterns"}, {"name", std::string("Lanterns ") + std::string(kSecret)}});
    make("sequence create", {{"code", "sq010"}, {"name", kSecret}});
    make("shot create", {{"code", "sh020"}, {"parent", "sq010"}, {"brief", kSecret}});
    make("asset create", {{"code", "lamp"}, {"asset_type", "prop"}, {"brief", kSecret}});
    make("task create", {{"task_type", "background"}, {"brief", kSecret}});
    make("cast set", {{"asset", "lamp"}, {"count", 2}});
    make("take import", {{"title", kSecret}}, png(8, 8, 40));
    make("take import", {{"title", kSecret}}, png(8, 8, 90));
    values_["sha256"] = make("file upload", Json::object(), png(8, 8, 255)).at("sha256");
    values_["annotation"] = make("annotation create", {{"note", kSecret}}).at("id");
    values_["playlist"] = make("playlist create", {{"name", kSecret}, {"takes", {values_["take"]}}}).at("id");
    const Json link = make("link create", Json::object());
    values_["link"] = link.at("id");
    link_token_ = link.at("token");
    values_["id"] = make("token create", Json::object()).at("id");
    values_["job"] = make("job create", {{"title", kSecret}}).at("id");
    values_["consent"] = make("consent add", Json::object()).at("id");
    values_["clearance"] = make("clearance add", {{"note", kSecret}}).at("id");
  }

  TestStudio& studio() { return studio_; }
  Client& root() { return root_; }
  const std::string& link_token() const { return link_token_; }
  void set(const std::string& name, const Json& value) { values_[name] = value; }

  // What makes an answer of the operation likely: the studio's own things, and what must be said.
  Json arguments(const app::Operation& operation) const {
    Json all = Json::object();
    const Json& example = examples().value(std::string(operation.name), Json::object());
    for (const app::Parameter& parameter : operation.parameters) {
      const std::string name(parameter.name);
      if (example.contains(name)) {
        all[name] = example[name];
      } else if (parameter.place == app::Place::path) {
        all[name] = values_.at(name);
      }
    }
    return all;
  }
  std::string file(const app::Operation& operation) const {
    if (!operation.takes_file) return "";
    if (operation.name == "model licence") return "do as you like";
    return operation.name == "import" ? "Name\nsh500\n" : png(8, 8, 77);
  }

  // As it is asked usually, with these arguments in place of the usual ones.
  Answer ask(Client& client, std::string_view name, const Json& changed = Json::object(),
             const std::string& bytes = "", const std::string& more = "") const {
    const app::Operation* operation = app::find_operation(name);
    if (!operation) throw std::runtime_error("no operation " + std::string(name));
    Json all = arguments(*operation);
    all.update(changed);
    return server::ask(client, *operation, all, bytes.empty() ? file(*operation) : bytes, more);
  }
  // Asked as an administrator with every role; must be done.
  Json make(std::string_view name, const Json& changed, const std::string& bytes = "") {
    const Answer answer = ask(root_, name, changed, bytes);
    if (answer.status / 100 != 2) throw std::runtime_error(std::string(name) + ": " + answer.body);
    return answer.json();
  }

 private:
  static const Json& examples() {
    static const Json stroke = {{"kind", "rect"}, {"points", {{0.1, 0.1}, {0.7, 0.7}}}};
    static const Json all = {
        {"show create", {{"code", "another"}}},
        {"show update", {{"status", "open"}}},
        {"status create", {{"code", "client"}}},
        {"status update", {{"color", "#ff8800"}}},
        {"task-type create", {{"code", "matte"}}},
        {"asset-type create", {{"code", "vehicle"}}},
        {"entity create", {{"kind", "sequence"}, {"code", "sq090"}}},
        {"entity update", {{"name", "the pier"}}},
        {"episode create", {{"code", "ep01"}}},
        {"sequence create", {{"code", "sq020"}}},
        {"shot create", {{"code", "sh090"}}},
        {"asset create", {{"code", "tree"}, {"asset_type", "prop"}}},
        {"cast set", {{"count", 3}}},
        {"task create", {{"task_type", "paint"}}},
        {"task update", {{"priority", 2}}},
        {"comment create", {{"text", "calmer"}}},
        {"canvas save", {{"document", {{"layers", Json::array()}}}}},
        {"take rename", {{"title", "calm"}}},
        {"take file-add", {{"sha256", std::string(64, '0')}}},
        {"take mark", {{"stars", 4}, {"verdict", "validated"}}},
        {"take prove", {{"parent", "lanterns/sq010/sh020:background/v001/t02"}}},
        {"annotation create", {{"drawing", Json::array({stroke})}}},
        {"annotation update", {{"note", "here"}}},
        {"playlist create", {{"name", "monday"}}},
        {"playlist update", {{"description", "of the week"}}},
        {"link create", {{"password", "for guests"}}},
        {"job create", {{"recipe", {{"model", "starter"}, {"prompt", "dusk"}, {"steps", 2}}}}},
        {"job priority", {{"priority", 50}}},
        {"library tokens", {{"prompt", "a (red:1.3) rock"}}},
        {"me update", {{"language", "fr"}}},
        {"me password", {{"old", "not this one"}, {"new", "another password"}}},
        {"token create", {{"name", "farm"}, {"scopes", {"show.read"}}}},
        {"user create", {{"login", "newcomer"}}},
        {"user update", {{"language", "fr"}}},
        {"export", {{"what", "shots"}}},
        {"import", {{"what", "shots"}}},
        {"model add", {{"model", "starter"}}},
        {"model set", {{"notes", "seen"}}},
        {"model licence", {{"licence", "MIT"}}},
        {"dataset add", {{"name", "photos"}}},
        {"name add", {{"name", "sky"}}},
        {"profile set", {{"commercial", true}}},
        {"gate check", {{"recipe", {{"model", "starter"}, {"prompt", "dusk"}}}}},
        {"notice add", {{"to", "all"}, {"by", "the producer"}}},
        {"consent add",
         {{"person", "Zoe Maler"},
          {"scope", "name_in_prompt"},
          {"uses", {"skies"}},
          {"until", "2099-12-31"},
          {"counsel", "union"},
          {"document_sha256", std::string(64, 'a')}}},
        {"clearance add",
         {{"kind", "answer"}, {"code", "final"}, {"subject", "lanterns"}, {"approver", "Ada"}}},
    };
    return all;
  }

  TestStudio studio_;
  Client root_;
  std::string link_token_;
  std::map<std::string, Json> values_ = {{"show", "lanterns"},
                                         {"entity", "lanterns/sq010/sh020"},
                                         {"asset", "lamp"},
                                         {"task", "lanterns/sq010/sh020:background"},
                                         {"take", "lanterns/sq010/sh020:background/v001/t01"},
                                         {"other", "lanterns/sq010/sh020:background/v001/t02"},
                                         {"person", "somebody"},
                                         {"role", "artist"},
                                         {"status", "wip"},
                                         {"representation", "layer"},
                                         {"delivery", "reel1"},
                                         {"file", "manifest.json"},
                                         {"name", "sky"},
                                         {"model", "starter"}};
};

}  // namespace maquette::server
