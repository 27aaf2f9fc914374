# What the setup scripts share: adding Debian packages, and saying what is missing. Sourced, not run.

missing() {
  printf 'make: %s\n' "$@" >&2
  exit 1
}

# Installs Debian packages, if this machine has apt-get and lets us.
install() {
  local as=()
  command -v apt-get >/dev/null || return 1
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || return 1
    as=(sudo -n)
  fi
  echo "installing $* …"
  "${as[@]}" apt-get update -qq &&
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}
