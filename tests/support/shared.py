"""What the apps of one process share, because every test makes an app and making these anew takes
most of its time: compiled templates, compiled routes, and compiled SQL. Data is never shared."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.sansio.app import App
from flask.templating import Environment
from flask_sqlalchemy import SQLAlchemy
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Connection, Engine
from sqlalchemy.engine import Dialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule


class Compiled(BytecodeCache):
    """Compiled templates. Jinja compares them with their sources."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load what another app compiled."""
        kept, bucket.code = self._kept.get(bucket.key, ("", None))
        if kept != bucket.checksum:
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it for the next app."""
        self._kept[bucket.key] = (bucket.checksum, bucket.code)


templates = Compiled()


class KnownEnvironment(Environment):
    """Jinja's environment of an app, with the templates that an earlier app of this process
    compiled."""

    def __init__(self, app: App, **options: Any) -> None:
        super().__init__(app, **{**options, "bytecode_cache": templates})


_parsed: dict[tuple[str, ...], dict[str, Any]] = {}
_builders: dict[tuple[str, ...], Callable[..., tuple[str, str]]] = {}


class KnownRule(Rule):
    """A route that reuses what an earlier app of this process compiled for it."""

    def compile(self) -> None:
        """Take over the parts of the same route, or compile them."""
        known = (self.rule, str(self.subdomain), str(self.host), repr(self.defaults))
        if known not in _parsed:
            super().compile()
            names = ("_parts", "_trace", "_converters", "arguments")
            _parsed[known] = {name: getattr(self, name) for name in names}
            return
        self.__dict__.update(_parsed[known])
        self._build = self._compile_builder(False).__get__(self, None)
        self._build_unknown = self._compile_builder(True).__get__(self, None)

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        known = (self.rule, repr(self._trace), repr(self.defaults), str(append_unknown))
        if known not in _builders:
            _builders[known] = super()._compile_builder(append_unknown)
        return _builders[known]


_dialects: dict[str, tuple[Dialect, Any]] = {}
_make_engine = SQLAlchemy._make_engine


def _known(connection: Connection) -> None:
    """The dialect knows this server from an earlier engine."""


def forget() -> None:
    """Make the next engines anew. For a test that changes how a table is mapped."""
    _dialects.clear()


def _known_engine(made_by: SQLAlchemy, key: str | None, options: dict[str, Any], app: Flask) -> Any:
    """An engine that uses the SQL which earlier engines for this kind of database compiled. What is
    compiled is kept by dialect, so they share that, too, once it knows the server."""
    engine: Engine = _make_engine(made_by, key, options, app)
    own, kind = engine.dialect, f"{engine.dialect.driver} {options.get('isolation_level')}"
    if kind in _dialects:
        engine.dialect, engine._compiled_cache = _dialects[kind]
        own.initialize = _known  # type: ignore[method-assign]
        return engine
    learn = own.initialize

    def learned(connection: Connection) -> None:
        learn(connection)
        engine._compiled_cache = LRUCache(3000)
        _dialects.setdefault(kind, (own, engine._compiled_cache))

    own.initialize = learned  # type: ignore[method-assign]
    return engine


Flask.url_rule_class = KnownRule
Flask.jinja_environment = KnownEnvironment
SQLAlchemy._make_engine = _known_engine  # type: ignore[assignment, method-assign]
