#!/bin/sh
# Stops the server of a package that goes, and not of one that is upgraded. dpkg says what happens by a word, rpm by how many stay.
set -e
case ${1:-} in
  remove | 0) ;;
  *) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
  systemctl --no-reload disable --now cloudpam.service
fi
