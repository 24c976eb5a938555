#!/usr/bin/env bash
# The local tests start a real Postgres server of their own. This makes sure that its programs are here.
set -euo pipefail

installed() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null
}

if installed; then
  exit 0
fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
  echo "Postgres is missing and cannot be installed from here. Install the Debian package 'postgresql' (initdb, pg_ctl)." >&2
  exit 1
fi
echo "Installing the Debian package 'postgresql': the local tests need initdb and pg_ctl. No server is left running."
export DEBIAN_FRONTEND=noninteractive
# The package would start a server of its own; the tests want none but theirs.
mkdir -p /etc/postgresql-common
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends postgresql >/dev/null
installed
