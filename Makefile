.PHONY: check format lint types test speed

check: format lint types test

format:
	ruff format --check .

lint:
	ruff check .

types:
	mypy

test:
	pytest --cov --cov-report=term
