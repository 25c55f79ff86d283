"""The command itself: the groups of commands, the options of every command, and the exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli import (
    accounts,
    asking,
    audit,
    backups,
    bench,
    demo,
    feed,
    files,
    forms,
    lists,
    moving,
    notices,
    office,
    organisations,
    persons,
    reporting,
    running,
    scores,
    setup,
    sheets,
    similar,
    stepping,
    whatif,
    witness,
)
from cli.session import Session

FLAGS = ("--json",)
VALUED = ("--db", "--lang")


def pull(args: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Takes the options of every command out of the arguments, wherever they stand before a `--`.

    Raises typer.BadParameter for one without its value.
    """
    found: dict[str, Any] = {}
    rest: list[str] = []
    waiting = list(args)
    while waiting:
        arg = waiting.pop(0)
        name, equals, value = arg.partition("=")
        if arg == "--":
            rest += [arg, *waiting]
            break
        if arg in FLAGS:
            found["as_json"] = True
        elif name in VALUED and (equals or waiting):
            found[name.removeprefix("--")] = value if equals else waiting.pop(0)
        elif name in VALUED:
            raise typer.BadParameter(f"Option '{name}' requires an argument.")
        else:
            rest.append(arg)
    return found, rest


class Root(TyperGroup):
    """The command: takes the options of every command from anywhere, turns errors into exit codes."""

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Runs one call and ends the process with its exit code."""
        code = self._run(list(sys.argv[1:] if args is None else args), prog_name or "ketnap", extra)
        if standalone_mode:
            sys.exit(code)
        return code

    def _run(self, args: list[str], name: str, extra: dict[str, Any]) -> int:
        from engine.core.errors import KetnapError

        session = Session(as_json="--json" in args)
        try:
            found, rest = pull(args)
            session = Session(**found)
            code = super().main(args=rest, prog_name=name, standalone_mode=False, obj=session, **extra)
            return code if isinstance(code, int) else 0
        except KetnapError as error:
            from cli.failing import report

            return report(session, error)
        except (typer.Abort, KeyboardInterrupt):
            return 130
        except BrokenPipeError:
            sys.stderr.close()  # nobody reads any more, and Python would complain of it at its end
            return 0
        except typer.TyperException as error:
            return _usage(session, error)
        except OSError as error:
            from cli.backups import full
            from cli.failing import report

            return report(session, full(error, "-"))
        finally:
            session.close()


def _usage(session: Session, error: typer.TyperException) -> int:
    """Says that the command was not typed as it must be. Without any argument, the help is the answer."""
    from cli.failing import report_usage

    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" and context is not None:
        session.note(context.get_help())
        return 2
    return report_usage(session, error.format_message(), context.get_usage() if context is not None else None)


app = typer.Typer(
    name="ketnap",
    cls=Root,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Workflows whose every step has its rule, its source and its place in a trail that can be verified.",
)


@app.callback()
def options(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
    db: Annotated[
        str | None, typer.Option("--db", metavar="URL", help="The database (KETNAP_DB), else sqlite:///ketnap.db.")
    ] = None,
    lang: Annotated[str | None, typer.Option("--lang", metavar="vi|en", help="Language, else LANG decides.")] = None,
) -> None:
    """Workflows whose every step has its rule, its source and its place in a trail that can be verified.

    The options --json, --db and --lang may stand before or after the command.
    """


for group in (
    setup,
    demo,
    lists,
    moving,
    stepping,
    asking,
    office,
    accounts,
    files,
    whatif,
    forms,
    organisations,
    reporting,
    notices,
    feed,
    scores,
    sheets,
    similar,
    persons,
    running,
    audit,
    witness,
    backups,
    bench,
):
    group.register(app)


def main() -> None:
    """Runs the command."""
    app()
