# shellcheck shell=bash
# Sourced by test-deb and test-rpm. Prepares a fresh Debian 12 in $root/debian, for
# installing the package that the test builds. Needs root, for chroot. The downloaded
# Debian is cached in .asterisk/, and each test works on a copy of it. Sourcing this file
# changes to the repository's top folder.
. "$(dirname "${BASH_SOURCE[0]}")/../tools/checks/common.sh"
name=$(basename "$0")

# skip REASON: ends the test without a failure.
skip() {
  left_out "$name" "$*"
  exit 0
}

fail() {
  echo "$name: $*" >&2
  exit 1
}

# need PROGRAM PACKAGE: installs the package if the program is missing.
need() {
  has "$1" "$2" || skip "apt-get install $2"
}

# need_cargo CRATE VERSION: installs a cargo subcommand if it is missing.
need_cargo() {
  cargo_tool "$1" "$2" || skip "cargo install $1"
  PATH=$(dirname "$tool"):$PATH
}

[ "$(id -u)" = 0 ] || skip "it needs root"
. /etc/os-release
# A program linked with a newer libc does not run with an older libc.
[ "${ID:-} ${VERSION_ID:-}" = "debian 12" ] || skip "it builds and tests on Debian 12 only"
need mmdebstrap mmdebstrap

roots=${AMI_BRIDGE_ASTERISK_ROOTS:-.asterisk}
mkdir -p "$roots"
roots=$(cd "$roots" && pwd)
exec 9>"$roots/lock-deb"
flock 9
base=$roots/debian-12
if [ ! -e "$base" ]; then
  echo "$name: downloading Debian 12 (200 MB; two minutes)"
  mmdebstrap --mode=root --variant=minbase --format=directory \
    --include=systemd,man-db,libc6 --aptopt='APT::Install-Recommends "false"' \
    bookworm "$base.new" 2>"$roots/debian-12.log" || {
    tail -n 20 "$roots/debian-12.log" >&2
    rm -rf "$base.new"
    skip "Debian 12 could not be downloaded"
  }
  mv "$base.new" "$base"
fi

root=$(mktemp -d "$roots/${name#test-}.XXXXXX")
trap 'rm -rf "$root"' EXIT
cp -a "$base" "$root/debian"

# inside COMMAND...: runs a command in the fresh Debian.
inside() {
  chroot "$root/debian" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}

# expect "640 root:root" FILE: checks the file's mode and owner.
expect() {
  local found
  found=$(inside stat -c '%a %U:%G' "$2")
  [ "$found" = "$1" ] || fail "$2 is $found, not $1"
}

# check_installed FILE...: checks the files that packages of both formats install, and
# each FILE.
check_installed() {
  inside ami-bridge --version
  expect "640 root:ami-bridge" /etc/ami-bridge/ami-bridge.toml
  expect "750 root:ami-bridge" /etc/ami-bridge
  expect "755 root:root" /usr/bin/ami-bridge
  local file
  for file in /etc/fail2ban/filter.d/ami-bridge.conf \
    /usr/share/bash-completion/completions/ami-bridge \
    /usr/share/fish/vendor_completions.d/ami-bridge.fish "$@"; do
    inside test -s "$file" || fail "$file is missing"
  done
  # minbase excludes the usual manual pages, but man must find and format this page.
  [[ $(inside man -P cat ami-bridge) == *"HTTP interface to Asterisk"* ]] || fail "no manual page"
  local verified
  verified=$(inside systemd-analyze verify ami-bridge.service 2>&1) && [ -z "$verified" ] ||
    fail "systemd-analyze verify: $verified"
  [ "$(inside systemctl is-enabled ami-bridge.service || true)" = disabled ] ||
    fail "the installation enabled the unit although the secret is missing"
}

# check_debug_symbols SYMBOLS: checks that the program is small and has no symbols, and
# that the installed file SYMBOLS belongs to the program.
check_debug_symbols() {
  local program=$root/debian/usr/bin/ami-bridge symbols=$root/debian$1 size
  size=$(stat -c %s "$program")
  [ "$size" -le $((8 * 1024 * 1024)) ] || fail "the program has $size bytes, more than 8 MiB"
  ! sections "$program" | grep -qE '^\.(debug_info|debug_line|symtab)$' || fail "the program contains debug symbols"
  sections "$symbols" | grep -qx '\.debug_line' || fail "$1 has no line tables"
  [ "$(build_id "$symbols")" = "$(build_id "$program")" ] || fail "$1 belongs to another build"
  echo "$name: $(du -h --apparent-size "$program" | cut -f 1) program, $(du -h --apparent-size "$symbols" | cut -f 1) debug symbols"
}

sections() { readelf --wide --section-headers "$1" 2>/dev/null | grep -oE '\]\s+\.\S+' | sed 's/^\]\s*//'; }
build_id() { readelf --notes "$1" 2>/dev/null | sed -n 's/^ *Build ID: //p'; }

is_configured() {
  grep -q 'username = "acme"' "$root/debian/etc/ami-bridge/ami-bridge.toml" ||
    fail "the upgrade overwrote the configuration"
}

is_gone() {
  local path
  for path in "$@"; do
    ! inside test -e "$path" || fail "$path still exists"
  done
}
