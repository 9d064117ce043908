"""The version of this program. A release's tag is the same with a "v" before it."""

VERSION = "1.0.0"
