// Result<T>: a value, or the Error that explains why there is none. Readers of untrusted bytes return it, so
// that a damaged file is an ordinary outcome: `if (!r) return r.error();`.
#pragma once

#include <utility>
#include <variant>

#include "base/error.h"

namespace maquette {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor): reads as a value
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor): reads as an error

  explicit operator bool() const { return std::holds_alternative<T>(state_); }
  T& operator*() { return std::get<T>(state_); }
  const T& operator*() const { return std::get<T>(state_); }
  T* operator->() { return &std::get<T>(state_); }
  const T* operator->() const { return &std::get<T>(state_); }
  const Error& error() const { return std::get<Error>(state_); }

  // The value, or the error thrown: for callers where the failure ends the operation.
  T take() && {
    if (!*this) throw error();
    return std::move(std::get<T>(state_));
  }

 private:
  std::variant<T, Error> state_;
};

}  // namespace maquette
