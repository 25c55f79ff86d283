"""After the program began anew: sessions go on; a page whose view or work was kept in memory says that it is gone."""

from __future__ import annotations

from collections.abc import Iterable

from engine.clock import SetClock
from engine.core.commands import Start
from engine.service import Service
from engine.steps import By
from engine.store.ports import Store
from tests.watching import WatchingStore
from tests.web_office import PagesOffice, serving
from tests.who_may import PAGES
from tests.world import wire

GONE = "không còn được giữ: đã lâu, hoặc chương trình vừa khởi động lại."
WORKFLOWS = ("admission", "training_class")
# officer, where a form is posted, what is typed, where it leads, and where the page is without it
ASKED: tuple[tuple[str, str, dict[str, str], str, str], ...] = (
    ("xa1_secretary", "/list/candidate", {"text": "ánh"}, "/list/{workflow}/view/{view}", "/list/candidate"),
    ("tcnv_clerk", "/grid/annual_plan/2025/narrow", {"state": "late"}, "/grid/{workflow}/{period}/view/{view}",
     "/grid/annual_plan/2025"),
    ("ttct_trainer", "/matters/training_class/numbers", {"text": "1"}, "/matters/{workflow}/numbers/view/{view}",
     "/matters/training_class/numbers"),
    ("tu_admin", "/officers", {"q": "thư ký"}, "/officers/view/{view}", "/officers"),
    ("xa1_secretary", "/scores", {"year": "2024"}, "/scores/view/{view}", "/scores"),
    ("tu_inspector", "/inspection", {"period_first": "01/01/2025"}, "/inspection/period/{view}", "/inspection"),
    ("tu_inspector", "/inspection/search", {"person": "ánh"}, "/inspection/search/{view}", "/inspection"),
)  # fmt: skip
# Those whose view is that of another one above, with more in the address.
MORE = {"/list/{workflow}/view/{view}/after/{subject}", "/inspection/lists/{what}/{view}"}


def again(store: Store, clock: SetClock) -> tuple[Service, Iterable[str]]:
    """Finds the office that stands in the store, as a program does that begins anew."""
    return wire(store, clock), ()


def test_every_page_that_shows_what_was_asked_for_says_when_a_restart_forgot_it() -> None:
    shown = {path for method, path in PAGES if method == "GET" and "{view}" in path}
    assert {a[3] for a in ASKED} | MORE == shown, "a new page with a view in its address needs a line here"
    store = WatchingStore()
    with serving(store, workflows=WORKFLOWS) as office:
        facts = {"full_name": "Vũ Thị Ngọc Ánh", "birth_date": "1996-08-14"}
        office.service.start(Start(workflow="candidate", org="cb1", id="u1", facts=facts), By(officer="cb1_secretary"))
        officers = {a[0] for a in ASKED}
        clients = {o: office.client(o) for o in officers}
        led = [(who, clients[who].post(to, typed, back).headers["location"], back) for who, to, typed, _, back in ASKED]
        assert all(clients[who].get(at).status_code == 200 for who, at, _ in led)
        made = clients["xa1_secretary"].post("/reports/monthly", {"period": "month:2025-01"}).headers["location"]
        cookies = {o: c.http.cookies["ketnap"] for o, c in clients.items()}
    with serving(store, found=again) as office:
        view = led[-2][1].rpartition("/")[2]
        led += [("xa1_secretary", led[0][1] + "/after/u1", "/list/candidate"),
                ("tu_inspector", f"/inspection/lists/late/{view}", "/inspection/lists/late")]  # fmt: skip
        for who, at, back in led:
            _says_so(office, cookies[who], at, back)
        client = office.client()
        client.http.cookies.set("ketnap", cookies["xa1_secretary"])
        answer = client.get(made)
        assert answer.status_code == 404
        assert GONE in answer.text


def _says_so(office: PagesOffice, session: str, at: str, back: str) -> None:
    client = office.client()
    client.http.cookies.set("ketnap", session)
    answer = client.get(at)
    assert (answer.status_code, answer.headers.get("location")) == (303, back), at
    page = client.get(back)
    assert page.status_code == 200, back
    assert GONE in page.text, at
    assert "hãy tìm hoặc lọc lại" in page.text
    assert GONE not in client.get(back).text, "it is said once"
