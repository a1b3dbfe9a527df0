"""What an operation of the HTTP contract is; `contract` has all of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.api.parameters import Parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    `permission` is needed to call it; with none, being signed in is enough, or not even that if
    it is `public`. `body` names a component schema, as `answers` does by status. An answer without
    one has no body; with status 200, a file of one of the content types `media`.
    """

    id: str
    method: str
    path: str
    summary: str
    answers: Mapping[int, str]
    permission: str | None = None
    public: bool = False
    parameters: tuple[Parameter, ...] = ()
    body: str | None = None
    problems: tuple[str, ...] = ()
    any_query: bool = False
    media: tuple[str, ...] = ()

    @property
    def is_bounded(self) -> bool:
        """True for what is refused to a person who has read too much (`users.reading`).

        Changes are counted and never refused: an ecosystem must be switched off at any time.
        """
        is_for_machines = self.permission == "ecosystem-access:read"
        return self.method == "GET" and not self.public and not is_for_machines
