from workbench.core.links import Page, Place, link


def test_a_link_carries_the_place_and_is_read_back():
    assert link(Page.REVIEW, "20260101-000000-a-0000", frame=0, track=3) == (
        "/review?run=20260101-000000-a-0000&frame=0&track=3"
    )
    assert link(Page.HOME) == "/"
    place = Place("20260101-000000-a-0000", 0, 3)
    assert Place.of(place.parameters()) == place


def test_what_is_no_number_is_no_frame():
    assert Place.of({"run": "", "frame": "-1", "track": "²"}) == Place()
