# What the scripts share: where a root of Asterisk is, and how to enter it.
# Sourced, not run.

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

# Runs a command in mount and process namespaces of its own, so that /proc of
# the root is seen by it alone and everything in it ends with it. Without root
# a user namespace stands in, where the system allows one.
in_namespaces() {
  local user=()
  if [ "$(id -u)" != 0 ]; then
    user=(--user --map-root-user --map-auto)
    unshare "${user[@]}" true 2>/dev/null ||
      die "needs root, or user namespaces with subordinate ids for $(id -un)" \
        "(sysctl kernel.unprivileged_userns_clone=1; newuidmap from the package" \
        "uidmap; a line for $(id -un) in /etc/subuid and /etc/subgid)"
  fi
  exec unshare "${user[@]}" "$@"
}
