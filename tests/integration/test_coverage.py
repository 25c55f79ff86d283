"""The trail holds everything: every command and every page that changes or shows something leaves its event."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.main import app
from engine.core.commands import Start
from engine.ledger import read_body
from engine.steps import By
from engine.store.open import open_store
from engine.store.rows import EventRow
from tests.integration.cli.conftest import LISTS, Ketnap, plain
from tests.integration.web.test_access import routes
from tests.servers.http import WebServer
from tests.web_office import PagesOffice, serving
from web.access import table

NAME, SECRET = "Trần Văn Kiểm", "Đạo Lạ Kỳ"

# What does nothing to the office's database and shows nobody in it, and why; each such command must say so here.
ELSEWHERE = {
    "demo": "a sandbox of its own",
    "check": "reads workflow files only",
    "test": "plays scenarios in memory",
    "diagram": "reads workflow files only",
    "bench": "towns of its own",
    "witness": "another machine's program",
    "notices test-channel": "sends a test to a gateway, about nobody",
    "import all": "fills an empty database; see test_what_comes_into_another_database_leaves_its_event_there",
    "restore": "makes another database; see the same",
}

# Each other command as it is typed, in this order, with the kinds of events that it must leave, in the name of the
# officer of --as or else of the account; () for one that must show neither names nor facts. {token}: the token made
# before; a line "@ 2027-01-04 08:00" sets the clock.
TYPED: list[tuple[str, tuple[str, ...]]] = [
    ("init", ()),
    ("status", ()),
    ("import orgs to-chuc.csv --as qt", ("office_changed",)),
    ("import officers can-bo.csv --as qt", ("office_changed",)),
    ("user add moi --name Mới --org xa1 --role clerk --as qt", ("office_changed",)),
    ("user show moi", ()),
    ("user password moi --stdin --as qt", ("office_changed",)),
    ("user factor moi --give --as qt", ("access",)),
    ("user disable moi --as qt", ("office_changed",)),
    ("user code moi", ()),
    ("user token make lan --name Tổng --scope read --as lan", ("access",)),
    ("user token list lan --as lan", ()),
    ("user token end lan {token} --as lan", ("access",)),
    ("feed open lan --as lan", ("office_changed",)),
    ("feed close lan --as lan", ("office_changed",)),
    ("calendar add 2031-01-02 --off --as lan", ("office_changed",)),
    ("substitute add lan dao --from 2031-05-01 --until 2031-05-02 --as lan", ("office_changed",)),
    ("set u1 'occupation=Giáo viên' --as lan", ("facts_set",)),
    ("move u1 recognise --as lan", ("refused",)),
    ("move u1 recognise --as dao --fact branch_proposed_on=2024-03-01", ("denied",)),
    ("move u1 recognise --as lan --fact branch_proposed_on=2024-03-01", ("moved",)),
    ("undo u1 --as lan --reason Nhầm", ("undone",)),
    ("why u1", ("opened",)),
    ("show u1", ("opened",)),
    ("history u1", ("opened",)),
    ("similar u1", ("listed",)),
    ("transfers --org xa1", ()),
    ("form list", ()),
    ("form fill application u1 --as lan --out don.docx", ("opened", "exported")),
    ("report", ()),
    ("report yearly --year 2024", ("listed",)),
    ("report yearly --year 2024 --format xlsx --out bc.xlsx", ("exported",)),
    ("scores --year 2024", ()),
    ("notices list", ("listed",)),
    ("notices preview refused --subject u1", ("opened",)),
    ("notices forecast --from 2031-01-01 --to 2031-01-02", ()),  # it writes nothing: that is its promise
    ("whatif --workflows admission --as lan", ()),  # the same promise: it names ids, rules and units
    ("org found cb77 --kind branch --name 'Chi bộ 77' --parent xa1 --as qt", ("office_changed",)),
    ("org rename cb77 'Chi bộ 78' --as qt", ("office_changed",)),
    ("org show cb77", ()),
    ("org tree", ()),
    ("org list", ()),
    ("org mark xa1 decides_admissions --from 2026-01-01 --as qt", ("office_changed",)),
    ("org found xa7 --kind grassroots_committee --name 'Đảng ủy xã 7' --parent tu --as qt", ("office_changed",)),
    ("org move cb77 --under xa7 --as qt", ("office_changed",)),
    ("org found cb78 --kind branch --name 'Chi bộ 78' --parent xa1 --as qt", ("office_changed",)),
    ("org merge cb78 --into cb2 --as qt", ("office_changed",)),
    ("org found cb6a --kind branch --name 'Chi bộ 6a' --parent xa1 --as qt", ("office_changed",)),
    ("org found cb6b --kind branch --name 'Chi bộ 6b' --parent xa1 --as qt", ("office_changed",)),
    ("org split cb66 --into cb6a --into cb6b --as qt", ("office_changed",)),
    ("import terms nhiem-ky.csv --as qt", ("office_changed",)),
    ("user add bithu --name 'Bí Thư' --org tu --role secretary --as qt", ("office_changed",)),
    ("start candidate --id u9 --org cb1 --as lan --fact 'full_name=Người Chín'", ("started",)),
    ("import candidates danh-sach-doan-vien-uu-tu.csv --as lan", ("started",)),
    ("org close cbt --as qt", ("office_changed",)),
    ("import history lich-su.csv --as lan", ("started", "recorded")),
    ("import start target chi-tieu.csv --as bithu", ("started",)),
    ("start monthly_review --id hop --org xa1 --as lan --fact month=2026-12", ("started",)),
    ("sheet hop --as lan", ("listed",)),
    ("import decisions hop de-nghi.csv --trigger send_proposals --do add --fact branch=cb1 --as lan", ("moved",)),
    ("numbers training_class", ()),
    ("@ 2027-01-04 08:00", ()),
    ("run scheduler --once", ("started",)),
    ("audit rotate-key --as qt", ("signing_key",)),
    ("export --out het.json --as bithu", ("exported",)),
    ("audit verify", ()),
    ("audit search --subject u1", ()),
    ("audit diff u1 --from 2001-01-01", ("opened",)),
    ("audit supervise --org xa1 --from 2001-01-01", ("listed",)),
    ("audit supervise --org xa1 --from 2001-01-01 --out gs.html", ("exported",)),
    ("audit checkpoint", ("checkpoint",)),
    ("audit proof 1", ()),
    ("audit keys", ()),
    ("audit words --help", ()),
    ("audit export --out goi --as qt", ("exported",)),
    ("person export u1 --out u1.html --as lan", ("exported",)),
    ("person hold u1 --reason 'Khiếu nại' --as lan", ("held",)),
    ("person release u1 --reason Xong --as lan", ("released",)),
    ("person retention", ()),
    ("backup-key rieng.key", ()),
    ("backup --out . --passphrase-file mk.txt", ("backed_up",)),
    ("move u1 drop --as lan --fact drop_reason=moved --reason Đi", ("moved",)),
    ("person erase u1 --yes --reason 'Đơn 5' --basis Luật --as lan", ("key_erased",)),
]


# What is said of notices that went out or could not: typed in `test_what_is_said_of_notices_leaves_its_event`.
OF_NOTICES = (
    "notices retry {sent} --as lan",
    "notices resolve {sent} sent --as lan",
    "notices correct {sent} --reason Nhầm --as lan",
    "notices remind plan_reminder annual_plan-xa1-2024 --as hai",
    "notices cancel {queued} --reason 'Đã báo miệng' --as lan",
)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Gives the name of every command."""
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name)) if hasattr(command, "commands") else [" ".join((*path, name))]


def name_of(typed: str, known: set[str]) -> str:
    """Returns the command that a line types."""
    words = typed.split()
    return next(n for n in (" ".join(words[:3]), " ".join(words[:2]), words[0]) if n in known)


def test_every_command_is_in_one_of_these_lists() -> None:
    """A new command must say what it leaves in the trail."""
    known = set(commands(typer.main.get_command(app)))
    typed = {name_of(line, known) for line, _ in TYPED if line[0] != "@"}
    listed = typed | set(ELSEWHERE) | {name_of(line, known) for line in OF_NOTICES}
    assert known - listed == set()
    assert listed - known == set()


LISTED = {
    "nhiem-ky.csv": "officer,role,org,from,until\nlan,clerk,cb2,01/01/2016,31/12/2020\n",
    "de-nghi.csv": "Họ và tên,Chi bộ\nNgười Chín,cb1\n",
    "chi-tieu.csv": "org,target_kind,year,target_least,target_most,decision_no,decision_on\n"
    "tu,admissions,2026,50,60,1-NQ,10/08/2025\n",
    "lich-su.csv": "Họ và tên,Ngày sinh,Chi bộ,Ngày kết nạp,Số quyết định\n"
    "Lê Văn Cũ,20/05/1990,Chi bộ thôn 1,01/02/2020,1-QĐ\n",
}


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ketnap:
    """An office with an administrator and one person whose name and faith may be seen nowhere without an event."""
    plain(monkeypatch)
    for path in LISTS.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mk.txt").write_text("một mật khẩu đủ dài\n", encoding="utf-8")
    (tmp_path / "quan-tri.csv").write_text(
        "id,name,org,roles,email,phone\nqt,Quản Trị,tu,admin,qt@example.org,\n", encoding="utf-8"
    )
    for name, text in LISTED.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("KETNAP_NOW", "2026-12-30 08:00")
    made = Ketnap(tmp_path)
    made.run("init", "--sandbox")
    made.run("import", "orgs", "to-chuc.csv")
    made.run("import", "officers", "quan-tri.csv")
    made.run("import", "officers", "can-bo.csv", "--as", "qt")
    facts = (f"full_name={NAME}", "motives=Tốt", "helper=Võ Xuân Bảo", f"religion={SECRET}")
    given = (x for f in facts for x in ("--fact", f))
    made.run("start", "candidate", "--id", "u1", "--org", "cb1", "--as", "lan", *given)
    return made


def test_every_command_leaves_its_events_or_shows_nobody(office: Ketnap, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other in one office; what is expected to leave nothing must not show the name or the faith."""
    (office.folder / "can-bo.csv").write_text(
        "id,name,org,roles,email,phone\nlan,Nguyễn Thị Lan,xa1,secretary,lan@example.org,+84900000009\n"
        "dao,Trịnh Đào,xa1,clerk,dao@example.org,+84900000002\n",
        encoding="utf-8",
    )
    orgs = (office.folder / "to-chuc.csv").read_text(encoding="utf-8")
    (office.folder / "to-chuc.csv").write_text(orgs.rstrip("\n") + "\ncb66,branch,Chi bộ 66,xa1\n", encoding="utf-8")
    wrong: list[str] = []
    seen, token = len(_events(office)), ""
    for typed, kinds in TYPED:
        if typed.startswith("@"):
            monkeypatch.setenv("KETNAP_NOW", typed[2:])
            continue
        line = typed.replace("{token}", token)
        result = office.runner.invoke(app, shlex.split(line), input="Mật khẩu thật dài 99\n")
        new = _events(office)[seen:]
        seen += len(new)
        wrong += [f"{typed}: {kind} is not said of who did it" for kind in kinds if not _named(typed, kind, new)]
        if result.exit_code not in (0, 1, 3) or isinstance(result.exception, Exception):
            wrong.append(f"{typed}: ended with {result.exit_code}: {result.stderr[-200:]}")
        if not set(kinds) <= (left := {e.kind for e in new}):
            wrong.append(f"{typed}: leaves {left}, not {kinds}: {result.stdout[-300:]} {result.stderr[-300:]}")
        shown = result.stdout + result.stderr
        if not kinds and (NAME in shown or SECRET in shown):
            wrong.append(f"{typed}: shows a person and leaves nothing")
        if typed.startswith("user token make"):
            token = office.ask("user", "token", "list", "lan", "--as", "lan")[0]["id"]
    assert not wrong, "\n".join(wrong)


def _named(typed: str, kind: str, left: list[EventRow]) -> bool:
    """Tells whether an event of a kind names the officer of --as, or without one the account."""
    asked = re.search(r"--as (\w+)", typed)
    of_kind = [e for e in left if e.kind == kind]
    if asked is not None:
        return any(e.actor == asked[1] for e in of_kind)
    return any(read_body(e).get("account") for e in of_kind)


# What `the`, who holds no role, does for lan, who is away.
INSTEAD: list[tuple[str, str]] = [
    ("set u1 'occupation=Giáo viên' --as the", "facts_set"),
    ("move u1 recognise --as the", "refused"),
    ("move u1 recognise --as the --fact branch_proposed_on=2026-12-01", "moved"),
    ("undo u1 --as the --reason Nhầm", "undone"),
    ("calendar add 2031-01-02 --off --as the", "office_changed"),
    ("form fill application u1 --as the --out don.docx", "opened"),
    ("start candidate --id u2 --org cb1 --as the --fact 'full_name=Người Hai'", "started"),
    ("person hold u1 --reason 'Khiếu nại' --as the", "held"),
    ("person release u1 --reason Xong --as the", "released"),
    ("substitute add dao lan --from 2031-05-01 --until 2031-05-02 --as the", "office_changed"),
]


def test_what_a_substitute_types_names_both(office: Ketnap) -> None:
    """Nobody chooses for whom at the command: what one's own roles do not allow is done for the absent officer."""
    (office.folder / "the.csv").write_text("id,name,org,roles\nthe,Người Thế,cb2,inspector\n", encoding="utf-8")
    office.run("import", "officers", "the.csv", "--as", "qt")
    office.run("substitute", "add", "lan", "the", "--from", "2026-12-30", "--until", "2026-12-30", "--as", "qt")
    wrong: list[str] = []
    for typed, kind in INSTEAD:
        before = len(_events(office))
        result = office.runner.invoke(app, shlex.split(typed))
        left = {(e.kind, e.actor, e.behalf) for e in _events(office)[before:]}
        if (kind, "the", "lan") not in left:
            wrong.append(f"{typed}: {left} {result.stderr[-300:]}")
    assert not wrong, "\n".join(wrong)


def test_what_comes_into_another_database_leaves_its_event_there(office: Ketnap) -> None:
    """A copy says for good that it is one; what came as history says so too."""
    made = office.ask("backup", "--out", ".", "--passphrase-file", "mk.txt")
    office.run("--db", "sqlite:///khac.db", "restore", made["file"], "--passphrase-file", "mk.txt")
    assert "restored" in _kinds(office, "khac.db")
    office.run("user", "add", "bithu", "--name", "Bí Thư", "--org", "tu", "--role", "secretary", "--as", "qt")
    office.run("export", "--out", "het.json", "--as", "bithu")
    office.run("--db", "sqlite:///moi.db", "init", "--sandbox")
    office.run("--db", "sqlite:///moi.db", "import", "all", "het.json")
    assert {"office_changed", "started"} <= set(_kinds(office, "moi.db"))


def test_what_is_said_of_notices_leaves_its_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web_server: WebServer
) -> None:
    """A gateway refuses a message, and does not answer the next time; then somebody is reminded by hand."""
    plain(monkeypatch)
    monkeypatch.chdir(tmp_path)
    orgs = (LISTS / "to-chuc.csv").read_text(encoding="utf-8")
    officers = "id,name,org,roles,email,phone\nlan,Lan,xa1,secretary,,+84900000001\nhai,Hải,tcnv,clerk,,\n"
    for name, text in {
        "to-chuc.csv": orgs.rstrip("\n") + "\ntcnv,organisation_agency,Cơ quan Tổ chức,tu\n",
        "can-bo.csv": officers,
        "ketnap.toml": f'sandbox_sends = true\n[channels.kannel]\nurl = "http://127.0.0.1:{web_server.port}/"\n'
        'user = "u"\npassword = "p"\n',
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    made = Ketnap(tmp_path)
    monkeypatch.setenv("KETNAP_NOW", "2023-12-29 08:00")
    made.office()
    monkeypatch.setenv("KETNAP_NOW", "2024-01-02 08:00")
    web_server.answers += [(400, {}), None]
    made.run("run", "--once")
    ids = {"sent": made.ask("notices", "list", "--state", "refused")[0]["id"], "queued": ""}
    for line in OF_NOTICES:
        if "remind" in line:
            monkeypatch.setenv("KETNAP_NOW", "2024-01-12 09:00")
            web_server.answers += [(503, {})] * 99  # so that something waits
        if "cancel" in line:
            ids["queued"] = made.ask("notices", "list", "--state", "queued")[0]["id"]
        before = len(_events(made))
        made.run(*shlex.split(line.format(**ids)))
        by = line.split()[-1]
        assert [e.kind for e in _events(made)[before:] if e.actor == by] == ["notice"], line
        if "retry" in line:
            made.run("run", "--once")  # what became of it is not known


def _events(office: Ketnap, name: str = "ketnap.db") -> list[EventRow]:
    store = open_store(f"sqlite:///{office.folder / name}")
    with store.transaction(write=False) as unit:
        found = list(unit.events())
    store.close()
    return found


def _kinds(office: Ketnap, name: str = "ketnap.db") -> list[str]:
    return [e.kind for e in _events(office, name)]


# ---- pages ----


PLACES = {
    "{subject}": "u1", "{trigger}": "recognise", "{names}": "religion", "{workflow}": "candidate", "{state}": "source",
    "{form}": "application", "{org}": "cb1", "{officer}": "xa1_secretary",
}  # fmt: skip


def test_every_page_that_shows_a_person_leaves_an_event() -> None:
    """Each route is asked for as an officer who may read the person; whatever shows the name or the faith was noted."""
    with serving() as office:
        facts = {"full_name": NAME, "religion": SECRET}
        office.service.start(Start(workflow="candidate", org="cb1", id="u1", facts=facts), By(officer="cb1_clerk"))
        client, shown, wrong = office.client("xa1_secretary"), 0, []
        for n, path in enumerate(sorted(path for method, path in table(routes()) if method == "GET")):
            client = client if n % 20 else office.client("xa1_secretary")  # a session does not last the whole walk
            office.clock.set(office.clock.now() + timedelta(minutes=11))  # so that it is no repeated opening
            if client.get("/account").status_code == 401:  # the day of a session is over
                client = office.client("xa1_secretary")
            before = _noted(office)
            text = client.get(re.sub(r"\{[a-z_]+\}", lambda m: PLACES.get(m[0], "x"), path)).text
            if NAME in text or SECRET in text:
                shown += 1
                wrong += [path] if _noted(office) == before else []
        assert wrong == []
        assert shown > 1


def _noted(office: PagesOffice) -> int:
    with office.service.work() as work:
        return sum(e.kind in ("opened", "listed", "exported") for e in work.tx.events())
