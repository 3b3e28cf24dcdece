.PHONY: check format lint types test docs packages packaging speed torture long-prompt

check: format lint types test

format:
	ruff format --check .

lint:
	ruff check .

types:
	mypy
	mypy tests

# README.md is checked too: tests/test_readme.py.
test:
	pytest --cov --cov-report=term

# What the documentation takes from the code; a test says when it is old.
docs:
	python docs/generate.py

# The wheel and the sdist, built and checked.
packages:
	.ci/packaging build

# Minutes long, gigabytes large: the wheel installed by pip, pipx and uv, and with each extra alone.
packaging:
	.ci/packaging

speed:
	python benchmarks/startup.py

# Minutes long: docs/robustness.md has what it does and what came of it.
torture:
	python tests/torture/faults.py --rounds 200
	python tests/torture/many_files.py

# Minutes long: Code Llama's longest prompt, and the memory that it takes.
long-prompt:
	LONG_PROMPT_TOKENS=100000 pytest -q tests/test_models_long_prompt.py
