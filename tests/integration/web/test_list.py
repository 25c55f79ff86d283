"""The list: who stands in it for whom, found, narrowed, ordered, paged; kept filters; a file; a step for many."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from html import unescape

import openpyxl
import pytest

from engine.core.commands import SetFacts, Start
from engine.steps import By
from tests.web_office import Client, PagesOffice, serving

PEOPLE: dict[str, tuple[str, str, dict[str, object]]] = {
    "u1": ("cb1", "Vũ Thị Ngọc Ánh", {"introduced_by": "doan1", "sex": "female"}),
    "u2": ("cb1", "Nguyễn Văn Đức", {"sex": "male", "is_pupil": True}),
    "u3": ("cb2", "Đỗ Thị Ân", {"sex": "female"}),
    "u4": ("cb1", "Lê Hữu Bình", {"sex": "male"}),
}


@pytest.fixture(scope="module")
def office() -> Iterator[PagesOffice]:
    with serving() as found:
        for id, (org, name, facts) in PEOPLE.items():
            command = Start(workflow="candidate", org=org, id=id, facts={"full_name": name})
            found.service.start(command, By(officer=f"{org}_clerk"))
            more = SetFacts(subject=id, facts=facts)
            found.service.set_facts(more, By(officer=f"{org}_clerk"))
        yield found


def names(page: str) -> list[str]:
    """Returns the names in the table, in its order."""
    return [unescape(n) for n in re.findall(r'<th scope="row"><a href="/subjects/[^"]+">([^<]+)</a>', page)]


def asked(client: Client, **given: str) -> list[str]:
    """Filters, follows, and returns the names; what was typed stands in no address."""
    answer = client.post("/list/candidate", given)
    assert answer.status_code == 303, answer.text
    for value in given.values():
        assert len(value) < 3 or value not in answer.headers["location"]
    return names(client.get(answer.headers["location"]).text)


def test_each_officer_sees_those_that_they_may_read_and_nobody_else(office: PagesOffice) -> None:
    everybody = ["Vũ Thị Ngọc Ánh", "Đỗ Thị Ân", "Lê Hữu Bình", "Nguyễn Văn Đức"]
    for officer, wanted in {
        "cb1_secretary": ["Vũ Thị Ngọc Ánh", "Lê Hữu Bình", "Nguyễn Văn Đức"],
        "cb2_clerk": ["Đỗ Thị Ân"],
        "cb3_secretary": [],
        "xa1_secretary": everybody,
        "xa2_secretary": [],
        "tu_inspector": everybody,
        "doan1_secretary": ["Vũ Thị Ngọc Ánh"],
    }.items():
        page = office.client(officer).get("/list/candidate")
        assert page.status_code == 200, officer
        assert names(page.text) == wanted, officer
    assert office.client("tu_admin").get("/list/candidate").status_code == 404


def test_names_are_found_without_marks_and_with_telex_left_over(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    for text in ("vu thi ngoc anh", "ánh vũ", "VUX", "ngocj anhs", "ngọc  a"):
        assert asked(client, text=text, states="*") == ["Vũ Thị Ngọc Ánh"], text
    assert asked(client, text="dduwcs") == ["Nguyễn Văn Đức"]
    assert asked(client, text="thi") == ["Vũ Thị Ngọc Ánh", "Đỗ Thị Ân"]
    for text in ("<zz>%", "%_'", "anx"):
        assert asked(client, text=text) == (["Vũ Thị Ngọc Ánh", "Đỗ Thị Ân"] if text == "anx" else [])
    found = client.post("/find", {"q": "do thi an"}, page="/")
    assert names(client.get(found.headers["location"]).text) == ["Đỗ Thị Ân"]


def test_a_list_is_narrowed_by_unit_stage_group_and_introducer(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    assert asked(client, unit="cb2") == ["Đỗ Thị Ân"]
    assert asked(client, states="elite") == []
    assert asked(client, narrow0="is_pupil=yes") == ["Nguyễn Văn Đức"]
    assert asked(client, narrow1="introduced_by=doan1") == ["Vũ Thị Ngọc Ánh"]
    assert asked(client, narrow3="sex=male") == ["Lê Hữu Bình", "Nguyễn Văn Đức"]
    assert asked(client, narrow3="sex=male", narrow0="is_pupil=yes", unit="cb1") == ["Nguyễn Văn Đức"]
    assert len(asked(client, unit="cb9", narrow0="x=y", order="z")) == 4, (
        "what is no choice of the page narrows nothing"
    )
    assert asked(office.client("cb1_secretary"), unit="cb2") != ["Đỗ Thị Ân"]


def test_a_guessed_view_cursor_or_state_shows_nothing_of_others(office: PagesOffice) -> None:
    mine, other = office.client("xa1_secretary"), office.client("xa2_secretary")
    view = mine.post("/list/candidate", {"text": "vu thi"}).headers["location"]
    answer = other.get(view)
    assert answer.status_code == 303, "a view is its session's own"
    assert names(other.get("/list/candidate/after/u1").text) == []
    assert names(office.client("cb2_clerk").get("/list/candidate/after/u1").text) == ["Đỗ Thị Ân"]
    assert mine.get("/list/candidate/at/nothing").status_code == 404
    assert mine.get("/list/probation").status_code == 404


def test_a_page_goes_on_after_its_last_row(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    assert names(client.get("/list/candidate/after/u3").text) == ["Lê Hữu Bình", "Nguyễn Văn Đức"]
    assert names(client.get("/list/candidate/at/source/after/u2").text) == []


def test_the_board_counts_what_the_officer_reads(office: PagesOffice) -> None:
    for officer, count in {"xa1_secretary": 4, "cb1_secretary": 3, "xa2_secretary": 0, "doan1_secretary": 1}.items():
        page = office.client(officer).get("/list/candidate").text
        assert re.findall(r'class="big">(\d+)', page)[0] == str(count), officer


def test_a_filter_is_kept_without_the_name_and_is_its_officers_own(office: PagesOffice) -> None:
    client = office.client("cb1_secretary")
    given = {"narrow3": "sex=male", "text": "duc", "name": "Nam giới"}
    kept = client.send("/list/candidate/saved", {**client.hidden("/list/candidate"), **given})
    page = client.get(kept.headers["location"]).text
    assert names(page) == ["Lê Hữu Bình", "Nguyễn Văn Đức"]
    assert "Nam giới" in client.get("/list/candidate").text
    other = office.client("cb1_clerk")
    assert "Nam giới" not in other.get("/list/candidate").text
    assert other.get(kept.headers["location"]).status_code == 404
    gone = other.send(kept.headers["location"] + "/forget", other.hidden("/list/candidate"))
    assert gone.status_code == 404
    assert client.send(kept.headers["location"] + "/forget", client.hidden("/list/candidate")).status_code == 303
    assert "Nam giới" not in client.get("/list/candidate").text
    unnamed = client.send("/list/candidate/saved", {**client.hidden("/list/candidate"), "narrow3": "sex=male"})
    assert unnamed.status_code == 400


def test_the_file_holds_what_the_officer_may_read_and_the_trail_says_who_took_it(office: PagesOffice) -> None:
    client = office.client("cb1_secretary")
    given = {**client.hidden("/list/candidate"), "narrow3": "sex=male"}
    answer = client.send("/list/candidate/file", given)
    assert answer.status_code == 200
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    cells = [str(c.value) for row in sheet.iter_rows() for c in row if c.value is not None]
    assert "Lê Hữu Bình" in cells
    assert "Nguyễn Văn Đức" in cells
    assert "Vũ Thị Ngọc Ánh" not in cells
    with office.service.work() as work:
        row = list(work.tx.events(kind="exported"))[-1]
    assert row.actor == "cb1_secretary"
    assert b'"count":2' in row.body.replace(b" ", b"")


def test_a_step_for_many_is_shown_first_and_then_said_row_by_row() -> None:
    with serving() as office:
        for id in ("u1", "u2"):
            facts = {"full_name": f"Nguyễn Văn {id}", "branch_proposed_on": "2025-01-10"}
            start = Start(workflow="candidate", org="cb1", id=id, facts=facts)
            office.service.start(start, By(officer="cb1_secretary"))
        client = office.client("xa1_secretary")
        form = [("csrf", client.hidden("/list/candidate")["csrf"]), ("step", "drop"), ("who", "u1"), ("who", "u2")]
        page = send(client, form)
        assert page.status_code == 200
        assert states(office) == ["source", "source"]
        form = [*hidden(page.text), ("f.drop_reason", ""), ("on", "21/01/2025"), ("confirmed", "yes")]
        assert send(client, form).status_code == 200
        assert states(office) == ["source", "source"], "without the reason that it asks for it goes through for nobody"
        form = [*hidden(page.text), ("on", "21/01/2025"), ("reason", "Chuyển đi xa")]
        reason = re.search(r'name="f.drop_reason".*?<option value="([a-z_]+)"', page.text, re.S)
        assert reason is not None
        form.append(("f.drop_reason", reason.group(1)))
        again = send(client, [*form, ("again", "yes")])
        assert states(office) == ["source", "source"], "looking records nothing"
        done = send(client, [*form, ("confirmed", "yes")])
        assert done.status_code == 200, done.text
        assert again.status_code == 200
        assert states(office) == ["closed", "closed"]
        size = len(list_events(office))
        assert send(client, [*form, ("confirmed", "yes")]).status_code == 200
        assert len(list_events(office)) == size, "sent twice, it is done once"


def test_what_differs_from_person_to_person_is_typed_in_each_row_of_a_step_for_many() -> None:
    with serving() as office:
        for id in ("u1", "u2"):
            facts = {"full_name": f"Nguyễn Văn {id}", "branch_proposed_on": "2025-01-10", "motives": "Cống hiến"}
            office.service.start(
                Start(workflow="candidate", org="cb1", id=id, facts=facts), By(officer="cb1_secretary")
            )
        client = office.client("xa1_secretary")
        form = [("csrf", client.hidden("/list/candidate")["csrf"]), ("step", "recognise"), ("who", "u1"), ("who", "u2")]
        page = send(client, form).text
        assert 'name="f.helper@u1"' in page
        assert 'name="f.papers' not in page, "what the step does not ask for has no place in a row"
        typed = [*hidden(page), ("on", "21/01/2025"), ("f.branch_proposed_on", "10/01/2025"),
                 ("f.helper", "Phạm Văn Dũng"), ("f.helper@u1", ""), ("f.helper@u2", "Nguyễn Văn Thịnh")]  # fmt: skip
        again = send(client, [*typed, ("again", "yes")]).text
        assert 'name="f.helper@u2" value="Nguyễn Văn Thịnh"' in again
        assert send(client, [*typed, ("confirmed", "yes")]).status_code == 200
        assert states(office) == ["elite", "elite"]
        helpers = [office.service.show(id)[1]["helper"] for id in ("u1", "u2")]
        assert helpers == ["Phạm Văn Dũng", "Nguyễn Văn Thịnh"]


def list_events(office: PagesOffice) -> list[str]:
    with office.service.work() as work:
        return [e.id for e in work.tx.events(kind="moved")]


def states(office: PagesOffice) -> list[str]:
    return [office.service.show(id)[0].subject.state for id in ("u1", "u2")]


def send(client: Client, pairs: list[tuple[str, str]]):
    from urllib.parse import urlencode

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return client.http.post("/list/candidate/step", content=urlencode(pairs), headers=kind)


def hidden(page: str) -> list[tuple[str, str]]:
    body = page[page.index('action="/list/candidate/step"') :]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', body)
    return [(unescape(n), unescape(v)) for n, v in found]


def test_whoever_may_add_somebody_finds_the_way_to_it_on_the_list(office: PagesOffice) -> None:
    for officer, may in {"cb1_clerk": True, "xa1_secretary": True, "tu_inspector": False}.items():
        page = office.client(officer).get("/list/candidate").text
        assert ('href="/start/candidate"' in page) == may, officer


def test_the_menu_marks_the_list_on_whichever_page_of_it(office: PagesOffice) -> None:
    client = office.client("xa1_secretary")
    for path in ("/list/candidate", "/list/candidate/at/source"):
        assert '<a href="/list" aria-current="page">' in client.get(path).text, path
    assert '<a href="/" aria-current="page">' not in client.get("/list/candidate").text
