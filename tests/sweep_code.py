"""A repository with one planted bug among many small functions, for the tests of the sweep."""

MODULES = 12
FUNCTIONS = 8


def module(number: int) -> str:
    """Functions that all speak of rates and invoices; one of them in one module is wrong."""
    lines = ['"""Rates."""', ""]
    if number:
        lines += [f"from bank.rates{number - 1} import rate_{number - 1}_0", ""]
    for n in range(FUNCTIONS):
        name = f"rate_{number}_{n}"
        lines += [
            "",
            f"def {name}(amount, invoice):",
            f'    """The rate of invoice kind {n} of book {number}."""',
            f"    rounded = round(amount * {n + 2} / {number + 3}, 2)",
            "    if rounded < 0:",
            f'        raise ValueError("a rate below zero: invoice {n}")',
            f"    return rate_{number - 1}_0(rounded, invoice)"
            if number and not n
            else "    return rounded",
            "",
        ]
    return "\n".join(lines) + "\n"


BANK = {f"bank/rates{number}.py": module(number) for number in range(MODULES)}
BANK_QUESTION = "why is the rate of an invoice rounded below zero"
