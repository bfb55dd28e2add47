#!/bin/sh
# The database stays, after a purge too, and so does the user that it belongs to: what was handed out is still in use.
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
fi
if [ "${1:-}" = purge ] && [ -d /var/lib/cloudpam ]; then
  echo "cloudpam: /var/lib/cloudpam stays. Nobody else knows what it handed out; delete it yourself once that does not matter."
fi
