"""Make the Flask application from settings, database, commands and pages."""

from dataclasses import replace

from flask import Flask
from flask_migrate import Migrate

from eventreg import log
from eventreg.clock import Clock
from eventreg.commands.alarm import alarm
from eventreg.commands.audit import audit_commands
from eventreg.commands.backup import backup_commands
from eventreg.commands.check_in_list import print_check_in_list
from eventreg.commands.doctor import doctor
from eventreg.commands.event import event_commands
from eventreg.commands.move import move
from eventreg.commands.outbox import outbox_commands
from eventreg.commands.purge import purge
from eventreg.commands.staff import staff_commands
from eventreg.commands.tables import end_in_one_line
from eventreg.settings.instance_folder import kept_secret, make_instance
from eventreg.settings.table import ROOT, Settings
from eventreg.storage import session
from eventreg.web import site

COMMANDS = (
    audit_commands,
    event_commands,
    staff_commands,
    outbox_commands,
    backup_commands,
    alarm,
    doctor,
    purge,
    move,
    print_check_in_list,
)
MIGRATIONS = str(ROOT / "migrations")


def create_app(settings: Settings, clock: Clock | None = None) -> Flask:
    """An app on the instance folder of ``settings``. ``clock`` replaces the clock of the settings.

    The first call for a folder makes it. Unless the settings name others, it also makes a secret
    key and an empty SQLite file in it.
    """
    log.begin(settings.log_format)
    make_instance(settings.instance)
    settings = replace(settings, secret_key=settings.secret_key or kept_secret(settings.instance))
    app = Flask(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
        instance_path=str(settings.instance),
    )
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SESSION_COOKIE_NAME=settings.cookie("s"),
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,  # public pages set no cookie, on a paired phone too
        MAX_CONTENT_LENGTH=64 * 1024,
        MAX_FORM_MEMORY_SIZE=64 * 1024,
        MAX_FORM_PARTS=100,
        WTF_CSRF_TIME_LIMIT=None,  # a form is valid as long as its session
        # it needs a Referer, which our policy never sends; web.guard checks the origin instead
        WTF_CSRF_SSL_STRICT=False,
    )
    app.extensions["settings"] = settings
    app.extensions["clock"] = clock or settings.make_clock()
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    session.init_app(app)
    Migrate(app, session.db, directory=MIGRATIONS, render_as_batch=True, compare_type=True)
    for command in COMMANDS:
        app.cli.add_command(command)
    end_in_one_line()
    site.init_app(app)
    return app
