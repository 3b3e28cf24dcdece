"""Small functions, each with one plain bug, and what a user would say of it.

No question names the function that it is about: an answer that does so has read it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bug:
    """A function of Python that is wrong in one line, by its name."""

    name: str
    question: str
    code: str


BUGS = (
    Bug(
        "late_fee",
        "A book that came back one day late costs 20, the most that we ever charge, and not the "
        "rate of one day. Why?",
        '''\
def late_fee(days, daily_rate):
    """What a reader pays for a book that came back late: 20 at most."""
    if days <= 0:
        return 0
    return max(days * daily_rate, 20)
''',
    ),
    Bug(
        "boiling_point",
        "Water that boils at 212 degrees Fahrenheit is shown as 324 degrees Celsius, not as 100. "
        "Why?",
        '''\
def boiling_point(liquid):
    """The temperature at which a liquid boils, in degrees Celsius."""
    fahrenheit = {"water": 212, "ethanol": 173, "mercury": 674}[liquid]
    return (fahrenheit - 32) * 9 / 5
''',
    ),
    Bug(
        "seats_left",
        "After each booking the theatre offers more free seats than before, not fewer. Why?",
        '''\
def seats_left(rows, seats_in_a_row, bookings):
    """How many seats of the theatre can still be booked."""
    capacity = rows * seats_in_a_row
    booked = sum(booking["seats"] for booking in bookings)
    return capacity + booked
''',
    ),
    Bug(
        "mean_rainfall",
        "The month's average rain is too high, and with the rain of a single day there is a "
        "ZeroDivisionError. Why?",
        '''\
def mean_rainfall(days):
    """The rain of an average day, in millimetres."""
    total = 0.0
    for day in days:
        total += day["rain"]
    return total / (len(days) - 1)
''',
    ),
    Bug(
        "fastest_runner",
        "The race is won by whoever took the longest time. Why?",
        '''\
def fastest_runner(results):
    """The name of the runner who needed the least time."""
    name, seconds = results[0]
    for other, needed in results[1:]:
        if needed > seconds:
            name, seconds = other, needed
    return name
''',
    ),
)
