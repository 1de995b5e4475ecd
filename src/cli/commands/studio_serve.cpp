#include <csignal>
#include <memory>
#include <thread>

#include "app/studio/people.h"
#include "app/studio/queue.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/studio_commands.h"
#include "server/server.h"

namespace maquette::cli {

namespace {

struct ServeArguments {
  StudioArguments studio;
  std::string host = "127.0.0.1";
  std::string page;
  std::vector<std::string> hosts;
  int port = 8700;
  int upload_limit = 1024;
  int workers = 1;
  int threads = 0;
  bool single_user = false;
  bool secure_cookies = false;
  bool behind_proxy = false;
};

volatile std::sig_atomic_t g_stop = 0;

void wait_for_signal() {
  std::signal(SIGTERM, [](int) { g_stop = 1; });
  std::signal(SIGINT, [](int) { g_stop = 1; });
  while (!g_stop) std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

// "::1" stands in brackets in an address.
std::string address_of(const std::string& host, int port) {
  const bool is_v6 = host.find(':') != host.npos;
  const std::string shown = host.empty() || host == "0.0.0.0" || host == "::" ? "localhost" : host;
  return fmt::format("http://{}:{}/", is_v6 && shown == host ? "[" + shown + "]" : shown, port);
}

void print_start(const std::string& address, const std::optional<std::string>& password) {
  if (json_output()) {
    Json start = {{"address", address}};
    if (password) start.update({{"login", "admin"}, {"password", *password}});
    return print_json(start);
  }
  print_line(fmt::format("Maquette is at {}", address));
  if (password) {
    print_line(fmt::format("first sign-in: login admin, password {}", *password));
    print_line("this password is shown once, and must be changed then");
  }
  print_line("Ctrl-C ends it");
}

}  // namespace

std::function<void()> serve(CLI::App& app) {
  auto a = std::make_shared<ServeArguments>();
  add_json_flag(app);
  add_studio_options(app, a->studio);
  app.add_option("--port", a->port, "where to listen; 0: any free port")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--host", a->host, "address to listen on; 0.0.0.0: also for other machines")
      ->capture_default_str();
  app.add_flag("--single-user", a->single_user, "no sign-in: whoever uses this machine may do everything");
  app.add_flag("--secure-cookies", a->secure_cookies,
               "for a server behind TLS: browsers send the session over it only");
  app.add_option("--allow-host", a->hosts, "name by which browsers may reach it, besides localhost")
      ->expected(1, 100)
      ->allow_extra_args(false);
  app.add_flag("--behind-proxy", a->behind_proxy, "a proxy in front says who asks, in X-Forwarded-For");
  app.add_option("--upload-limit", a->upload_limit, "largest upload in MiB")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--workers", a->workers, "processes that make pictures; 0: none, others run the queue")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  app.add_option("--threads", a->threads, "threads of each worker; 0: all of the machine")
      ->check(CLI::Range(0, 1024));
  app.add_option("--page", a->page, "folder of a page to serve in place of the program's own");
  return [a] {
    app::Studio studio(studio_options(a->studio));
    server::ServerOptions options;
    options.http.host = a->host;
    options.http.port = a->port;
    options.api = {.single_user = a->single_user,
                   .secure_cookies = a->secure_cookies,
                   .upload_limit = static_cast<uint64_t>(a->upload_limit) << 20};
    options.hosts = a->hosts;
    options.behind_proxy = a->behind_proxy;
    options.page = a->page;
    server::Server server(studio, options);
    app::QueuePool queue(studio, a->workers, {.threads = a->threads});
    std::optional<std::string> password;
    if (!a->single_user) password = app::first_administrator(studio);
    print_start(address_of(a->host, server.port()), password);
    wait_for_signal();
    server.stop();
    queue.stop();
  };
}

namespace {

struct RunArguments {
  StudioArguments studio;
  int workers = 1;
  int threads = 0;
  bool keep_on = false;
};

void print_event(const Json& event) {
  if (json_output()) return print_json(event);
  const std::string kind = event.at("event");
  const std::string picture =
      fmt::format("picture {} of {}", event.at("picture").dump(), event.at("count").dump());
  if (kind == "begin") print_line(picture);
  if (kind == "take")
    print_line(fmt::format("{} is a take: {}", picture, event.at("take").get<std::string>()));
  if (kind == "canceled") print_line(fmt::format("{} was cancelled", picture));
  if (kind == "failed")
    print_line(fmt::format("{} failed: {}", picture, event.at("error").value("what", "")));
}

}  // namespace

std::function<void()> job_run(CLI::App& app) {
  auto a = std::make_shared<RunArguments>();
  add_json_flag(app);
  add_studio_options(app, a->studio);
  app.add_flag("--keep-on", a->keep_on, "wait for more jobs instead of ending when there are none");
  app.add_option("--workers", a->workers, "processes that make pictures")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--threads", a->threads, "threads of each; 0: all of the machine")
      ->check(CLI::Range(0, 1024));
  return [a] {
    app::Studio studio(studio_options(a->studio));
    app::QueuePool queue(studio, a->workers,
                         {.threads = a->threads, .until_empty = !a->keep_on, .report = print_event});
    if (a->keep_on) {
      wait_for_signal();
      queue.stop();
    } else {
      queue.join();
    }
  };
}

}  // namespace maquette::cli
