"""The only place that builds the app for a server: ``wsgi:app``, and ``flask --app wsgi`` for the
commands."""

import atexit
import os
import sys

from eventreg.app import create_app
from eventreg.settings import SettingsInvalid, read
from eventreg.storage.modes import OURS_ALONE
from eventreg.storage.session import close

# For each command and server process, and for what they start: everything written is about people.
os.umask(OURS_ALONE)
try:
    app = create_app(read(os.environ))
except SettingsInvalid as invalid:
    sys.exit("\n".join(invalid.faults))
atexit.register(close, app)
