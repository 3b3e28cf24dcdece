.PHONY: check format lint types test speed

check: format lint types test

format:
	ruff format --check .

lint:
	ruff check .

types:
	mypy

# README.md is checked too: tests/test_readme.py.
test:
	pytest --cov --cov-report=term

speed:
	python benchmarks/startup.py
