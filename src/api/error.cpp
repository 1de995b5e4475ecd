#include <new>

#include "api/guard.h"

namespace maquette::api {

namespace {

std::string_view value_of(const std::vector<Error::Field>& fields, std::string_view name) noexcept {
  for (const Error::Field& field : fields) {
    if (field.name == name) return field.value;
  }
  return {};
}

}  // namespace

Error::Error(Details details) : details_(std::make_shared<const Details>(std::move(details))) {}
Error::~Error() = default;

std::string Error::where() const {
  std::string text;
  for (const Field& field : fields()) {
    if (field.name == "found" || field.name == "expected") continue;
    if (!text.empty()) text += ", ";
    text += field.name + " " + field.value;
  }
  return text;
}
std::string_view Error::found() const noexcept { return value_of(fields(), "found"); }
std::string_view Error::expected() const noexcept { return value_of(fields(), "expected"); }

Error public_error(const maquette::Error& error) {
  Error::Details details{.what = error.what(),
                         .fields = {},
                         .hint = error.hint_text(),
                         .code = std::string(name(error.code())),
                         .exit_code = exit_code(error.code()),
                         .message = error.message()};
  for (const auto& [name, value] : error.fields()) details.fields.push_back({name, value});
  return Error(std::move(details));
}

void throw_public_error() {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const maquette::Error& error) {
    throw public_error(error);
  } catch (const std::bad_alloc&) {
    throw public_error(maquette::Error(ErrorCode::no_memory, "not enough memory").hint("try a smaller size"));
  } catch (const std::exception& error) {
    throw public_error(maquette::Error(ErrorCode::failed, "{}", error.what()));
  }
}

}  // namespace maquette::api
