# shellcheck shell=bash
# What the scripts share; sourced, never run. The caller stands in the top folder of the repository.
set -euo pipefail

say() { printf '\n== %s\n' "$*"; }

has_sum() { # has_sum PROGRAM FILE SUM
  [ -f "$2" ] && echo "$3  $2" | "$1" --check --status -
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "this needs root: $*" >&2
    echo "  hint      run it as root, or install sudo" >&2
    return 1
  fi
}

# The packages named on the command line that are not installed.
missing_packages() {
  local package state
  for package in "$@"; do
    state=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || echo "$package"
  done
}

install_packages() { # install_packages NAME...
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} = 0 ] && return 0
  say "installing: ${missing[*]}"
  as_root apt-get update -qq
  # Without the recommended packages: OpenImageIO would bring a desktop with it.
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

install_build_packages() {
  local packages
  mapfile -t packages < <(grep -E '^[a-z0-9]' scripts/apt-packages.txt)
  install_packages "${packages[@]}"
}

configure() { # configure PRESET
  # A configured tree notices changes by itself when it is built.
  [ -f "build/$1/build.ninja" ] || cmake --preset "$1" >"build/configure-$1.log" 2>&1 || {
    rm -f "build/$1/build.ninja"
    cat "build/configure-$1.log" >&2
    return 1
  }
}

build() { # build PRESET [TARGET...]
  local preset=$1
  shift
  mkdir -p build
  configure "$preset"
  # When files come or go, CMake runs again and talks about it; nobody needs to read that.
  ninja -C "build/$preset" --quiet "$@" 2>&1 | { grep -vE '^-- (GLOB mismatch|Configuring done|Generating done|Build files)' || true; }
}
