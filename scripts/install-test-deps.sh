#!/bin/bash
# install-test-deps.sh: installs the servers that the tests talk to, on Debian
# and Ubuntu. It runs as root or with sudo, skips what is installed, removes
# nothing and leaves no service running or enabled. Other systems: it says so and exits 3.
#
# Two of the packages exclude one another: cyrus-imapd conflicts with every
# "imap-server", which dovecot-imapd is. One apt-get call for both fails ("held
# broken packages"), and two calls let the second remove the first one's
# package. Neither is needed as a system service, so the one that does not fit
# is unpacked beneath $REPATRIATE_TEST_DEPS instead, where internal/realserver
# looks for it.
set -euo pipefail

unpacked=${REPATRIATE_TEST_DEPS:-/usr/local/lib/repatriate-test-deps}
packages=(
  dovecot-core
  cyrus-common cyrus-caldav sasl2-bin libsasl2-modules libsasl2-modules-db # sasl2-bin: saslpasswd2
  radicale python3-bcrypt python3-passlib
  apache2
  python3-icalendar # iCalendar parsers that are not ours judge what we write
  python3-vobject
  python3-dateutil
)

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
version() { dpkg-query -W -f '${Version}' "$1"; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# apt_get refreshes the package lists before the first installation only.
refreshed=
apt_get() {
  if [ -z "$refreshed" ]; then
    as_root apt-get update -qq
    refreshed=yes
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@"
}

# with_services_denied keeps the packages' own scripts from starting daemons
# (see invoke-rc.d(8)); a policy that is there already is left alone and put
# back, whatever happens.
policy=/usr/sbin/policy-rc.d
with_services_denied() {
  local kept=
  if [ -e "$policy" ]; then
    kept=yes
    as_root cp -p "$policy" "$policy.repatriate"
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
  local status=0
  "$@" || status=$?
  if [ -n "$kept" ]; then as_root mv "$policy.repatriate" "$policy"; else as_root rm -f "$policy"; fi
  return "$status"
}

# enabled lists the services that start with the machine, where systemd runs it.
enabled() {
  [ ! -d /run/systemd/system ] || systemctl list-unit-files --no-legend --state=enabled --type=service,socket | awk '{print $1}' | sort
}

install() {
  [ $# -gt 0 ] || return 0
  echo "installing: $*"
  local before new
  before=$(enabled)
  with_services_denied apt_get install -y -qq --no-install-recommends "$@" >/dev/null
  new=$(comm -13 <(echo "$before") <(enabled))
  # shellcheck disable=SC2086 # one word each
  [ -z "$new" ] || as_root systemctl disable -q $new
}

# unpack PACKAGE CORE: the package in CORE's very version, without installing it.
unpack() {
  local package=$1 core=$2 dir
  local mark=$unpacked/$package/version
  if [ "$(cat "$mark" 2>/dev/null)" = "$(version "$core")" ]; then return; fi
  echo "unpacking: $package to $unpacked/$package"
  dir=$(mktemp -d)
  chmod 755 "$dir"
  if ! (cd "$dir" && apt_get download -qq "$package=$(version "$core")" >/dev/null 2>&1); then
    # The archive holds the newest version only.
    install "$core"
    (cd "$dir" && apt_get download -qq "$package=$(version "$core")" >/dev/null)
  fi
  as_root rm -rf "${unpacked:?}/$package"
  as_root mkdir -p "$unpacked/$package"
  as_root dpkg-deb -x "$dir/$package"_*.deb "$unpacked/$package"
  version "$core" | as_root tee "$mark" >/dev/null
  rm -rf "$dir"
}

if ! command -v apt-get >/dev/null; then
  echo "this system has no apt-get: install Dovecot, Cyrus, Radicale, Apache and python3-icalendar yourself" >&2
  exit 3
fi
if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
  echo "neither root nor sudo without a password: cannot install" >&2
  exit 3
fi

missing=()
for package in "${packages[@]}"; do installed "$package" || missing+=("$package"); done
installed dovecot-imapd || installed cyrus-imapd || missing+=(dovecot-imapd)
# Ubuntu has Chromium as a snap only: install one yourself there.
if apt-cache show chromium >/dev/null 2>&1; then installed chromium || missing+=(chromium); fi
install "${missing[@]}"
installed dovecot-imapd || unpack dovecot-imapd dovecot-core
installed cyrus-imapd || unpack cyrus-imapd cyrus-common
