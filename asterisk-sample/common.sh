# What the scripts share: where a root of Asterisk is, and how to enter it.
# Sourced, not run.

# Debian gives users no sbin, where chroot is.
PATH=$PATH:/usr/sbin:/sbin
sample=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Outside target/, so that "cargo clean" does not cost a download.
roots=${AMI_BRIDGE_ASTERISK_ROOTS:-$(dirname "$sample")/.asterisk}

die() {
  echo "asterisk-sample: $*" >&2
  exit 1
}

# The Debian suite that has this generation of Asterisk.
suite_of() {
  case $1 in
    16) echo bullseye ;;
    22) echo sid ;;
    *) die "Asterisk $1 is not one of 16, 22" ;;
  esac
}

# Runs a command in namespaces of its own. Without root a user namespace stands
# in, where the system allows one.
in_namespaces() {
  local user=()
  if [ "$(id -u)" != 0 ]; then
    user=(--user --map-root-user --map-auto)
    command -v newuidmap >/dev/null ||
      die "without root this needs newuidmap: apt-get install uidmap"
    grep -qs "^$(id -un):" /etc/subuid && grep -qs "^$(id -un):" /etc/subgid ||
      die "without root this needs lines for $(id -un) in /etc/subuid and /etc/subgid"
    unshare "${user[@]}" true 2>/dev/null ||
      die "neither root nor allowed to make user namespaces on this system"
  fi
  exec unshare "${user[@]}" "$@"
}

# Runs a command that may touch the files of a root.
with_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else (in_namespaces "$@"); fi
}

# Sets root and instance from the arguments VERSION and NAME.
select_instance() {
  [ $# -ge 2 ] || die "usage: $(basename "$0") 16|22 NAME …"
  suite_of "$1" >/dev/null
  [[ $2 =~ ^[a-z0-9-]{1,40}$ ]] || die "a name has 1 to 40 of a-z 0-9 -"
  root=$roots/$1
  instance=/instances/$2
}
