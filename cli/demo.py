"""`demo`: the sample town plays the main job in a sandbox, by the same commands that an office types."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.session import Session
from engine.core.errors import BadInput
from engine.steps import By

if TYPE_CHECKING:
    from rich.console import Console

TOWN = Path(__file__).resolve().parent.parent / "examples" / "town"
DATABASE, MAIL, COPY = "town.db", "mail", "edited-copy.db"
MARK = ".ketnap-demo"  # only a folder that carries it is made anew


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(demo)


def demo(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where the sandbox is made.")] = Path("demo"),
) -> None:
    """Show the main job in a sample town: a list, the plans of January, a person to admission, the trail verified.

    Example: ketnap demo
    """
    session: Session = ctx.obj
    if folder.exists() and not (folder / MARK).exists():
        raise BadInput("{folder} exists and is no demo of ours; choose another with --folder", folder=str(folder))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()
    show = Show(session=session, folder=folder)
    with _environment({}):
        for part in (set_up, january, person, trail, accounts, ending):
            part(show)
    if session.as_json:
        session.write_json(show.told)


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Puts the environment back afterwards."""
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass(kw_only=True)
class Show:
    """What is shown, and what came of it."""

    session: Session
    folder: Path
    told: dict[str, object] = field(default_factory=dict)

    @property
    def console(self) -> Console:
        """Where it is shown: beside the answer when a program asks."""
        return self.session.console(err=self.session.as_json)

    def say(self, template: str, /, **params: object) -> None:
        """Says a sentence in the reader's language."""
        self.console.print(self.session.say(template, **params), soft_wrap=True)

    def head(self, template: str, /) -> None:
        """Begins a part."""
        self.console.print()
        self.console.rule(self.session.say(template), align="left")

    def at(self, time: str) -> None:
        """Sets the sandbox's clock for the commands that follow."""
        os.environ["KETNAP_NOW"] = time

    def run(self, *args: str, expect: int = 0, quiet: bool = False, db: str = DATABASE) -> int:
        """Types a command and shows it; it must end with the exit code expected."""
        from cli.main import app

        os.environ["KETNAP_DB"] = f"sqlite:///{self.folder / db}"
        os.environ["KETNAP_MASTER_KEY_FILE"] = str(self.folder / f"{DATABASE}.key")
        os.environ["KETNAP_MAILDIR"] = str(self.folder / MAIL)
        os.environ["KETNAP_LANG"] = self.session.lang
        if not quiet:
            now = os.environ.get("KETNAP_NOW", "")
            self.console.print(f"\n[{now}] $ ketnap {shlex.join(args)}", soft_wrap=True, style="bold")
        with _silence(quiet or self.session.as_json):
            code = int(app(list(args), standalone_mode=False) or 0)
        if code != expect:
            raise BadInput("the demo stopped: {command} ended with {code}", command=shlex.join(args), code=code)
        return code

    def move(
        self, who: str, trigger: str, officer: str, facts: Mapping[str, str], on: str | None = None, expect: int = 0
    ) -> None:
        """Types a step of a subject."""
        given = [word for name, value in facts.items() for word in ("--fact", f"{name}={value}")]
        late = [] if on is None else ["--on", on]
        self.run("move", who, trigger, "--as", officer, *late, *given, expect=expect)


@contextmanager
def _silence(quiet: bool) -> Iterator[None]:
    from contextlib import redirect_stderr, redirect_stdout
    from io import StringIO

    if not quiet:
        yield
        return
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        yield


# ---- the parts ----


def set_up(show: Show) -> None:
    """A sandbox with the town's organisations, officers and an Excel list."""
    show.head("1. A town: 12 grassroots committees, 60 branches, and a list in Excel")
    show.at("2022-12-28 08:00")
    show.run("init", "--sandbox")
    show.run("import", "orgs", str(TOWN / "organisations.csv"))
    show.run("import", "officers", str(TOWN / "officers.csv"))
    show.run("import", "candidates", str(TOWN / "candidates.xlsx"), "--as", "bt_x5")


def january(show: Show) -> None:
    """January 2023: the plans are due before 25/01, which lies in Tet."""
    show.head("2. January 2023: the yearly plans, due before 25/01, which lies in Tet")
    for day, units in (("2023-01-10", ("x1", "x2", "x5")), ("2023-01-18", ("x3", "x4", "x6", "ca", "qs"))):
        show.at(f"{day} 09:00")
        for i, unit in enumerate(units):
            args = (
                "move",
                f"annual_plan-{unit}-2023",
                "receive",
                "--as",
                "minh",
                "--fact",
                f"document_no={10 + i}-KH/DU",
            )
            show.run(*args, quiet=i > 0)
    show.at("2023-01-27 10:00")
    show.run("move", "annual_plan-x7-2023", "receive", "--as", "minh", "--fact", "document_no=31-KH/DU")
    show.run("show", "annual_plan-x7-2023")
    mails = sorted((show.folder / MAIL).rglob("new/*"))
    show.told["mails"] = len(mails)
    show.say(
        "{n} mails were written to {folder}; this is one of them, of the last working day before Tet:",
        n=len(mails),
        folder=str(show.folder / MAIL),
    )
    shown = next((m for m in mails if "bt_x7@" in str(m) and "19 Jan 2023" in _mail(m)), mails[-1])
    show.console.print(_mail(shown), soft_wrap=True, style="dim")


def _mail(path: Path) -> str:
    from email import message_from_bytes, policy

    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",))
    text = body.get_content().strip() if body is not None else ""
    return f"  Date: {message['Date']}\n  To: {message['To']}\n  Subject: {message['Subject']}\n\n" + "\n".join(
        f"  {line}" for line in text.splitlines()
    )


def person(show: Show) -> None:
    """One person of the list, from source to admitted, with one step refused and mended."""
    show.head("3. One person of the list, from the first stage to admission")
    who = _chosen(show)
    show.told["person"] = who
    show.at("2023-02-10 09:00")
    show.move(
        who,
        "recognise",
        "bt_x5",
        {
            "branch_proposed_on": "2023-02-06",
            "motives": "Muốn được cống hiến, rèn luyện trong tổ chức Đảng",
            "helper": "Trần Văn Bảy",
            "helper_is_formal": "true",
            "helper_together_since": "2021-03-01",
        },
    )
    show.at("2023-04-20 09:00")
    certificate = {"certificate_no": "0118/2023", "certificate_on": "2023-04-18"}
    show.move(who, "certify", "tam", {**certificate, "certificate_issuer": "Trung tâm Chính trị thị xã"})
    show.at("2023-05-05 09:00")
    papers = "{certificate: 2023-04-18, application: 2023-05-04, life_history: 2023-05-04}"
    show.move(who, "open_dossier", "bt_x5_1", {"application_on": "2023-05-04", "papers": papers})
    show.at("2023-06-12 09:00")
    _review(show, who)
    show.run("set", who, "papers.committee_resolution=2023-06-12", "--as", "bt_x5")
    show.at("2023-07-14 09:00")
    decision = {"decision_no": "215-QĐ/TU", "decision_on": "2023-07-12"}
    show.move(who, "admit", "bithu", decision, on="2023-07-12")
    show.run("history", who)


def _review(show: Show, who: str) -> None:
    """The branch's review, entered three days after it met; refused until the second referrer is known."""
    vote = {"branch_reviewed_on": "2023-06-09", "formal_members": "12", "formal_present": "11", "votes_for": "10"}
    show.say("The branch has met, but only one referrer is known. Refused, with the rule, its source and the mend:")
    show.move(who, "branch_review", "bt_x5_1", vote, on="2023-06-09", expect=1)
    papers = (
        "{life_verification: 2023-05-20, referral: 2023-05-22, opinions: 2023-05-25, branch_resolution: 2023-06-09}"
    )
    mended = {"second_referrer": "Lê Thị Sáu", "second_referrer_is_formal": "true", "papers": papers}
    show.move(who, "branch_review", "bt_x5_1", {**vote, **mended}, on="2023-06-09")


def _chosen(show: Show) -> str:
    """Returns the first person of the first branch whose whole birth date the list gives."""
    from cli.bootstrap import open_database
    from engine.ledger import Via

    opened = open_database(Session(db=os.environ["KETNAP_DB"]).settings, Via(channel="cli"), show.session.lang)
    with closing(opened.store), opened.service.work() as work:
        cases = work.adopt(work.tx.find_subjects(workflow="candidate", orgs=["x5_1"]))
        return next(c.subject.id for c in cases if "birth_date" in c.subject.facts and "education" in c.subject.facts)


def trail(show: Show) -> None:
    """The trail verifies; an edit made straight in a copy of the database is caught."""
    show.head("4. The trail: verified, and an edit past the program is caught")
    show.run("audit", "verify")
    source, copy = show.folder / DATABASE, show.folder / COPY
    with closing(sqlite3.connect(source)) as db, closing(sqlite3.connect(copy)) as target:
        db.backup(target)
    with closing(sqlite3.connect(copy)) as db, db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f'DROP TRIGGER "{name}"')
        db.execute(
            "UPDATE events SET body = CAST(replace(CAST(body AS TEXT), '2023-07-12', '2023-06-12') AS BLOB)"
            " WHERE \"trigger\" = 'admit' AND kind = 'moved'"
        )
    show.say("In a copy of the database somebody with its password dates the decision a month earlier:")
    show.run("audit", "verify", expect=1, db=COPY)


# An officer of each role, by whom the pages can be looked at: the accounts of the town's officers.csv.
ACCOUNTS = ("bithu", "phobithu", "vanphong", "minh", "tam", "kiemtra", "quantri", "doan", "bt_x5", "cb_x5", "bt_x5_1")
ADMINISTRATOR = "quantri"
PASSWORD = "hoa-lam-2023"  # noqa: S105 - a sandbox's, shown on the screen


def accounts(show: Show) -> None:
    """Accounts by which the pages can be looked at, one for each role."""
    from cli.bootstrap import open_database
    from engine.ledger import Via
    from engine.officework import OfficerChange
    from engine.passwords import hash_password
    from web.codes import TimedCodes

    show.head("5. The pages: an account for each role")
    database = f"sqlite:///{show.folder / DATABASE}"
    opened = open_database(Session(db=database).settings, Via(channel="cli"), show.session.lang)
    hashed, rows = hash_password(PASSWORD), []
    with closing(opened.store):
        service = opened.service
        service.set_up().officers(OfficerChange(id=id, password=hashed) for id in ACCOUNTS)
        with service.work() as work:
            area, office = work.library.area, work.office
            found = [
                (office.officers[id], [h.role for h, _ in office.holdings(office.officers[id])]) for id in ACCOUNTS
            ]
            names = {o.id: office.tree.by_id[o.org].name for o, _ in found}
        for officer, roles in found:
            coded = not area.second_factor.isdisjoint(roles)
            if coded:
                service.accounts.give_factor(
                    officer.id, TimedCodes(service.kit.clock.now).secret(), By(officer=ADMINISTRATOR)
                )
            labels = [area.file.roles[r].label.of("en" if show.session.lang == "en" else "vi") for r in roles]
            rows.append((officer.id, ", ".join(labels), names[officer.id], coded))
    base = f"KETNAP_DB=sqlite:///{show.folder / DATABASE} ketnap"
    _show_accounts(show, rows, base)
    now = os.environ.get("KETNAP_NOW", "")
    show.say("Start the pages, then open http://127.0.0.1:8713 in a browser:")
    show.console.print(f'  KETNAP_NOW="{now}" {base} run', soft_wrap=True)
    show.told["accounts"] = [{"login": r[0], "password": PASSWORD, "code": r[3]} for r in rows]


def _show_accounts(show: Show, rows: Sequence[tuple[str, str, str, bool]], base: str) -> None:
    from rich.table import Table

    say = show.session.say
    table = Table(say("Sign-in name"), say("Password"), say("One-time code"), say("Role"), say("Unit"))
    for login, role, unit, coded in rows:
        table.add_row(login, PASSWORD, f"ketnap user code {login}" if coded else "", role, unit)
    show.console.print(table)
    show.say("A one-time code is shown by: {command}", command=f"{base} user code bithu")


def ending(show: Show) -> None:
    """What to do next."""
    show.head("6. What to type next")
    base = f"KETNAP_DB=sqlite:///{show.folder / DATABASE} ketnap"
    who = str(show.told["person"])
    for line in (
        f"{base} why {who}",
        f"{base} show {who} --as-of 2023-05-10",
        f"{base} notices list --state sent",
        f"{base} diagram candidate",
        "ketnap test workflows/admission/scenarios/*.yaml",
        "ketnap --help",
    ):
        show.console.print(f"  {line}", soft_wrap=True)
    show.say("The first ten minutes are in README.md.")
