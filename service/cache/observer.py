"""Who wants to know what the cache does."""


class Observer:
    """Is told of every computation; this one takes no notice."""

    def computed(self, name: str, seconds: float) -> None:
        """A part of that name was computed in `seconds`."""

    def failed(self, name: str) -> None:
        """A part of that name could not be had."""

    def waited(self, name: str) -> None:
        """A part of that name is being computed by another process, which this one waits for."""
