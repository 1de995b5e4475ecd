// SpoolCopy: a copy of somebody's file in the studio's spool, since operations may move what they are given
// into the store.
#pragma once

#include "base/error.h"
#include "base/file.h"
#include "base/partial_files.h"

namespace maquette::app {

class SpoolCopy {
 public:
  SpoolCopy(const fs::path& spool, const fs::path& file) : path_(partial_name(spool / "upload")) {
    if (!fs::is_regular_file(file))
      throw Error(ErrorCode::not_found, "there is no file \"{}\"", file.string());
    fs::copy_file(file, path_);
  }
  ~SpoolCopy() {
    std::error_code error;
    fs::remove(path_, error);
  }
  SpoolCopy(const SpoolCopy&) = delete;
  SpoolCopy& operator=(const SpoolCopy&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace maquette::app
