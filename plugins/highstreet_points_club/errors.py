"""What can go wrong with points; each says what to do."""

from highstreet.sdk import Conflict


class NotEnoughPoints(Conflict):
    """More points were to be spent than can be spent. `missing`: how many."""

    type = "not-enough-points"

    def __init__(self, detail: str, *, missing: int = 0) -> None:
        super().__init__(detail)
        self.missing = missing


class RewardClosed(Conflict):
    """The reward was redeemed, released, returned or has ended."""

    type = "reward-closed"
