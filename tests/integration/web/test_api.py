"""The interface for programs: the same service, one shape of errors, versions, keys, pages, limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from engine.core.commands import Start
from engine.core.errors import KetnapError
from engine.officework import OfficerChange
from engine.steps import By
from tests.web_office import PagesOffice, Program, serving
from tests.world import trail
from web.api.limits import Buckets, Rate
from web.api.problems import TooMany


@pytest.fixture(scope="module")
def office() -> Iterator[PagesOffice]:
    with serving() as served:
        yield served


@pytest.fixture
def person(office: PagesOffice) -> str:
    facts = {"full_name": "Trần Văn A", "religion": "none"}
    start = Start(workflow="candidate", org="cb1", facts=facts)
    return office.service.start(start, By(officer="cb1_clerk")).subject


def test_without_a_token_that_lives_there_is_nothing_but_the_description(office: PagesOffice) -> None:
    with httpx.Client(base_url=f"{office.base}/api", trust_env=False) as http:
        assert http.get("/openapi.json").json()["openapi"].startswith("3.")
        for secret in ("", "ketnap_" + "0" * 64):
            answer = http.get("/whoami", headers={"Authorization": f"Bearer {secret}"} if secret else {})
            assert (answer.status_code, answer.json()["code"]) == (401, "no_token")
            assert answer.headers["www-authenticate"] == "Bearer"
    program = Program(office, "cb1_clerk")
    assert program("GET", "/whoami", 200)["roles"] == [{"role": "clerk", "org": "cb1"}]
    assert program("DELETE", f"/tokens/{program.row.id[:12]}", 200) == {"ended": 1}
    program("GET", "/whoami", 401)


def test_a_token_ends_by_itself_and_with_its_officer() -> None:
    with serving() as office:
        program, gone = Program(office, "cb2_clerk"), Program(office, "cb1_clerk")
        office.service.put_officers([OfficerChange(id="cb1_clerk", disabled=True)], By(officer="tu_admin"))
        gone("GET", "/whoami", 401)
        office.clock.set(office.clock.now() + timedelta(days=29))
        program("GET", "/whoami", 200)
        office.clock.set(office.clock.now() + timedelta(days=1))
        program("GET", "/whoami", 401)


def test_a_token_does_what_it_was_made_for_and_no_more(office: PagesOffice, person: str) -> None:
    program = Program(office, "cb1_clerk", "read")
    assert program("GET", f"/subjects/{person}", 200)["state"] == "source"
    refused = program("PATCH", f"/subjects/{person}/facts", 403, json={"facts": {"motives": "x"}})
    assert refused["code"] == "no_scope"


def test_only_a_hash_of_a_token_is_kept_and_only_officers_make_their_own(office: PagesOffice) -> None:
    secret, row = office.service.tokens.make("cb1_clerk", "máy", ["read"], 1, By(officer="cb1_clerk"))
    with office.service.work() as work:
        kept = work.tx.token(row.id)
    assert secret not in repr(kept)
    assert secret.encode() not in b"".join(repr(e.detail).encode() for e in trail(office.service.kit.store))
    with pytest.raises(KetnapError):
        office.service.tokens.make("cb1_clerk", "máy", ["read"], 1, By(officer="tu_admin"))
    assert office.service.tokens.end("cb1_clerk", [row.id], By(officer="tu_admin")) == 1


def test_a_step_names_the_version_that_was_seen(office: PagesOffice, person: str) -> None:
    program = Program(office, "xa1_secretary")
    step = {"trigger": "drop", "facts": {"drop_reason": "other"}, "reason": "Xin thôi"}
    assert program("POST", f"/subjects/{person}/steps", 428, json=step)["code"] == "version_needed"
    assert program("POST", f"/subjects/{person}/steps", 412, json=step, headers={"If-Match": '"7"'})
    assert (
        program("POST", f"/subjects/{person}/steps", 400, json=step, headers={"If-Match": "7"})["field"] == "If-Match"
    )
    shown = program.http.get(f"/subjects/{person}")
    done = program("POST", f"/subjects/{person}/steps", 200, json=step, headers={"If-Match": shown.headers["etag"]})
    assert (done["from"], done["to"], done["version"]) == ("source", "closed", 2)
    undone = program("POST", f"/subjects/{person}/undo", 200, json={"reason": "Nhầm"}, headers={"If-Match": '"2"'})
    assert undone["to"] == "source"


def test_what_the_rules_refuse_is_one_error_with_every_rule(office: PagesOffice, person: str) -> None:
    program = Program(office, "xa1_secretary")
    step = {"trigger": "recognise", "facts": {"branch_proposed_on": "2025-01-15"}}
    refused = program("POST", f"/subjects/{person}/steps", 422, json=step, headers={"If-Match": '"1"'})
    assert refused["code"] == "refused"
    assert refused["to"] is None
    assert set(refused["unknown"]) == {"motives_known", "helper_named"}
    assert program("GET", f"/subjects/{person}", 200)["version"] == 1


def test_a_body_that_is_no_json_names_the_body_and_no_place_in_it(office: PagesOffice) -> None:
    program = Program(office, "xa1_secretary")
    wrong = program("POST", "/subjects", 400, content=b"{bad", headers={"Content-Type": "application/json"})
    assert wrong["detail"].startswith("body:")
    assert "field" not in wrong


def test_what_is_sent_again_with_its_key_is_done_once(office: PagesOffice, person: str) -> None:
    program, other = Program(office, "cb1_clerk"), Program(office, "cb1_secretary")
    path, headers = f"/subjects/{person}/facts", {"If-Match": '"1"', "Idempotency-Key": "lần 1".encode()}
    first = program("PATCH", path, 200, json={"facts": {"motives": "x"}}, headers=headers)
    assert program("PATCH", path, 200, json={"facts": {"motives": "x"}}, headers=headers) == first
    assert program("PATCH", path, 409, json={"facts": {"motives": "y"}}, headers=headers)["code"] == "conflict"
    assert other("PATCH", path, 412, json={"facts": {"motives": "x"}}, headers=headers)  # another's key is another
    assert len(program("GET", f"/subjects/{person}/history", 200)["items"]) == 2


def test_many_steps_go_together_or_not_at_all(office: PagesOffice, person: str) -> None:
    program = Program(office, "xa1_secretary")
    second = office.service.start(
        Start(workflow="candidate", org="cb2", facts={"full_name": "Lê B"}), By(officer="cb2_clerk")
    ).subject
    drop = {"trigger": "drop", "facts": {"drop_reason": "other"}, "version": 1}
    steps = [{"subject": person, **drop, "reason": "Xin thôi"}, {"subject": second, **drop}]
    refused = program("POST", "/steps", 422, json={"steps": steps})
    assert [i["refused"] for i in refused["items"]] == [[], ["reason_given"]]
    assert program("GET", f"/subjects/{person}", 200)["state"] == "source"
    steps[1]["reason"] = "Xin thôi"
    assert [i["to"] for i in program("POST", "/steps", 200, json={"steps": steps})["items"]] == ["closed", "closed"]


def test_sensitive_facts_are_covered_until_they_are_opened_with_a_purpose(office: PagesOffice, person: str) -> None:
    program = Program(office, "cb1_clerk")
    shown = program("GET", f"/subjects/{person}", 200)
    assert (shown["facts"]["religion"], shown["covered"]) == (None, ["religion"])
    assert program("GET", f"/subjects/{person}/history", 200)["items"][0]["facts"]["religion"] is None
    assert program("POST", f"/subjects/{person}/openings", 200, json={"purpose": "Xét"})["facts"]["religion"] == "none"
    opened = [e for e in trail(office.service.kit.store) if e.kind == "opened" and e.subject == person]
    assert {e.detail.get("through") for e in opened} >= {"show", "history", "facts"}
    assert program("POST", "/subjects/find", 400, json={"workflow": "candidate", "facts": {"religion": "none"}})


def test_lists_come_by_pages_whose_cursors_lead_on(office: PagesOffice) -> None:
    program = Program(office, "cb1_clerk")
    for n in range(3):
        begun = Start(workflow="candidate", org="cb1", id=f"page{n}", facts={"full_name": "Lê B"})
        office.service.start(begun, By(officer="cb1_clerk"))
    found, cursor = [], None
    while True:
        params = {"workflow": "candidate", "limit": 1, **({"cursor": cursor} if cursor else {})}
        page = program("GET", "/subjects", 200, params=params)
        found += [i["subject"] for i in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == sorted(set(found))
    assert len(found) >= 3
    for wrong in ("x", "////", "bnVsbA", "W10", "LTE"):
        assert program("GET", "/subjects", 400, params={"workflow": "candidate", "cursor": wrong})["field"] == "cursor"


def test_the_message_comes_in_the_language_that_is_asked_for(office: PagesOffice) -> None:
    program = Program(office, "cb1_clerk")
    said = {
        lang: program("GET", "/subjects/zzz9", 404, headers={"Accept-Language": lang})["detail"]
        for lang in ("vi", "en")
    }
    assert said == {"vi": "không có hồ sơ mang mã zzz9", "en": "there is no subject zzz9"}


def test_the_office_is_changed_by_whoever_may_where_they_may(office: PagesOffice) -> None:
    admin, clerk = Program(office, "tu_admin"), Program(office, "cb1_clerk")
    clerk("POST", "/orgs", 403, json={"id": "cb9", "kind": "branch", "name": "Chi bộ 9", "parent": "xa1"})
    body = {"id": "cb9", "kind": "branch", "name": "Chi bộ 9", "parent": "xa1"}
    assert admin("POST", "/orgs", 200, json=body)["created"] == 1
    assert admin("POST", "/orgs", 200, json=body)["unchanged"] == 1
    assert admin("PUT", "/officers/moi", 200, json={"name": "Mới", "org": "cb9", "roles": ["clerk"]})["created"] == 1
    assert clerk("GET", "/officers/moi", 404)["code"] == "not_found"
    day = {"day": "2025-02-03", "off": True}
    assert Program(office, "xa1_clerk")("POST", "/calendar", 200, json=day) == {"changed": 1}
    listed = clerk("GET", "/calendar", 200, params={"from": "2025-02-03", "to": "2025-02-03"})
    assert listed["items"] == [{"day": "2025-02-03", "off": True}]
    away = {"officer": "cb1_clerk", "stand_in": "cb1_deputy", "from": "2025-01-21", "until": "2025-01-22"}
    assert clerk("POST", "/substitutes", 200, json=away)
    assert Program(office, "cb1_deputy")("GET", "/whoami", 200)["acts_for"] == ["cb1_clerk"]
    assert Program(office, "cb3_secretary")("POST", "/substitutes", 404, json=away)


def test_notices_reports_and_the_trail_are_there_too(office: PagesOffice, person: str) -> None:
    inspector = Program(office, "tu_inspector")
    assert inspector("GET", "/reports", 200)["items"]
    assert inspector("GET", "/reports/monthly", 200, params={"period": "2025-01"})["report"] == "monthly"
    sheet = inspector.http.post("/reports/monthly", json={"period": "2025-01", "format": "xlsx", "purpose": "Kiểm tra"})
    assert sheet.content[:2] == b"PK"
    assert inspector("POST", "/audit/verify", 200)["ok"] is True
    found = inspector("GET", "/audit/events", 200, params={"org": "cb1", "subject": person})["items"]
    assert [e["kind"] for e in found][-1] == "started"
    ahead = {"from": "2025-01-21", "to": "2025-03-31"}
    told = Program(office, "xa1_secretary")("GET", "/notices/forecast", 200, params=ahead)["items"]
    assert told
    assert not [t for t in told if t["to"].startswith(("tu", "xa2", "cb3", "cs1"))]


def test_a_list_is_tried_before_it_comes_in_and_comes_in_whole_or_not_at_all(office: PagesOffice) -> None:
    program = Program(office, "tu_admin")
    rows = "id,name,org,roles\nnew1,Lê Văn C,cb2,clerk\nnew2,Lê Văn D,{org},clerk\n"
    sent = {"headers": {"Content-Type": "text/csv"}, "content": rows.format(org="cb1").encode()}
    assert program("POST", "/imports/officers", 200, **sent)["created"] == 2
    program("GET", "/officers/new1", 404)
    wrong = {**sent, "content": rows.format(org="cb99").encode()}
    refused = program("POST", "/imports/officers", 400, params={"dry_run": "false"}, **wrong)
    assert (refused["code"], [r["row"] for r in refused["rejected"]]) == ("bad_list", [3])
    assert program("POST", "/imports/officers", 200, params={"dry_run": "false"}, **sent)["ids"] == ["new1", "new2"]
    assert program("POST", "/imports/officers", 200, params={"dry_run": "false"}, **sent)["unchanged"] == 2
    assert Program(office, "cb1_clerk")("POST", "/imports/officers", 403, **sent)["code"] == "denied"


def test_a_bucket_is_empty_after_its_requests_and_fills_up_again() -> None:
    now = [0.0]
    buckets = Buckets(lambda: now[0])
    for _ in range(3):
        buckets.take("an", Rate(3, 60))
    with pytest.raises(TooMany):
        buckets.take("an", Rate(3, 60))
    buckets.take("ba", Rate(3, 60))
    now[0] = 1.0
    buckets.take("an", Rate(3, 60))


def test_guessing_tokens_makes_an_address_wait(office: PagesOffice) -> None:
    with httpx.Client(base_url=f"{office.base}/api", trust_env=False, headers={"Authorization": "Bearer x"}) as http:
        answers = [http.get("/whoami") for _ in range(40)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0
