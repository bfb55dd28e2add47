#!/bin/sh
# Runs after an installation and after an upgrade, of the deb and of the rpm. It makes the user of the unit. The first start is
# for somebody who has said where the database is; a server that runs already goes on as the new one.
set -e
if command -v systemd-sysusers >/dev/null; then
  systemd-sysusers cloudpam.conf
elif ! getent passwd cloudpam >/dev/null; then
  useradd --system --user-group --no-create-home --home-dir /var/lib/cloudpam --shell /usr/sbin/nologin --comment CloudPAM cloudpam
fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart cloudpam.service
fi
