"""The app for ``flask --app wsgi`` and for other WSGI servers, as ``wsgi:app``."""

import atexit
import os
import sys

from eventreg.app import create_app
from eventreg.commands.refusing import reason
from eventreg.settings.reading import SettingsInvalid, read
from eventreg.storage.modes import OURS_ALONE
from eventreg.storage.session import close

# Everything that a command or a child process writes is about people.
os.umask(OURS_ALONE)
try:
    app = create_app(read(os.environ))
except SettingsInvalid as invalid:
    sys.exit("\n".join(invalid.faults))
except OSError as error:  # the instance folder
    sys.exit(reason(error))
atexit.register(close, app)
