// ErrorKind: a base for errors that are told apart by their type. Error::with() and hint() return an Error&,
// and `throw NotSignedIn(...).hint(...)` would throw a plain Error; here both return the type itself.
#pragma once

#include "base/error.h"

namespace maquette {

template <typename Self>
class ErrorKind : public Error {
 public:
  using Error::Error;

  template <typename T>
  Self& with(std::string field, T&& value) {
    Error::with(std::move(field), std::forward<T>(value));
    return static_cast<Self&>(*this);
  }
  template <typename... Args>
  Self& hint(fmt::format_string<Args...> text, Args&&... args) {
    Error::hint(text, std::forward<Args>(args)...);
    return static_cast<Self&>(*this);
  }
};

}  // namespace maquette
