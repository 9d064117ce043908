"""What the door needs without a network: the page without people (the shell), the files of the
script, and the service worker that keeps both.

The worker and the files are public: they hold nobody's data, and a browser asks for them also when
its session has ended.
"""

from flask import Response, abort, json, jsonify, render_template

from eventreg.core.event import events
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import reading
from eventreg.web.access import anyone, requires
from eventreg.web.door import door_facts, door_files
from eventreg.web.door.check_in import blueprint
from eventreg.web.door.sync import refused
from eventreg.web.event_facts import about
from eventreg.web.wire.answers import in_json

MARK = "Eventreg-Door"
"""The header of each answer below /door/, with the version: a portal of a hotel or a hall answers
200 to everything, but not with this."""


@blueprint.after_request
def _marked(response: Response) -> Response:
    response.headers[MARK] = door_facts.version()
    return response


@blueprint.get("/worker.js")
@anyone
def worker() -> Response:
    """The service worker. Its text holds version and files, so a browser sees each new version."""
    version = door_facts.version()
    files = [f"/door/assets/{version}/{name}" for name in door_files.scripts()]
    text = f"const VERSION = {json.dumps(version)}, FILES = {json.dumps(files)};\n"
    response = Response(text + door_files.worker(), content_type="text/javascript; charset=utf-8")
    response.headers["Service-Worker-Allowed"] = "/door/"
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/assets/<version>/<name>")
@anyone
def asset(version: str, name: str) -> Response:
    """One file of the script, to be kept for ever; 404 for another version."""
    if name not in door_files.served() or version != door_facts.version():
        abort(404)
    response = Response(door_files.text(name), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@blueprint.get("/<slug>/shell")
@requires(Permission.CHECK_IN)
def shell(slug: str) -> str:
    """The door's page without people, which devices keep and open without a network."""
    event = events.get(reading(), slug)
    return render_template(
        "door/shell.html", **about(event), **door_facts.application(event, is_shell=True)
    )


@blueprint.get("/<slug>/facts.json")
@in_json(refused)
@in_json(refused)
@requires(Permission.CHECK_IN)
def facts_json(slug: str) -> Response:
    """The facts as they are now, with the token for posts: a page from the device's store asks for
    them, and every page after a new sign-in."""
    return jsonify(door_facts.facts(events.get(reading(), slug), is_shell=False))
