"""Who waits for a first page, and in which order they will begin."""

from ocr_grpc.turns import Turn, Turns, stride


class Places:
    """The extractions that have not begun, in the order that `FairSlots` will let them begin in.

    It keeps the same turns, counted in extractions: those of one caller begin in the order of their
    coming, and callers of one priority in turn.
    """

    def __init__(self) -> None:
        self._lines: dict[int, _Line] = {}

    @property
    def waiting(self) -> int:
        """How many have not begun."""
        return sum(line.waiting for line in self._lines.values())

    def take(self, caller: str, priority: int = 0, weight: float = 1.0) -> "Place":
        """Return a new place; smaller priorities are before it, and callers in turn.

        Raises:
            ValueError: the weight is not above 0.
        """
        stride(weight)  # refuses it here, before it stands in line
        line = self._lines.setdefault(priority, _Line())
        more_urgent = sum(line.waiting for queued, line in self._lines.items() if queued < priority)
        return Place(self, caller, priority, more_urgent + line.join(caller, weight))

    def leave(self, place: "Place", *, began: bool) -> None:
        """Take a place away; called by `Place` alone."""
        line = self._lines[place.priority]
        line.leave(place.caller, began=began)
        if not line.waiting:
            del self._lines[place.priority]


class Place:
    """One extraction's place in the queue, until it is left."""

    def __init__(self, places: Places, caller: str, priority: int, ahead: int) -> None:
        self._places: Places | None = places
        self.caller = caller
        self.priority = priority
        self.ahead = ahead
        """How many that stood in the queue when it came will begin before it."""

    def begin(self) -> None:
        """Say that the first page begins. May be called again, and after `leave`."""
        self._end(began=True)

    def leave(self) -> None:
        """Say that nobody wants it any more. May be called again, and after `begin`."""
        self._end(began=False)

    def _end(self, *, began: bool) -> None:
        places, self._places = self._places, None
        if places:
            places.leave(self, began=began)


class _Line:
    """Those of one priority."""

    def __init__(self) -> None:
        self._turns = Turns[str]()
        self._queues: dict[str, _Queue] = {}
        self.waiting = 0

    def join(self, caller: str, weight: float) -> int:
        """Let one more of a caller's wait; return how many will begin before it."""
        own = self._queues.setdefault(caller, _Queue())
        own.weight, own.stride = weight, stride(weight)
        self._turns.join(caller)
        turn = self._turns.turn(caller).after(own.waiting * own.stride)
        ahead = sum(
            queue.before(self._turns.turn(other), turn) for other, queue in self._queues.items()
        )
        own.waiting += 1
        self.waiting += 1
        return ahead

    def leave(self, caller: str, *, began: bool) -> None:
        """Let one less of a caller's wait; its turn is used up if it began."""
        own = self._queues[caller]
        own.waiting -= 1
        self.waiting -= 1
        if began:
            self._turns.took(caller, own.weight)
        if not own.waiting:
            del self._queues[caller]
            self._turns.leave(caller)


class _Queue:
    """How many of one caller wait, and how far apart they begin."""

    def __init__(self) -> None:
        self.waiting = 0
        self.weight = 1.0
        self.stride = stride(1.0)

    def before(self, first: Turn, turn: Turn) -> int:
        """Return how many of them, the first at its turn, have theirs before another turn."""
        # At the same time, whoever came first is first.
        distance = turn.at - first.at + (first.joined < turn.joined)
        return min(self.waiting, max(0, -(-distance // self.stride)))
