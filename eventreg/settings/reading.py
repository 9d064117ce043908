"""Read the settings from the environment once, and check them together."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from eventreg.settings.table import ROOT, SETTINGS, Settings, own_address


class SettingsInvalid(Exception):
    """Some settings are wrong. ``faults`` has one line for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment. Raises ``SettingsInvalid`` with one line for each fault."""
    values: dict[str, Any] = {}
    faults = []
    for field_name, row in SETTINGS.items():
        text = environment.get(row.name) or row.default
        try:
            values[field_name] = row.read(text)
        except ValueError as fault:
            shown = re.sub(r"(?<=//)[^@/]*(?=@)|AGE-SECRET-KEY-.*", "…", text)  # without a secret
            faults.append(f"{row.name}: {fault}, not {shown!r}")
    limits_in_memory = values.get("rate_limits") and not values.get("redis_url")
    if values.get("workers", 1) > 1 and limits_in_memory:
        faults.append(
            "EVENTREG_WORKERS: more than one process cannot share limits kept in memory; "
            "set EVENTREG_REDIS_URL, or EVENTREG_RATE_LIMITS=off"
        )
    if values.get("backup_copy") and values["backup_copy"] == values.get("backups"):
        faults.append("EVENTREG_BACKUP_COPY: must be another folder than EVENTREG_BACKUPS")
    if values.get("alarm_mail") and not values.get("smtp_url"):
        faults.append("EVENTREG_ALARM_MAIL: needs EVENTREG_SMTP_URL")
    if faults:
        raise SettingsInvalid(faults)
    return _with_derived_defaults(Settings(**values))


def _with_derived_defaults(given: Settings) -> Settings:
    """Fill in the settings that were not given and whose default depends on other settings."""
    instance = (ROOT / given.instance).resolve()
    public_url = given.public_url or own_address(given.host, given.port)
    return replace(
        given,
        instance=instance,
        backups=given.backups and instance / given.backups,
        database_url=given.database_url or f"sqlite:///{instance / 'eventreg.sqlite3'}",
        public_url=public_url,
        mail_from=given.mail_from or f"eventreg@{_mail_host(public_url)}",
    )


def _mail_host(public_url: str) -> str:
    """The host for a mail address. An IPv6 address cannot be one."""
    host = urlsplit(public_url).hostname or ""
    return "localhost" if ":" in host else host
