#!/usr/bin/env bash
# The tests start git servers of their own: nginx with git http-backend, sshd, and Gitea, which is built here, once, from
# its Go module (devcluster/gitea). This makes sure of the programs.
set -euo pipefail
cd "$(dirname "$0")/.."

installed() {
  [ -x /usr/sbin/nginx ] && [ -x /usr/sbin/fcgiwrap ] && [ -x /usr/sbin/sshd ] && command -v ssh >/dev/null && command -v gcc >/dev/null
}

build_gitea() {
  .venv/bin/python -m devcluster gitea >/dev/null
}

if installed; then
  build_gitea
  exit 0
fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
  echo "Git servers are missing and cannot be installed from here. Install the Debian packages" \
    "'nginx-light', 'fcgiwrap', 'openssh-server', 'openssh-client', 'gcc' and 'libc6-dev'." >&2
  exit 1
fi
echo "Installing nginx, fcgiwrap, OpenSSH and gcc: the tests start such servers. None is left running."
export DEBIAN_FRONTEND=noninteractive
# The packages would start servers of their own; the tests want none but theirs.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 0755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends nginx-light fcgiwrap openssh-server openssh-client gcc libc6-dev >/dev/null
installed
build_gitea
