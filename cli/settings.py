"""Settings: the environment (KETNAP_*), then `ketnap.toml`, then what is usual."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from engine.core.errors import BadInput
from engine.core.suggestions import suggest
from reports.letters import Letter

FILE = "ketnap.toml"
USUAL_DB = "sqlite:///ketnap.db"


class Settings(BaseSettings):
    """What an office may set. Every field is `KETNAP_<FIELD>` in the environment and `<field>` in ketnap.toml."""

    model_config = SettingsConfigDict(env_prefix="KETNAP_", toml_file=FILE, extra="forbid", frozen=True)

    db: str = Field(USUAL_DB, description="the database: sqlite:///file.db or postgresql://user@host/name")
    lang: Literal["vi", "en"] | None = Field(None, description="language of what people read; else LANG decides")
    master_key: str | None = Field(None, description="the master key itself, where no file may hold it")
    master_key_file: Path | None = Field(None, description="its file; else beside the SQLite file, with .key")
    signing_key: str | None = Field(None, description="the key that signs checkpoints, where no file may hold it")
    signing_key_file: Path | None = Field(None, description="its file; else beside the SQLite file, with .signing.key")
    witness_url: str | None = Field(None, description="a witness of the trail (ketnap witness on another machine)")
    witness_key: str | None = Field(None, description="the public key of that witness")
    workflows: Path | None = Field(None, description="folder of workflows instead of the shipped ones")
    forms: Path | None = Field(None, description="folder of Word files that take the place of shipped forms")
    office: Path | None = Field(
        None, description="file of the office's own changes of notice rules; else office.yaml beside the SQLite file"
    )
    base_url: str = Field("", description="address of the pages, for the links in notices")
    maildir: Path | None = Field(None, description="folder that gets notices as mail files, a mailbox for each address")
    mail_from: str = Field("ketnap@localhost.localdomain", description="address that notices come from")
    mail_name: str = Field("Ketnap", description="name beside that address")
    channels: dict[str, Any] = Field(
        default_factory=dict,
        description="tables of the channels, see the guide; KETNAP_CHANNELS_<TABLE>_<KEY> in the environment",
    )
    sms: Literal["kannel", "smpp", "gammu"] | None = Field(
        None, description="the channel of text messages, where several are set up"
    )
    sandbox_sends: bool = Field(False, description="true: a sandbox really sends, instead of keeping files")
    host: str = Field("127.0.0.1", description="where `run` and `run web` listen; this machine only, unless set")
    port: int = Field(8713, ge=0, le=65535, description="the port they listen on; 0: any that is free")
    letter: Letter = Field(
        default_factory=Letter,
        description="table of the office's own names on its documents: above, issuer, issuer_code, number, place, "
        "on_behalf, title, signer, recipients",
    )
    proxied: bool = Field(False, description="true: a proxy of yours in front says who asks (X-Forwarded-For)")
    oidc_issuer: str | None = Field(
        None,
        description="issuer's address of an identity provider through which officers may sign in; needs base_url",
    )
    oidc_client: str = Field("ketnap", description="the name under which that provider knows this program")
    oidc_secret: str | None = Field(None, description="and the secret, where the provider asks for one")
    oidc_claim: str = Field(
        "preferred_username", description="the claim that is an officer's account; else a verified e-mail address is"
    )
    backup_dir: Path | None = Field(None, description="folder for backups; where it is set, `run` makes them by itself")
    backup_every_hours: int = Field(24, ge=1, le=8760, description="how long after a backup `run` makes the next one")
    backup_keep_days: int = Field(
        35, ge=1, le=3660, description="older backups are deleted, but never the newest three"
    )
    backup_passphrase_file: Path | None = Field(None, description="file whose first line seals the backups")
    backup_public_key: str | None = Field(None, description="or the public key they are sealed for: ketnap backup-key")
    now: str | None = Field(None, description="a sandbox's clock begins here; refused elsewhere")
    token: str | None = Field(None, description="an officer's token, for --as outside a sandbox")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings passes it by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in the call wins, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def read_settings(**given: object) -> Settings:
    """Reads the settings; those given win. Raises BadInput naming the setting, or the file that is no TOML."""
    try:
        return Settings(**{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            near = suggest(name, Settings.model_fields)
            if near is None:
                raise BadInput("there is no setting {name}", name=name) from None
            raise BadInput("there is no setting {name}; did you mean {near}?", name=name, near=near) from None
        raise BadInput("setting {name}: {why}", name=name, why=first["msg"]) from None
    except (ValueError, OSError) as error:
        raise BadInput("{file} is not valid TOML: {why}", file=FILE, why=str(error)) from None


def language(given: str | None, environ: Mapping[str, str] = os.environ) -> Literal["vi", "en"]:
    """Returns `en` when it is asked for, or the locale is English; else `vi`. Raises BadInput."""
    if given is not None:
        if given not in ("vi", "en"):
            raise BadInput("{lang} is not a language of this program; there are: vi, en", lang=given)
        return "en" if given == "en" else "vi"
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "en" if locale.lower().startswith("en") else "vi"
