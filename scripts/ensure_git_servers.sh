#!/usr/bin/env bash
# The local tests start git servers of their own: nginx with git http-backend, and sshd. This makes sure of the programs.
set -euo pipefail

installed() {
  [ -x /usr/sbin/nginx ] && [ -x /usr/sbin/fcgiwrap ] && [ -x /usr/sbin/sshd ] && command -v ssh >/dev/null
}

if installed; then
  exit 0
fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
  echo "Git servers are missing and cannot be installed from here. Install the Debian packages" \
    "'nginx-light', 'fcgiwrap', 'openssh-server' and 'openssh-client'." >&2
  exit 1
fi
echo "Installing nginx, fcgiwrap and OpenSSH: the local tests start such servers. None is left running."
export DEBIAN_FRONTEND=noninteractive
# The packages would start servers of their own; the tests want none but theirs.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 0755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends nginx-light fcgiwrap openssh-server openssh-client >/dev/null
installed
