#!/bin/sh
# The commands of eventreg, with the settings of the service and as its user: `sudo eventreg doctor`, `sudo eventreg --help`.
# A file that you name without a folder lies in /var/lib/eventreg.
set -eu
if [ "$(id -u)" != 0 ]; then
    echo "Please run: sudo eventreg $*" >&2
    exit 1
fi
while IFS= read -r line || [ -n "$line" ]; do
    case $line in
        [A-Z]*=\"*\" | [A-Z]*=\'*\') value=${line#*=?} && export "${line%%=*}=${value%?}" ;;
        [A-Z]*=*) export "${line?}" ;;
    esac
done </etc/eventreg/eventreg.env
export HOME=/var/lib/eventreg XDG_CACHE_HOME=/var/cache/eventreg PYTHONDONTWRITEBYTECODE=1
cd /var/lib/eventreg
exec setpriv --reuid=eventreg --regid=eventreg --init-groups -- \
    /opt/eventreg/current/.venv/bin/python -m flask --app /opt/eventreg/current/wsgi.py "$@"
