"""A real connection on which one call goes wrong: everything before it and all that follows is real."""

from dataclasses import dataclass, field
from typing import Any, cast

from domtune.connection import Connection


@dataclass
class Fault:
    call: str  # of a connection or a domain, by the product's own name: create, typed, live_xml, stats, resume
    error: BaseException
    late: bool = False  # the call is made, and then goes wrong all the same
    seen: list[bool] = field(default_factory=list)  # whether the domain's CPUs were stopped at that time
    done: bool = False


@dataclass
class Faulty:
    """Stands for a connection, or for a domain that was found or created on it."""

    real: Any
    fault: Fault

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  as what it stands for
        found = getattr(self.real, name)
        if name == self.fault.call and not self.fault.done:
            return self.failing(found)
        return self.giving(found) if name in {"create", "domain"} else found

    def failing(self, found: Any) -> Any:  # noqa: ANN401
        def call(*words: Any, **options: Any) -> None:  # noqa: ANN401
            self.fault.done = True
            if self.fault.late:
                found(*words, **options)
            if hasattr(self.real, "is_paused"):
                self.fault.seen.append(self.real.is_paused)
            raise self.fault.error

        return call

    def giving(self, found: Any) -> Any:  # noqa: ANN401
        return lambda *words, **options: Faulty(found(*words, **options), self.fault)


def faulty(connection: Connection, fault: Fault) -> Connection:
    return cast("Connection", Faulty(connection, fault))
