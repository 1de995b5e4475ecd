// A server on a free port with a studio of its own, and a client that sends what it is told, byte for byte.
// Test programs include this, the program does not.
#pragma once

#include <arpa/inet.h>
#include <fstream>
#include <map>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "app/studio/people.h"
#include "base/identifiers.h"
#include "base/text.h"
#include "db/test_database.h"
#include "production/accounts.h"
#include "production/accounts_sessions.h"
#include "production/references.h"
#include "server/schema_check.h"
#include "server/server.h"

namespace maquette::server {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers = {};  // names in lower case
  std::string body = {};

  Json json() const { return Json::parse(body, nullptr, false); }
  std::string header(const std::string& name) const { return headers.contains(name) ? headers.at(name) : ""; }
};

// One connection.
class Wire {
 public:
  explicit Wire(int port) : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("cannot connect");
  }
  ~Wire() { close(descriptor_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  // Nothing more comes from here; what the server says can still be read.
  void finish_sending() { shutdown(descriptor_, SHUT_WR); }
  // Some more bytes. Empty at the end, and after 30 seconds without anything: a test that waits in vain
  // fails.
  std::string receive() {
    char part[65536];
    const timeval longest{.tv_sec = 30, .tv_usec = 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    const ssize_t got = recv(descriptor_, part, sizeof part, 0);
    return got > 0 ? std::string(part, static_cast<size_t>(got)) : "";
  }
  std::string receive_until(std::string_view text) {
    std::string all;
    while (all.find(text) == all.npos) {
      const std::string part = receive();
      if (part.empty()) break;
      all += part;
    }
    return all;
  }
  Answer answer() {
    std::string all;
    for (std::string part = receive(); !part.empty(); part = receive()) all += part;
    return parsed(all);
  }
  static Answer parsed(const std::string& all) {
    Answer answer;
    const size_t end = all.find("\r\n\r\n");
    if (end == all.npos || all.size() < 12) return answer;
    answer.status = std::stoi(all.substr(9, 3));
    for (const std::string& line : split(all.substr(0, end), '\n')) {
      const size_t colon = line.find(": ");
      if (colon != line.npos)
        answer.headers[lower_ascii(line.substr(0, colon))] = trim(line.substr(colon + 2));
    }
    answer.body = all.substr(end + 4);
    return answer;
  }

 private:
  int descriptor_;
};

struct Client {
  int port = 0;
  std::string cookie = {};
  std::string csrf = {};
  std::string bearer = {};
  std::string host = "localhost";

  Answer send(std::string_view method, std::string_view path, std::string_view body = "",
              std::string_view more = "") {
    std::string head =
        fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}", method, path, host, more);
    if (!cookie.empty()) head += fmt::format("Cookie: {}\r\n", cookie);
    if (!csrf.empty()) head += fmt::format("X-CSRF-Token: {}\r\n", csrf);
    if (!bearer.empty()) head += fmt::format("Authorization: Bearer {}\r\n", bearer);
    if (!body.empty() && more.find("Content-Type") == more.npos) head += "Content-Type: application/json\r\n";
    if (!body.empty()) head += fmt::format("Content-Length: {}\r\n", body.size());
    Wire wire(port);
    wire.send(head + "\r\n" + std::string(body));
    Answer answer = wire.answer();
    judge(method, path, answer);
    return answer;
  }
  Answer get(std::string_view path, std::string_view more = "") { return send("GET", path, "", more); }
  Answer post(std::string_view path, const Json& body, std::string_view more = "") {
    return send("POST", path, body.dump(), more);
  }
  // Every answer of the API is as the OpenAPI document says. With MAQUETTE_ANSWERS in the environment they
  // are also written down, line by line, for tools/check_api.
  static void judge(std::string_view method, std::string_view path, const Answer& answer) {
    constexpr std::string_view kApi = "/api/v1";
    if (!path.starts_with(std::string(kApi) + "/") || method == "HEAD" || answer.status == 304) return;
    const bool is_json = answer.header("content-type").starts_with("application/json");
    const JudgedAnswer judged{.method = std::string(method),
                              .path = std::string(path.substr(kApi.size(), path.find('?') - kApi.size())),
                              .status = answer.status,
                              .content_type = answer.header("content-type"),
                              .etag = answer.header("etag"),
                              .body = is_json ? answer.json() : Json()};
    if (const std::string problem = problem_of(judged); !problem.empty()) {
      throw std::runtime_error(fmt::format("{} {} {}: {}: {}", method, path.substr(0, 200), answer.status,
                                           problem, answer.body.substr(0, 600)));
    }
    const char* file = std::getenv("MAQUETTE_ANSWERS");
    if (!file || !is_json) return;
    std::ofstream(file, std::ios::app) << Json{{"method", judged.method},
                                               {"path", judged.path},
                                               {"status", judged.status},
                                               {"body", judged.body}}
                                              .dump(-1, ' ', false, Json::error_handler_t::replace)
                                       << "\n";
  }
  // Keeps the cookie and the token of a sign-in.
  void keep(const Answer& answer) {
    const std::string set = answer.header("set-cookie");
    cookie = set.substr(0, set.find(';'));
    csrf = answer.json().value("csrf", "");
  }
};

inline constexpr const char* kTestPassword = "a long password";

class TestStudio {
 public:
  explicit TestStudio(db::Backend backend, ServerOptions options = {}) : database_(backend) {
    folder_ = std::filesystem::temp_directory_path() / ("maquette_server_" + lower_hex(random_bytes(6)));
    studio_ =
        std::make_unique<app::Studio>(app::StudioOptions{.folder = folder_, .database = database_.url()});
    options.http.port = 0;
    server_ = std::make_unique<Server>(*studio_, options);
  }
  ~TestStudio() {
    server_.reset();
    studio_.reset();
    std::filesystem::remove_all(folder_);
  }
  app::Studio& studio() { return *studio_; }
  Server& server() { return *server_; }
  Client client() { return {.port = server_->port()}; }

  // A person with this role in every show; none: no role.
  void add_person(const std::string& login, std::optional<production::Role> role) {
    db::Transaction tx(studio_->database());
    const production::Change change{tx, {"", "program"}};
    production::create_person(change, {.login = login, .name = login, .password = kTestPassword});
    if (role) production::give_role(change, production::find_person(*tx, login), "", *role);
    tx.commit();
  }
  // Gives every role in one show ("": in all of them).
  void give_all_roles(const std::string& login, const std::string& show_id) {
    db::Transaction tx(studio_->database());
    for (const production::Role role : production::all_roles())
      production::give_role({tx, {"", "program"}}, production::find_person(*tx, login), show_id, role);
    tx.commit();
  }
  Client signed_in(const std::string& login) {
    Client client{.port = server_->port()};
    client.keep(client.post("/api/v1/sessions", {{"login", login}, {"password", kTestPassword}}));
    return client;
  }

 private:
  db::TestDatabase database_;
  std::filesystem::path folder_;
  std::unique_ptr<app::Studio> studio_;
  std::unique_ptr<Server> server_;
};

}  // namespace maquette::server
