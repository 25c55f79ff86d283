"""What every part of a file is made of: the base of the models, names, expressions, texts in both languages."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


def listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


# One name may stand without brackets.
ONE_OR_MORE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

Names = Annotated[list[Name], BeforeValidator(listed), WithJsonSchema(ONE_OR_MORE)]


class Model(BaseModel):
    """The base of every part of a file: no key beyond those named, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Text(Model):
    """A text that people read, in both languages."""

    vi: str = Field(description="in Vietnamese")
    en: str = Field(description="in English")

    def of(self, lang: str) -> str:
        """Returns the text in `lang`, `vi` or `en`."""
        return self.en if lang == "en" else self.vi


# Clauses of the document that an area carries out, such as `1.3`.
Clauses = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=40)]],
    BeforeValidator(listed),
    WithJsonSchema(ONE_OR_MORE),
]
