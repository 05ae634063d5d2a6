#!/bin/bash
# SPDX-License-Identifier: MIT
# The Debian packages that px needs: sourced by ./check and ./demo.
# shellcheck disable=SC2034  # used where this is sourced

readonly px_build_packages=(
  g++ gcc libc6-dev meson ninja-build pkg-config python3 libasio-dev libc-ares-dev libcli11-dev libexpected-dev
  libnftables-dev libnl-3-dev libspdlog-dev libssl-dev libsystemd-dev libyaml-cpp-dev
  nlohmann-json3-dev scdoc
)
readonly px_demo_packages=(curl iproute2 mount nftables util-linux)
readonly px_check_packages=(
  "${px_demo_packages[@]}" bind9-dnsutils binutils clang clang-format clang-tidy dbus-daemon dnsmasq-base dropbear-bin
  ecj faketime git graphviz iperf3 iputils-ping libbenchmark-dev libbpf-dev libgmock-dev libgtest-dev musl-tools
  netbase netcat-openbsd nodejs ntpsec-ntpdig openjdk-17-jre-headless openssh-client perl procps python3-pyftpdlib
  python3-pytest redis-tools rsync shellcheck strace systemd tcl traceroute valgrind wget
)
# Clients that are given bundles, and what the unpacked haproxy and openvpn need.
readonly px_client_packages=(
  apache2-utils aria2 elinks inetutils-telnet ldap-utils lftp libcap-ng0 liblua5.3-0 liblzo2-2 libnl-genl-3-200
  libopentracing-c-wrapper0 libpkcs11-helper1 links lynx mariadb-client-core mosquitto-clients ncat
  netcat-traditional openssl php-cli postgresql-client putty-tools ruby socat tnftp w3m
)
# A kernel with SCTP, which is there for x86 alone, and what the tests in it need; the libraries are
# those of the unpacked sshd and postgres.
if [ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ]; then
  px_uml_packages=(iptables kmod libldap-2.5-0 libwrap0 libxml2 user-mode-linux)
else
  px_uml_packages=()
fi
# Debian starts the servers that it installs, and has one for the time or one busybox at most: these
# are only unpacked (tools/unpack). The libraries that they need come with the packages above.
readonly px_unpacked_packages=(
  busybox chrony erlang-base haproxy libnss-resolve nginx nscd openssh-server openvpn postgresql-15
  prometheus stunnel4 systemd-resolved tftpd-hpa
)

# The arguments that are not installed.
px_missing_packages() {
  local installed
  installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' 2>/dev/null |
    sed -n 's/^installed //p')
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

# Installs what is missing of the arguments, or says how, and fails.
px_need_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian: the following are expected to be installed: $*"
    return
  fi
  local missing
  mapfile -t missing < <(px_missing_packages "$@")
  if [ "${#missing[@]}" = 0 ]; then return; fi
  if [ "$(id -u)" != 0 ]; then
    echo "Missing packages; please run:" >&2
    echo "  sudo apt-get install --yes --no-install-recommends ${missing[*]}" >&2
    return 1
  fi
  echo "Installing missing packages: ${missing[*]}"
  local install=(apt-get install --yes --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}")
  export DEBIAN_FRONTEND=noninteractive
  # A fresh container has no package lists, an old machine outdated ones.
  if ! "${install[@]}"; then
    apt-get update
    "${install[@]}"
  fi
}
