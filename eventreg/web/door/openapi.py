"""The OpenAPI document of what a door page's script fetches and uploads."""

from typing import Any

from eventreg.core.uploads import acts
from eventreg.core.uploads.acts import Kind
from eventreg.core.uploads.rulings import Clash, Result

_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_NUMBER = {"type": "integer"}
_DEVICE = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _answer(said: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": said, "content": content}


_PERSON = _object(
    "attendee name pinyin code tail party state keys ticket checked_in_at gift_at".split(),
    attendee=_TEXT,
    name=_TEXT,
    pinyin=_TEXT,
    code=_or_null(_TEXT),
    tail=_TEXT,
    party=_TEXT,
    state={"enum": ["confirmed", "waitlisted", "cancelled"]},
    keys={"type": "array", "items": _TEXT},
    ticket={"type": "string", "pattern": "^[0-9a-f]{24}$"},
    checked_in_at=_or_null(_TIME),
    gift_at=_or_null(_TIME),
    door=_TEXT,
    owed_at=_TIME,
    cancelled_at=_TIME,
    released_at=_TIME,
    present_at=_TIME,
    position=_NUMBER,
    number=_NUMBER,
    unsure={"type": "boolean"},
)
_ROSTER = _object(
    ["event", "at", "capacity", "attendees"],
    event=_TEXT,
    at=_TIME,
    capacity=_NUMBER,
    attendees={"type": "array", "items": {"$ref": "#/components/schemas/Person"}},
)
_ACT = _object(
    ["key", "act"],
    key={"type": "string", "pattern": "^[0-9A-Za-z._:-]{1,64}$"},
    act={"enum": [kind.value for kind in Kind]},
    attendee={"type": ["string", "null"], "maxLength": 64},
    at=_or_null(_TIME),
    seq={"type": ["integer", "null"], "minimum": 0, "maximum": 2**31 - 1},
    name={"type": ["string", "null"], "maxLength": 200},
    phone={"type": ["string", "null"], "maxLength": 200},
    absent={"type": ["array", "null"], "items": {"type": "string", "maxLength": 64}},
    device={"type": ["string", "null"], "pattern": _DEVICE["pattern"]},
)
_UPLOAD = _object(
    ["device", "acts"],
    device=_DEVICE,
    now=_or_null(_TIME),
    unsent={"type": ["integer", "null"], "minimum": 0, "maximum": 2**31 - 1},
    acts={
        "type": "array",
        "maxItems": acts.MOST,
        "items": {
            "description": f"One act ({', '.join(kind.value for kind in Kind)}). One that cannot be"
            " read is answered as invalid, and refuses no other.",
            "anyOf": [{"$ref": "#/components/schemas/Act"}, {}],
        },
    },
)
_RESULT = _object(
    ["key", "result"],
    key=_or_null(_TEXT),
    result={"enum": [result.value for result in Result]},
    late={"type": "boolean"},
    reason=_TEXT,
    clash={"enum": [clash.value for clash in Clash]},
    attendee=_TEXT,
    at=_TIME,
    door=_TEXT,
    code=_TEXT,
    position=_NUMBER,
    number=_NUMBER,
    released=_NUMBER,
    kept=_NUMBER,
    seated=_NUMBER,
    left=_NUMBER,
)
_DONE = _object(
    ["now", "results", "device"],
    now=_TIME,
    results={"type": "array", "items": {"$ref": "#/components/schemas/Result"}},
    device=_object(["name", "revoked"], name=_TEXT, revoked={"type": "boolean"}),
)
_ERROR = _object(["error"], error=_TEXT, message=_TEXT)
_SIGNED_OUT = {
    "401": _answer("Nobody is signed in: `session-expired`.", "Error"),
    "403": _answer("The device was `revoked`, or is for an `other-event`.", "Error"),
    "404": _answer("There is no such event.", "Error"),
    "429": _answer("Too often. `Retry-After` says when to come back.", "Error"),
    "503": _answer("The database is away. Nothing was changed.", "Error"),
}
_SLUG = {
    "name": "slug",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[a-z0-9-]{1,80}$"},
}
_NAMED = {
    "name": "X-Door-Device",
    "in": "header",
    "required": False,
    "schema": _DEVICE,
    "description": "Which device fetches the roster.",
}


_SYNC = {
    "operationId": "sync",
    "summary": "Upload acts. Each is answered; the same key twice changes nothing.",
    "security": [{"session": [], "csrf": []}],
    "parameters": [_SLUG],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Upload"}}},
    },
    "responses": {
        "200": _answer("The answers, in the order of the acts.", "Done"),
        "400": _answer("This is no JSON, is nested too deeply, or has no token.", "Error"),
        "413": _answer("More than 500 acts, or more than 256 KiB.", "Error"),
        "415": _answer("The content type is not application/json.", "Error"),
        "422": _answer("This is JSON, and no batch.", "Error"),
        **_SIGNED_OUT,
    },
}
_FETCHED = {
    "operationId": "roster",
    "summary": "The people of the event, for a door device to keep.",
    "security": [{"session": []}],
    "parameters": [_SLUG, _NAMED],
    "responses": {
        "200": _answer("Everybody on the list.", "Roster"),
        "304": {"description": "Nothing has changed since the `If-None-Match`."},
        **_SIGNED_OUT,
    },
}


def document() -> dict[str, Any]:
    """The document. It describes the answers that the program gives, and a test tries it."""
    schemas = {"Person": _PERSON, "Roster": _ROSTER, "Act": _ACT, "Upload": _UPLOAD}
    schemas |= {"Result": _RESULT, "Done": _DONE, "Error": _ERROR}
    return {
        "openapi": "3.1.0",
        "info": {"title": "eventreg: the door", "version": "1"},
        "paths": {
            "/door/{slug}/roster.json": {"get": _FETCHED},
            "/door/{slug}/sync": {"post": _SYNC},
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "s"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
            },
        },
    }
