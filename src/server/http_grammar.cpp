// Beast reads what RFC 9112 allows; what two readers could understand differently is refused besides: folded
// lines, lengths that stand twice or in lists, any transfer encoding but "chunked", more than one host.
#include "server/http_grammar.h"

#include <algorithm>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>

#include "base/text.h"

namespace maquette::server {

namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr size_t kMostHeaders = 100;
constexpr size_t kLongestMethod = 16;
// The size of a chunk with its extensions, or the lines behind the last one.
constexpr size_t kLongestFraming = 16 << 10;
// Who reads a body has a limit of their own; this one keeps sums of sizes far from their ends.
constexpr uint64_t kLargestBody = uint64_t{1} << 40;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

bool is_number(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

class RequestParser::Reader : public http::basic_parser<true> {
 public:
  explicit Reader(std::string_view head) {
    header_limit(static_cast<uint32_t>(head.size()));
    body_limit(kLargestBody);
    // RFC 9112, 5.2: a reader may join folded lines, as Beast does; one before or behind it may not.
    if (head.find("\r\n ") != head.npos || head.find("\r\n\t") != head.npos)
      throw BadRequest(400, "a header line is folded");
    const size_t used = put_some(head);
    if (used != head.size() || !is_header_done())
      throw BadRequest(400, "cannot read the head of the request");
    if (head_.chunked && old_) throw BadRequest(400, "a transfer encoding in a request of HTTP/1.0");
    if (hosts_ > 1 || (hosts_ == 0 && !old_)) throw BadRequest(400, "a request names one host");
    head_.keep_alive = keep_alive();
  }

  const RequestHead& head() const { return head_; }

  Part read(std::string_view bytes) {
    if (is_done() || bytes.empty() || bytes.size() < least_) return {};
    body_ = {};
    const size_t used = put_some(bytes);
    if (used == 0 && bytes.size() > kLongestFraming)
      throw BadRequest(400, "a chunk of the request has a broken head");
    // The last chunk has five bytes or more: Beast 1.74 must not look at less of it for a second time.
    least_ = used == 0 && head_.chunked ? 5 : 0;
    return {used, body_};
  }

 private:
  size_t put_some(std::string_view bytes) {
    beast::error_code error;
    const size_t used = put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (!error || error == http::error::need_more) return used;
    throw problem(error, bytes);
  }

  BadRequest problem(const beast::error_code& error, std::string_view bytes) const {
    if (error == http::error::body_limit) return {413, "the request is too large"};
    if (error == http::error::bad_transfer_encoding && !head_.content_length)
      return {501, "cannot read this transfer encoding"};
    const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
    if (error == http::error::bad_version && line.size() > 8 && line[line.size() - 2] == '.' &&
        line.substr(line.size() - 8).starts_with("HTTP/"))
      return {505, "this server speaks HTTP/1.1"};
    return BadRequest(400, "cannot read the request").with("found", error.message());
  }

  void on_request_impl(http::verb, beast::string_view method, beast::string_view target, int version,
                       beast::error_code&) override {
    const std::string_view address = view(target);
    const auto visible = [](char c) { return c > 32 && c < 127; };
    if (method.size() > kLongestMethod) throw BadRequest(400, "cannot read the method");
    if (!address.starts_with('/') || !std::ranges::all_of(address, visible) ||
        address.find('#') != address.npos)
      throw BadRequest(400, "cannot read the address");
    const size_t question = address.find('?');
    head_.method = view(method);
    head_.path = address.substr(0, question);
    if (question != address.npos) head_.query = address.substr(question + 1);
    old_ = version == 10;
  }

  void on_field_impl(http::field field, beast::string_view name, beast::string_view text,
                     beast::error_code&) override {
    if (is_header_done()) return;  // behind the last chunk: nobody asks for these
    const std::string_view value = view(text);
    if (head_.headers.size() == kMostHeaders) throw BadRequest(431, "too many header lines");
    if (field == http::field::host) ++hosts_;
    if (field == http::field::content_length) {
      if (head_.content_length || !is_number(value)) throw BadRequest(400, "cannot read the content length");
      head_.content_length = std::stoull(std::string(value));
    }
    if (field == http::field::transfer_encoding) {
      if (lower_ascii(value) != "chunked") throw BadRequest(501, "cannot read this transfer encoding");
      head_.chunked = true;
    }
    head_.headers.emplace_back(lower_ascii(view(name)), value);
  }

  size_t on_body_impl(beast::string_view body, beast::error_code&) override {
    body_ = view(body);
    return body.size();
  }
  size_t on_chunk_body_impl(uint64_t, beast::string_view body, beast::error_code&) override {
    body_ = view(body);
    return body.size();
  }
  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
  void on_header_impl(beast::error_code&) override {}
  void on_body_init_impl(const boost::optional<uint64_t>&, beast::error_code&) override {}
  void on_chunk_header_impl(uint64_t, beast::string_view, beast::error_code&) override {}
  void on_finish_impl(beast::error_code&) override {}

  RequestHead head_;
  std::string_view body_;
  size_t least_ = 0;
  int hosts_ = 0;
  bool old_ = false;  // HTTP/1.0
};

RequestParser::RequestParser(std::string_view head) : reader_(std::make_unique<Reader>(head)) {}
RequestParser::~RequestParser() = default;

const RequestHead& RequestParser::head() const { return reader_->head(); }
bool RequestParser::finished() const { return reader_->is_done(); }
RequestParser::Part RequestParser::read(std::string_view bytes) { return reader_->read(bytes); }

std::string head_of(const Response& response, const std::optional<uint64_t>& length, bool keep_alive) {
  http::response<http::empty_body> head;
  head.result(static_cast<unsigned>(response.status));
  for (const auto& [name, value] : response.headers) {
    // Nothing from outside may begin a line of its own.
    if (value.find_first_of("\r\n") == value.npos) head.insert(name, value);
  }
  if (length && response.status != 304 && response.status != 204) head.content_length(*length);
  head.set(http::field::connection, keep_alive ? "keep-alive" : "close");

  std::string text;
  http::response_serializer<http::empty_body> serializer(head);
  while (!serializer.is_header_done()) {
    beast::error_code error;
    serializer.next(error, [&](beast::error_code&, const auto& buffers) {
      size_t bytes = 0;
      for (const boost::asio::const_buffer part : beast::buffers_range_ref(buffers)) {
        text.append(static_cast<const char*>(part.data()), part.size());
        bytes += part.size();
      }
      serializer.consume(bytes);
    });
    if (error) throw Error(ErrorCode::failed, "cannot write an answer").with("found", error.message());
  }
  return text;
}

}  // namespace maquette::server
