"""A waitlisted guest at the door."""

import pytest

from eventreg.core.models.registration import Registration
from eventreg.core.registration import lookup
from eventreg.storage.session import reading
from tests.support.factories import PASSWORD, House, local
from tests.support.houses import with_seats
from tests.support.pages import Page, get, sign_in

pytestmark = pytest.mark.both_databases
small = with_seats(2)


def test_a_waitlisted_guest_cannot_be_checked_in_at_the_door(small: House) -> None:
    small.hire()
    small.register("王一", "王二")
    small.register("张桂芳", waitlist=True)
    small.now = local("2030-06-10 08:50")
    dora = small.client()
    sign_in(dora, "dora", PASSWORD)
    (waiting,) = lookup.party(
        reading(), reading().query(Registration).filter_by(state="waitlisted").one()
    )
    form = next(form for form in get(dora, "/door/small/").forms if "attendee" in form.fields)
    refused = Page(dora.post(form.action, data={**form.fields, "attendee": waiting.public_id}))
    assert (refused.status, "在候补名单上" in refused.text) == (409, True)
    assert refused.data["data-arrived"] == "0"
