"""The order of the worklist: money at risk times nearness."""

from datetime import UTC, datetime, timedelta

from claims.priority import Waiting, days_left, order_key, risk_in_words, score

AT = datetime(2024, 8, 2, 9, tzinfo=UTC)


def waiting(
    claim_id: int = 1, held: int = 100_000, *, closes_in: int = 12, cure_in: int = 57, sent: int = 1
) -> Waiting:
    """A claim that waits; days from now on, or for `sent` before now."""
    return Waiting(
        claim_id,
        held,
        AT - timedelta(days=sent),
        AT + timedelta(days=closes_in),
        AT + timedelta(days=cure_in),
    )


def in_order(*claims: Waiting) -> list[int]:
    return [one.claim_id for one in sorted(claims, key=lambda one: order_key(one, AT))]


def test_of_two_claims_with_the_same_deadline_the_larger_comes_first() -> None:
    assert in_order(waiting(1, 100_000), waiting(2, 200_000)) == [2, 1]


def test_of_two_equal_amounts_the_nearer_deadline_comes_first() -> None:
    assert in_order(waiting(1, closes_in=12), waiting(2, closes_in=3)) == [2, 1]


def test_a_small_amount_that_is_lost_tomorrow_comes_before_a_larger_one_with_time() -> None:
    assert in_order(waiting(1, 500_000, closes_in=40), waiting(2, 50_000, closes_in=1)) == [2, 1]


def test_on_equal_terms_who_waits_longest_comes_first() -> None:
    assert in_order(waiting(1, sent=1), waiting(2, sent=5)) == [2, 1]


def test_after_the_claim_deadline_the_cure_deadline_counts() -> None:
    late = waiting(1, 100_000, closes_in=-5, cure_in=4)
    assert score(late, AT) == 100_000 * 1_000 // 5
    assert risk_in_words(late, AT) == "Expires if declined; if returned, 4 days left to mend it"


def test_the_words_tell_the_last_day_and_the_time_after_it() -> None:
    assert risk_in_words(waiting(closes_in=12), AT) == "If declined, 12 days left to claim it again"
    assert risk_in_words(waiting(closes_in=1), AT) == "If declined, 1 day left to claim it again"
    assert risk_in_words(waiting(closes_in=0, cure_in=0), AT) == "Expires if declined; too late to be mended"
    assert days_left(AT + timedelta(hours=23), AT) == 0
