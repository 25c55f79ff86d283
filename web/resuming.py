"""Back in a form after a session ended: it is shown as it was filled, and nothing is recorded by coming back."""

from __future__ import annotations

from starlette.responses import Response

from web.forms import RESUMED
from web.site import Handler, Visit


def resuming(look: Handler, record: Handler) -> Handler:
    """Returns what a form is posted to: `look` shows it filled to whoever comes back to it, `record` takes it.

    The form says that it can be shown again by the hidden field `again` (`hidden(again=true)` in the templates).
    """

    def handler(visit: Visit) -> Response:
        return (look if visit.form.has(RESUMED) else record)(visit)

    return handler
