"""The status page and the alarms."""
