# shellcheck shell=bash
# Functions for ./test and the scripts in this folder. They install the programs that the
# checks need. Source this file instead of running it. Sourcing it changes to the top
# folder of the repository.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

# The folder where programs that no system package provides are installed once.
tools=${AMI_BRIDGE_TOOLS:-$PWD/.tools}

# left_out CHECK REASON: reports that a check can't run on this system. ./test
# repeats these lines at the end of its output, and .ci/run fails if there are any.
left_out() {
  echo "LEFT OUT: $1: $2" >&2
}

# has PROGRAM PACKAGE...: succeeds if PROGRAM exists or can be installed from the
# system packages. The installation needs root and apt-get.
has() {
  command -v "$1" >/dev/null && return
  install_packages "${@:2}" && command -v "$1" >/dev/null
}

install_packages() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  local install=(apt-get -qq install -y --no-install-recommends "$@")
  # The package lists may be missing or out of date.
  DEBIAN_FRONTEND=noninteractive "${install[@]}" >/dev/null 2>&1 ||
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive "${install[@]}" >/dev/null; }
}

# cargo_tool CRATE VERSION: sets `tool` to the path of a crate's program. The crate
# is built without optimization, because building it takes longer than running it.
cargo_tool() {
  local root=$tools/$1-$2
  tool=$root/bin/$1
  [ -x "$tool" ] && return
  echo "installing $1 $2" >&2
  cargo install --quiet --locked --debug --root "$root" "$1@$2"
}

# python_tool PACKAGE VERSION: sets `tool` to the path of a PyPI package's program.
python_tool() {
  local root=$tools/$1-$2
  tool=$root/bin/$1
  [ -x "$tool" ] && return
  echo "installing $1 $2" >&2
  has python3 python3 || return
  { python3 -m venv "$root" 2>/dev/null ||
    { install_packages python3-venv && python3 -m venv "$root"; }; } &&
    timeout 300 "$root/bin/pip" install --quiet --disable-pip-version-check "$1==$2"
}

# npm_packages: sets `npm` to the folder with the npm packages from
# tools/javascript/package-lock.json.
npm_packages() {
  npm=$PWD/tools/javascript/node_modules
  # npm writes a lock file of the installed packages into that folder.
  [ "$npm/.package-lock.json" -nt tools/javascript/package-lock.json ] && return
  echo "installing the packages of tools/javascript" >&2
  has npm npm && npm ci --prefix tools/javascript --silent --no-audit --no-fund
}
