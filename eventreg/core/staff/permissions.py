"""The permissions of each role, in one table."""

from enum import StrEnum

from eventreg.core.models.staff import Role


class Permission(StrEnum):
    """Something that a staff page requires permission for."""

    STAFF_HOME = "staff-home"
    SEE_EVENT = "see-event"
    SEE_ATTENDEES = "see-attendees"
    REGISTER = "register"
    CORRECT = "correct"
    PRINT_LIST = "print-list"
    CHECK_IN = "check-in"
    CALL = "call"
    EXPORT = "export"
    IMPORT = "import"
    TYPE_SHEET = "type-sheet"
    SEE_REPORT = "see-report"
    PAIR = "pair"
    MANAGE_EVENTS = "manage-events"
    MANAGE_STAFF = "manage-staff"
    GO_OVER = "go-over"
    RELEASE_EARLY = "release-early"
    TAKE_BACK = "take-back"
    ERASE = "erase"
    SEE_AUDIT = "see-audit"
    SEE_NUMBERS = "see-numbers"
    OPERATE = "operate"


ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.DOOR: frozenset({Permission.STAFF_HOME, Permission.CHECK_IN}),
    Role.DESK: frozenset(
        {
            Permission.STAFF_HOME,
            Permission.SEE_EVENT,
            Permission.SEE_ATTENDEES,
            Permission.REGISTER,
            Permission.CORRECT,
            Permission.PRINT_LIST,
            Permission.CHECK_IN,
            Permission.CALL,
            Permission.EXPORT,
            Permission.IMPORT,
            Permission.TYPE_SHEET,
            Permission.SEE_REPORT,
            Permission.PAIR,
        }
    ),
    Role.ORGANISER: frozenset(Permission),
}
"""The permissions of each role. A route names one; a role without it gets 403."""


def may(role: Role, permission: Permission) -> bool:
    """Whether a role has a permission."""
    return permission in ALLOWED[role]
