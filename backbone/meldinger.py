"""Text that people read: Fluent message catalogues in bokmål, one `nb.ftl` in each package that speaks.

A message is what is wrong, or simply the text; its attribute `.gjor` says what to do about it.
"""

from functools import cache
from importlib import resources

from fluent.runtime import FluentBundle, FluentResource

Argument = str | int | float


class UnknownMessage(LookupError):
    """A text that the catalogue lacks, or an argument it needs and did not get: a bug, so it's loud."""


class Messages:
    """The texts of one package."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._bundle = FluentBundle(["nb"], use_isolating=False)
        source = resources.files(package).joinpath("nb.ftl").read_text("utf-8")
        self._bundle.add_resource(FluentResource(source))

    def __contains__(self, code: str) -> bool:
        return self._bundle.has_message(code)

    def text(self, code: str, **args: Argument) -> str:
        """Raises UnknownMessage."""
        return self._format(code, None, args)

    def action(self, code: str, **args: Argument) -> str:
        """What the reader should do. Raises UnknownMessage."""
        return self._format(code, "gjor", args)

    def _format(self, code: str, attribute: str | None, args: dict[str, Argument]) -> str:
        if not self._bundle.has_message(code):
            raise UnknownMessage(f"{self._package}: {code}")
        message = self._bundle.get_message(code)
        pattern = message.attributes.get(attribute) if attribute else message.value
        if pattern is None:
            raise UnknownMessage(f"{self._package}: {code}.{attribute}")
        text, errors = self._bundle.format_pattern(pattern, args)
        if errors:
            raise UnknownMessage(f"{self._package}: {code}: {errors[0]}")
        return str(text)


@cache
def messages(package: str) -> Messages:
    """The catalogue of `package`, read once."""
    return Messages(package)
