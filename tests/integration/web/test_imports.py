"""Lists on the pages: every row is shown before anything is recorded, and hostile files change nothing."""

from __future__ import annotations

import io
import re
import zipfile
from html import unescape

import httpx
import pytest

from tests.web_office import Client, PagesOffice, serving

LIST = "STT,Họ và tên,Ngày sinh,Chi bộ\n1,Nguyễn Thị Hoa,02/03/1999,cb1\n2,Trần Văn Bình,05/06/1998,cb1\n"


@pytest.fixture(scope="module")
def office():
    with serving() as made:
        yield made


@pytest.fixture(scope="module")
def clerk(office: PagesOffice) -> Client:
    return office.client("xa1_clerk")


def text(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def bring(client: Client, data: bytes, name: str = "ds.csv", kind: str = "candidates") -> httpx.Response:
    """Uploads a list and follows to what it would do."""
    fields = {**client.hidden("/imports"), "kind": kind, "on": ""}
    answer = client.http.post("/imports", data=fields, files={"list": (name, data)})
    return follow(client, answer)


def follow(client: Client, answer: httpx.Response) -> httpx.Response:
    for _ in range(200):
        if answer.status_code != 303:
            if answer.request.url.path.startswith("/work/") and "http-equiv" in answer.text:
                answer = client.get(answer.request.url.path)
                continue
            return answer
        answer = client.get(answer.headers["location"])
    raise AssertionError("it never ends")


def people(office: PagesOffice) -> list[str]:
    with office.service.work() as work:
        rows = work.tx.find_subjects(workflow="candidate")
        return sorted(str(c.subject.facts["full_name"]) for c in work.adopt(rows))


def test_every_row_is_shown_and_recorded_only_when_that_was_seen(office: PagesOffice, clerk: Client) -> None:
    shown = bring(clerk, LIST.encode())
    assert shown.status_code == 200
    told = text(shown.text)
    assert "Nguyễn Thị Hoa mới" in told
    assert "Chưa ghi gì" in told
    assert people(office) == []
    path = shown.request.url.path
    taken = follow(clerk, clerk.post(path, {}))
    assert "Danh sách đã vào" in text(taken.text)
    assert people(office) == ["Nguyễn Thị Hoa", "Trần Văn Bình"]
    again = text(bring(clerk, LIST.encode()).text)
    assert "giữ nguyên: 2" in again
    assert people(office) == ["Nguyễn Thị Hoa", "Trần Văn Bình"]


def test_a_list_with_a_rejected_row_says_why_and_cannot_be_taken_in(office: PagesOffice, clerk: Client) -> None:
    before = people(office)
    shown = bring(clerk, (LIST + "3,Lê Văn Ba,31/02/1999,cb1\n4,Lê Văn Tư,30/02/1999,cb9\n").encode())
    told = text(shown.text)
    assert "bị loại: 2" in told
    assert "Lê Văn Ba bị loại" in told, "whose row it is"
    assert "cb9" in told
    assert "Lấy danh sách vào" not in told
    answer = clerk.send(shown.request.url.path, clerk.hidden("/imports"))
    assert answer.status_code == 400
    assert people(office) == before


def bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr("xl/worksheets/sheet1.xml", b"0" * 400_000_000)
    return made.getvalue()


def entities() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("[Content_Types].xml", '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><Types>&b;</Types>')
    return made.getvalue()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "ds.csv"),
        (b"MZ\x90\x00", "ds.exe"),
        (b"PK\x03\x04 damaged", "ds.xlsx"),
        (bomb(), "ds.xlsx"),
        (entities(), "ds.xlsx"),
        (b"x" * (11 * 2**20), "ds.csv"),
        ("Họ và tên\n=cmd|' /C calc'!A0\n".encode(), "../../etc/ds.csv"),
        (LIST.encode("utf-16"), "ds.csv"),
    ],
    ids=["empty", "kind", "damaged", "bomb", "entities", "huge", "formula", "encoding"],
)
def test_a_hostile_or_damaged_file_changes_nothing(office, clerk, data, name) -> None:
    before = people(office)
    answer = bring(clerk, data, name)
    assert answer.status_code in (200, 400, 413)
    assert "root:" not in answer.text
    assert people(office) == before


def test_a_preview_belongs_to_whoever_brought_the_list(office: PagesOffice, clerk: Client) -> None:
    shown = bring(clerk, LIST.encode())
    other = office.client("xa2_secretary")
    assert other.get(shown.request.url.path).status_code == 404
    assert other.send(shown.request.url.path, other.hidden("/imports")).status_code == 404
    assert office.client("tu_inspector").get("/imports").status_code == 404


def test_an_administrator_brings_units_and_officers_but_no_people(office: PagesOffice) -> None:
    admin = office.client("tu_admin")
    assert 'value="candidates"' not in admin.get("/imports").text
    assert bring(admin, LIST.encode()).status_code == 400
    shown = bring(admin, b"id,kind,name,parent\ncb7,branch,Chi bo Bay,xa1\ncb1,branch,cb1,xa1\n", "dv.csv", "orgs")
    assert "Chi bo Bay mới" in text(shown.text)
    follow(admin, admin.post(shown.request.url.path, {}))
    assert office.service.organisations.on()[1].by_id["cb7"].parent == "xa1"
    table = "id,name,org,roles\nmoi7,Lê Thị Bảy,cb7,clerk\n".encode()
    shown = bring(admin, table, "cb.csv", "officers")
    follow(admin, admin.post(shown.request.url.path, {}))
    assert "Lê Thị Bảy" in admin.get("/officers").text


def test_the_good_rows_of_a_list_with_a_bad_one_say_what_they_will_do(office: PagesOffice, clerk: Client) -> None:
    before = people(office)
    shown = bring(clerk, (LIST + "3,Đỗ Thị Năm,01/02/1997,cb1\n4,,01/02/1996,cb1\n").encode())
    told = text(shown.text)
    assert "Đỗ Thị Năm mới" in told
    assert "bị loại: 1" in told
    assert people(office) == before
