from workbench.core.links import Page, PageLocation, build_address


def test_a_link_carries_the_place_and_is_read_back():
    assert build_address(Page.REVIEW, "20260101-000000-a-0000", frame=0, track=3) == (
        "/review?run=20260101-000000-a-0000&frame=0&track=3"
    )
    assert build_address(Page.HOME) == "/"
    place = PageLocation("20260101-000000-a-0000", 0, 3)
    assert PageLocation.from_query(place.to_query()) == place


def test_what_is_no_number_is_no_frame():
    assert PageLocation.from_query({"run": "", "frame": "-1", "track": "²"}) == PageLocation()
