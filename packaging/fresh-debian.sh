# shellcheck shell=bash
# What test-deb and test-rpm share: a copy of a fresh Debian 12 in $root/debian, with
# the built program's package to be tried in it. Root only, for the chroot. The root is
# kept in .asterisk/ and never installed into. Sourced, not run.
name=$(basename "$0")

left_out() {
  echo "LEFT OUT: $name: $*" >&2
  exit 0
}

fail() {
  echo "$name: $*" >&2
  exit 1
}

# A program, and the package that has it.
need() {
  command -v "$1" >/dev/null && return
  apt-get -qq update &&
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$2" >/dev/null ||
    left_out "apt-get install $2"
}

[ "$(id -u)" = 0 ] || left_out "it needs root"
. /etc/os-release
# A program that is linked with a newer libc does not run on an older one.
[ "${ID:-} ${VERSION_ID:-}" = "debian 12" ] || left_out "it is built and tried on Debian 12"
need mmdebstrap mmdebstrap

roots=${AMI_BRIDGE_ASTERISK_ROOTS:-.asterisk}
mkdir -p "$roots"
roots=$(cd "$roots" && pwd)
exec 9>"$roots/lock-deb"
flock 9
base=$roots/debian-12
if [ ! -e "$base" ]; then
  echo "$name: fetching Debian 12 (200 MB; two minutes)"
  mmdebstrap --mode=root --variant=minbase --format=directory \
    --include=systemd,man-db,libc6 --aptopt='APT::Install-Recommends "false"' \
    bookworm "$base.new" 2>"$roots/debian-12.log" || {
    tail -n 20 "$roots/debian-12.log" >&2
    rm -rf "$base.new"
    left_out "Debian 12 could not be fetched"
  }
  mv "$base.new" "$base"
fi

# A subcommand of cargo.
tools=$roots/tools
PATH=$tools/bin:$PATH
need_cargo() {
  command -v "$1" >/dev/null ||
    cargo install --quiet --locked --root "$tools" "$1" || left_out "cargo install $1"
}

root=$(mktemp -d "$roots/${name#test-}.XXXXXX")
trap 'rm -rf "$root"' EXIT
cp -a "$base" "$root/debian"
inside() {
  chroot "$root/debian" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}

# expect "640 root:root" FILE
expect() {
  local found
  found=$(inside stat -c '%a %U:%G' "$2")
  [ "$found" = "$1" ] || fail "$2 is $found, not $1"
}

# What either package has to have brought.
check_installed() {
  inside ami-bridge --version
  expect "640 root:ami-bridge" /etc/ami-bridge/ami-bridge.toml
  expect "750 root:ami-bridge" /etc/ami-bridge
  expect "755 root:root" /usr/bin/ami-bridge
  local file
  for file in /etc/fail2ban/filter.d/ami-bridge.conf \
    /usr/share/bash-completion/completions/ami-bridge \
    /usr/share/fish/vendor_completions.d/ami-bridge.fish "$@"; do
    inside test -s "$file" || fail "there is no $file"
  done
  # minbase has no pages of documentation; man itself must find and format this one.
  [[ $(inside man -P cat ami-bridge) == *"HTTP interface to Asterisk"* ]] || fail "no manual page"
  local verified
  verified=$(inside systemd-analyze verify ami-bridge.service 2>&1) && [ -z "$verified" ] ||
    fail "systemd-analyze verify: $verified"
  [ "$(inside systemctl is-enabled ami-bridge.service || true)" = disabled ] ||
    fail "the unit is enabled before there is a secret"
}

is_configured() {
  grep -q 'username = "acme"' "$root/debian/etc/ami-bridge/ami-bridge.toml" ||
    fail "an upgrade has overwritten the configuration"
}

is_gone() {
  local path
  for path in "$@"; do
    ! inside test -e "$path" || fail "$path is left"
  done
}
