"""Each kind of secret is found by its value alone, and what only looks like one is left alone."""

import string
from random import Random

import pytest

from repoqa.secrets.find import find
from repoqa.secrets.mask import masked
from repoqa.secrets.values import entropy, is_words, looks_random

ALPHANUMERIC = string.ascii_letters + string.digits
HEXADECIMAL = "0123456789abcdef"
CODE, SETTINGS, GIVEN = "app/login.py", "deploy/app.yaml", ""


def random_text(length: int, alphabet: str = ALPHANUMERIC) -> str:
    """The same text for the same length: no file of this repository holds a whole token."""
    return "".join(Random(length).choices(alphabet, k=length))


AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + random_text(43)
TOKENS = {
    "AKIA" + "IOSFODNN7EXAMPLE": "AWS key",
    "ASIA" + random_text(16, string.ascii_uppercase + "234567"): "AWS key",
    "ghp_" + random_text(36): "GitHub token",
    "ghs_" + random_text(36): "GitHub token",
    "github_pat_" + random_text(22) + "_" + random_text(59): "GitHub token",
    "glpat-" + random_text(20): "GitLab token",
    "xoxb-" + "123456789012-1234567890123-" + random_text(24): "Slack token",
    "sk_live_" + random_text(24): "Stripe key",
    "rk_test_" + random_text(24): "Stripe key",
    "AIza" + random_text(35): "Google key",
    "GOCSPX-" + random_text(28): "Google key",
    "sk-proj-" + random_text(48): "API key",
    "sk-" + "abcdefghijklmnopqrstuvwxyz123456": "API key",
    "sk-ant-api03-" + random_text(80) + "-" + random_text(12) + "AA": "Anthropic key",
    "hf_" + random_text(34): "Hugging Face token",
    "npm_" + random_text(36): "npm token",
    "pypi-AgE" + random_text(90): "PyPI token",
    "SG." + random_text(22) + "." + random_text(43): "SendGrid key",
    "SK" + random_text(32, HEXADECIMAL): "Twilio key",
    "123456789:AA" + random_text(33): "Telegram token",
    "dop_v1_" + random_text(64, HEXADECIMAL): "DigitalOcean token",
    "AGE-SECRET-KEY-1" + random_text(58, string.ascii_uppercase + string.digits): "age key",
    JWT: "JSON web token",
}


@pytest.mark.parametrize("path", [CODE, SETTINGS, GIVEN])
@pytest.mark.parametrize(("token", "kind"), TOKENS.items(), ids=list(TOKENS.values()))
def test_a_token_is_told_by_its_form_wherever_it_stands(token: str, kind: str, path: str) -> None:
    for before, after in (("", ""), ('call("', '")'), ("x=", "&y=1"), (r"\n", r"\n"), ("<a>", "<")):
        text = f"first line\n{before}{token}{after}\nlast line"
        (secret,) = find(text, path=path)
        assert (text[secret.start : secret.end], secret.kind) == (token, kind)


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_in_a_longer_word_is_not_one(token: str) -> None:
    assert not find(f"{random_text(3)}{token[: len(token) // 2]}", path=CODE)


# What stands between the marks is the secret.
PLACES = [
    (CODE, "postgres://user:«hunter2pw»@db.internal/x"),
    (CODE, "redis://:«p4ssw0rd»@host:6379"),
    (CODE, f"https://«{random_text(40, HEXADECIMAL)}»@host/x"),
    (CODE, f"https://hooks.slack.com/services/«T0123ABCD/B0123ABCD/{random_text(24)}»"),
    (CODE, f"AccountName=x;AccountKey=«{random_text(86)}==»;"),
    (CODE, f'"Authorization": "Bearer «{random_text(40)}»"'),
    (GIVEN, f"Authorization: Bearer\t«{random_text(40)}»"),
    (GIVEN, "> Authorization: Basic «dXNlcjpodW50ZXIycHc=»"),
    (CODE, "password = '«Tr0ub4dor&3»'"),
    (CODE, 'password: str = "«hunter2»"'),
    (CODE, "PASSWORD = '«SuperSecretPassword123!»'"),
    (CODE, "if password == '«hunter2»':"),
    (CODE, r'"{\"password\": \"«hunter2»\"}"'),
    (CODE, f"os.environ['API_KEY'] = '«{random_text(32)}»'"),
    (CODE, "SECRET_KEY = '«django-insecure-(x^k2$8#m!v9q)z@1=w3&e7r*5t+y_u0»'"),
    (CODE, f"aws_secret_access_key = '«{AWS_SECRET}»'"),
    (CODE, f"token = '«{random_text(40, HEXADECIMAL)}»'"),
    (CODE, f"client_secret=b'«{random_text(24)}»'"),
    (CODE, f"GET /x?access_token=«{random_text(32, HEXADECIMAL)}»&b=1"),
    ("a.c", f'#define API_KEY "«{random_text(32, HEXADECIMAL)}»"'),
    ("a.c", 'const char *password = "«hunter2x»";'),
    ("a.go", 'password := "«s3cr3t-value»"'),
    ("A.java", '    .password("«hunter2»")'),
    ("a.ts", f"const apiKey = `«{random_text(32)}»`;"),
    ("a.json", '"password": "«hunter2!»"'),
    ("pom.xml", "<password>«hunter2»</password>"),
    (".env", "DB_PASSWORD=«hunter2pw»"),
    (".env.local", "export DB_PASSWORD_PROD=«hunter2pw» # a comment"),
    (".npmrc", f"_authToken=«{random_text(36)}»"),
    ("a.properties", "spring.datasource.password=«hunter2»"),
    (SETTINGS, "  password: «hunter2pw»"),
    (SETTINGS, f"  secret_access_key: «{AWS_SECRET}»"),
    (GIVEN, "connecting with password=«hunter2pw», retrying"),
    (GIVEN, "+ login --db-password «hunter2pw» --host x"),
    (GIVEN, f"curl -H 'X-Api-Key: «{random_text(32)}»'"),
]


@pytest.mark.parametrize(("path", "marked"), PLACES)
def test_a_value_is_told_by_its_place(path: str, marked: str) -> None:
    before, rest = marked.split("«")
    value, after = rest.split("»")
    text = before + value + after
    assert [text[s.start : s.end] for s in find(text, path=path)] == [value]


UNTOUCHED = [
    "input_cost_per_token = 1.5e-06",
    '"input_cost_per_token": 0.0000015,',
    f"commit {random_text(40, HEXADECIMAL)}",
    "id = '123e4567-e89b-12d3-a456-426614174000'",
    f'"integrity": "sha512-{random_text(86)}=="',
    f'checksum = "{random_text(64, HEXADECIMAL)}"',
    f'data = base64.b64decode("{random_text(200)}=")',
    f'PIXEL = "data:image/png;base64,{random_text(120)}"',
    "aVeryLongIdentifierNameWithNumbers2And3InIt4()",
    "a_very_long_identifier_name_2_and_3_and_4 = 1",
    "https://example.com/a/b?c=d#e2f3a4",
    "git@github.com:owner/name.git",
    "color: #a1b2c3;",
    f"-----BEGIN PUBLIC KEY-----\n{random_text(64)}\n-----END PUBLIC KEY-----",
    f"-----BEGIN CERTIFICATE-----\n{random_text(64)}\n-----END CERTIFICATE-----",
    f"ssh-rsa AAAAB3NzaC1yc2E{random_text(300)} me@host",
    "pk_live_" + random_text(24),
    ".sk-estimator-doc-link:hover, .sk-toggleable__content-2-of-3 pre {}",
    # Names and expressions
    "password = get_password2()",
    "password = os.getenv('DB_PASSWORD_2')",
    "password=password1,",
    "password: str",
    "  password: user2.password,",
    "client_secret: String,",
    "token = tokens[12]",
    "token = Token(1, 'abc123')",
    "if token == Token.STRING_2:",
    "max_tokens=4096, token_count = 1234567",
    "tokenizer = 'gpt2-medium-v1.5-1a2b3c4d5e'",
    "secret = settings.SECRET_KEY_2",
    "os.environ['API_TOKEN']",
    "password_field = 'user_password_1'",
    "primary_key = 'a1b2c3d4e5f6a7b8c9d0'",
    "cache_key = 'user:1234:ab12cd34ef56'",
    "kms_key = 'arn:aws:kms:us-east-1:123456789012:key/abc'",
    "secret_path: secret/apps/login-2/key",
    "PASSWORD_HASHERS = ['django.contrib.auth.hashers.PBKDF2PasswordHasher']",
    # What stands for a value
    "password = 'password1'",
    "api_key = '<your api key 123>'",
    "api_key='${API_KEY_1}'",
    'api_key = "{{ api_key_2 }}"',
    "token: $env:TOKEN2",
    "password = 'xxxxxxxx1'",
    "https://user:pass@host/x",
    "postgres://{user}:{password}@{host}/",
    "postgres://%s:%s@%s/",
    # Prose
    "The token expired2 and password reset99 failed",
    "Basic authentication2 is not Bearer authentication3",
    'password: "Enter your 8 characters"',
    'if "-----BEGIN RSA PRIVATE KEY-----" in text:\n    return parse_rsa_private_key_2(text)\n',
]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_only_looks_like_a_secret_is_left_alone(text: str) -> None:
    assert masked(text) == text
    assert not find(text, path=CODE)
    if "password=password1" not in text:
        assert not find(text, path=SETTINGS)


KEY_LINES = [random_text(64), random_text(63) + "/", random_text(30) + "=="]


@pytest.mark.parametrize(
    ("first", "last"), [("", ""), ("+", ""), ("    ", ""), ('    "', '\\n"'), ("# ", "")]
)
@pytest.mark.parametrize("kind", ["RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", ""])
def test_a_private_key_loses_its_body_and_keeps_its_lines(kind: str, first: str, last: str) -> None:
    begin, end = f"-----BEGIN {kind}PRIVATE KEY-----", f"-----END {kind}PRIVATE KEY-----"
    lines = [begin, "Proc-Type: 4,ENCRYPTED", *KEY_LINES, "QQ==", end]
    text = "\n".join(f"{first}{line}{last}" for line in lines)
    assert masked(f"x = 1\n{text}\ny = 2").split("\n") == [
        "x = 1",
        f"{first}{begin}{last}",
        f"{first}Proc-Type: 4,ENCRYPTED{last}",
        *[f"{first}[redacted: private key]{last}"] * 4,
        f"{first}{end}{last}",
        "y = 2",
    ]


def test_a_private_key_on_one_line_and_one_cut_off() -> None:
    begin, end = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
    joined = "\\n".join([begin, *KEY_LINES, end])
    hidden = "\\n".join([begin, *["[redacted: private key]"] * 3, end])
    assert masked(f'{{"key": "{joined}\\n"}}') == f'{{"key": "{hidden}\\n"}}'
    after = "def a_function_that_follows_the_key_2(argument_1):"
    assert masked("\n".join([begin, *KEY_LINES, "", after])).split("\n") == [
        begin,
        *["[redacted: private key]"] * 3,
        "",
        after,
    ]


def test_entropy_and_words() -> None:
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2
    assert looks_random(random_text(32))
    assert looks_random(random_text(32, HEXADECIMAL))
    assert not looks_random("a" * 40)
    assert not looks_random("getUserByNameAndPassword2")
    assert is_words("/etc/ssl/key1.pem")
    assert not is_words(AWS_SECRET)


def test_a_letter_that_grows_in_lower_case_moves_nothing() -> None:
    text = "İİİİ password = 'hunter2'"
    (secret,) = find(text)
    assert text[secret.start : secret.end] == "hunter2"
