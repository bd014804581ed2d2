# shellcheck shell=bash
# Functions that the scripts in this folder share. They find the Asterisk roots and run
# commands in them. The scripts source this file.

# On Debian, chroot is in an sbin folder, which is not on a user's PATH.
PATH=$PATH:/usr/sbin:/sbin
sample_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Outside target/, so that "cargo clean" does not delete the downloads.
roots=${AMI_BRIDGE_ASTERISK_ROOTS:-$(dirname "$sample_folder")/.asterisk}

die() {
  echo "asterisk-sample: $*" >&2
  exit 1
}

# Prints the Debian suite that packages this major version of Asterisk.
suite_of() {
  case $1 in
    16) echo bullseye ;;
    22) echo sid ;;
    *) die "Asterisk $1 is not supported; use 16 or 22" ;;
  esac
}

# Replaces this shell with `unshare ARGUMENTS`. For a user other than root it adds a
# user namespace, if the system allows that.
in_namespaces() {
  local user_namespace=()
  if [ $EUID != 0 ]; then
    user_namespace=(--user --map-root-user --map-auto)
    command -v newuidmap >/dev/null ||
      die "needs root or newuidmap: apt-get install uidmap"
    grep -qs "^$(id -un):" /etc/subuid && grep -qs "^$(id -un):" /etc/subgid ||
      die "needs root, or entries for $(id -un) in /etc/subuid and /etc/subgid"
    unshare "${user_namespace[@]}" true 2>/dev/null ||
      die "needs root: this system does not let users create user namespaces"
  fi
  exec unshare "${user_namespace[@]}" "$@"
}

# Runs a command as root, or as root of a user namespace. The files in the Asterisk roots
# belong to root.
as_root() {
  if [ $EUID = 0 ]; then "$@"; else (in_namespaces "$@"); fi
}

# Sets root (the folder that Asterisk sees as /) and instance (the instance's folder, as
# Asterisk sees it) from the arguments VERSION and NAME.
# shellcheck disable=SC2034
select_instance() {
  [ $# -ge 2 ] || die "usage: $(basename "$0") 16|22 NAME ..."
  suite_of "$1" >/dev/null
  [[ $2 =~ ^[a-z0-9-]{1,40}$ ]] || die "instance names consist of 1 to 40 characters from a-z, 0-9 and -"
  root=$roots/$1
  instance=/instances/$2
}
