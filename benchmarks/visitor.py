"""An officer's browser that goes through the pages for `web`: what it saw, how long each took, what it wrote."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from benchmarks.office import Place
from benchmarks.pages import Page

if TYPE_CHECKING:
    import httpx

WRITES = 3  # facts that a visitor writes one after the other
WRITTEN = "facts written"  # what a visitor does beside looking at pages
PROCESSOR = "x-processor"  # the header by which the server says how many seconds of processor time a page took


@dataclass
class Seen:
    """What the clients saw: by page the seconds of each answer, on the wall and on the server's processor; and
    faults."""

    times: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    conflicts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def took(self, page: str, wall: float, processor: float) -> None:
        """Takes down one answer."""
        with self.lock:
            self.times.setdefault(page, []).append((wall, processor))

    def conflict(self) -> None:
        """Takes down that somebody else had written meanwhile."""
        with self.lock:
            self.conflicts += 1


VERSION = re.compile(r'name="version" value="(\d+)"')
REFUSED = (403, 404)  # to whom a page is not


class Visitor:
    """An officer's browser: goes through the pages, and writes a fact of one person."""

    def __init__(self, base: str, secret: str, place: Place, ids: Mapping[str, str], seen: Seen) -> None:
        self.base, self.place, self.last = base, place, ""
        self._secret, self._ids, self._seen = secret, ids, seen

    def browser(self) -> httpx.Client:
        """Returns a client that bears the officer's session."""
        import httpx

        return httpx.Client(base_url=self.base, cookies={"ketnap": self._secret}, timeout=600, trust_env=False)

    def may(self, pages: Sequence[Page]) -> list[Page]:
        """Returns those of the pages to which the officer may come."""
        found = []
        with self.browser() as http:
            text = ""
            for page in pages:
                path = self._address(http, page, text)
                answer = None if path is None else http.get(path)
                if answer is not None and answer.status_code >= 400 and answer.status_code not in REFUSED:
                    raise RuntimeError(f"{page.name}: {answer.status_code}")
                fine = answer is not None and answer.status_code == 200
                text = answer.text if answer is not None and fine else ""
                found += [page] * fine
        return found

    def go(self, pages: Sequence[Page], often: Mapping[str, int], times: int, begin: int) -> None:
        """Goes through the pages, so many times, beginning at one of them. What fails is said in `seen`."""
        import httpx

        starts = [n for n, page in enumerate(pages) if not page.follows]
        at = starts[begin * 7 % len(starts)]
        with self.browser() as http:
            try:
                for n in range(times):
                    if self.place.fact:  # at once with whoever writes of the same person
                        for turn in range(WRITES):
                            self._write(http, n * WRITES + turn)
                    self._round(http, [*pages[at:], *pages[:at]], often if n == 0 else {})
            except (RuntimeError, httpx.HTTPError) as error:
                self._seen.faults.append(f"{type(error).__name__}: {error}")

    def look(self, pages: Sequence[Page]) -> None:
        """Goes through pages once."""
        with self.browser() as http:
            self._round(http, pages, {})

    def _round(self, http: httpx.Client, pages: Sequence[Page], often: Mapping[str, int]) -> None:
        text = ""
        for page in pages:
            path = self._address(http, page, text)
            if path is None:
                text = ""
                continue
            for _ in range(often.get(page.name, 1)):
                text = self._ask(http, page.name, path)

    def _address(self, http: httpx.Client, page: Page, before: str) -> str | None:
        """Returns where a page is, after posting what leads there; None where the page before has no such link, or
        the officer may not post."""
        if page.follows:
            found = re.search(page.follows, before)
            return found.group(1) if found is not None else None
        path = page.path.format(**self._ids)
        if page.posted is None:
            return path
        answer = http.post(path, **self._form({k: v.format(**self._ids) for k, v in page.posted.items()}))
        if answer.status_code in REFUSED:
            return None
        if answer.status_code != 303:
            raise RuntimeError(f"{page.name}: {answer.status_code} for what was posted")
        return str(answer.headers["location"])

    def _ask(self, http: httpx.Client, page: str, path: str) -> str:
        start = time.perf_counter()
        answer = http.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{page}: {answer.status_code}")
        self._seen.took(page, time.perf_counter() - start, float(answer.headers[PROCESSOR]))
        return answer.text

    def _form(self, posted: Mapping[str, str]) -> dict[str, Any]:
        from web.session import token_of

        content = urlencode({"csrf": token_of(self._secret), **posted})
        return {"content": content, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}

    def _write(self, http: httpx.Client, n: int) -> None:
        """Writes a fact that another officer does not; where the other was first, looks anew and writes again."""
        fact, at = self.place.fact, f"/subjects/{self.place.person}/facts/{self.place.fact}"
        value = f"{self._secret[:6]} {n} {time.monotonic_ns()}"
        for _ in range(50):
            page = http.get(at).text
            shown = VERSION.search(page)
            form = {f"f.{fact}": value, "version": shown.group(1) if shown is not None else ""}
            start = time.perf_counter()
            answer = http.post(at, **self._form(form))
            if answer.status_code == 303:
                self._seen.took(WRITTEN, time.perf_counter() - start, float(answer.headers[PROCESSOR]))
                self.last = value
                return
            if answer.status_code != 409:
                raise RuntimeError(f"{WRITTEN}: {answer.status_code}")
            self._seen.conflict()
        raise RuntimeError(f"{WRITTEN}: somebody else was always first")
