"""A database that goes away between the last statement of a request and its end."""

import pytest
from sqlalchemy import make_url, text

from eventreg.storage.session import db
from tests.support.factories import House
from tests.support.postgresql import Cluster


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_request_ends_well_although_the_database_has_gone(
    house: House, cluster: Cluster, environment: dict[str, str]
) -> None:
    name = str(make_url(environment["EVENTREG_DATABASE_URL"]).database)
    with house.app.app_context():
        db.session.execute(text("SELECT 1"))
        cluster.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        )
    assert "Current Checked out connections: 0" in db.engine.pool.status()
    with house.app.app_context():
        assert db.session.execute(text("SELECT 1")).scalar_one() == 1
