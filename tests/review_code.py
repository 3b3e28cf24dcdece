"""The same change in several languages: a function's signature, with its callers beside it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Changed:
    """A function `derive` with two callers. `files` are before, `now` what the change writes, and
    `updated` the callers as the change would have had to leave them; `left` are the places of the
    calls that do not fit any more."""

    files: dict[str, str]
    now: dict[str, str]
    updated: dict[str, str]
    left: tuple[tuple[str, int], ...]


PYTHON = Changed(
    {
        "shop/passwords.py": "def derive(password, salt):\n    return password + salt\n",
        "shop/login.py": (
            "from shop.passwords import derive\n\n\ndef log_in(user):\n"
            "    return derive(user.password, user.salt)\n"
        ),
        "shop/admin.py": (
            "from shop import passwords\n\n\ndef reset(user):\n"
            "    return passwords.derive(user.password, salt=user.salt)\n"
        ),
        "tests/test_login.py": (
            "from shop.login import log_in\n\n\ndef test_log_in():\n    assert log_in(None)\n"
        ),
    },
    {
        "shop/passwords.py": (
            "def derive(password, salt, rounds):\n    return (password + salt) * rounds\n"
        )
    },
    {
        "shop/login.py": (
            "from shop.passwords import derive\n\n\ndef log_in(user):\n"
            "    return derive(user.password, user.salt, 3)\n"
        ),
        "shop/admin.py": (
            "from shop import passwords\n\n\ndef reset(user):\n"
            "    return passwords.derive(user.password, salt=user.salt, rounds=3)\n"
        ),
    },
    (("shop/admin.py", 5), ("shop/login.py", 5)),
)
# What leaves the test of `log_in` behind, tests/test_login.py:5.
LOGIN_CHANGED = {
    "shop/login.py": (
        "from shop.passwords import derive\n\n\ndef log_in(user, now):\n"
        "    return derive(user.password, user.salt)\n"
    )
}
TYPESCRIPT = Changed(
    {
        "src/passwords.ts": (
            "export function derive(password: string, salt: string): string {\n"
            "  return password + salt;\n}\n"
        ),
        "src/login.ts": (
            'import { derive } from "./passwords";\n\nexport function logIn(user: any) {\n'
            "  return derive(user.password, user.salt);\n}\n"
        ),
        "src/admin.ts": (
            'import * as passwords from "./passwords";\n\nexport const reset = (user: any) =>\n'
            "  passwords.derive(\n    user.password,\n    user.salt,\n  );\n"
        ),
    },
    {
        "src/passwords.ts": (
            "export function derive(password: string, salt: string, rounds: number): string {\n"
            "  return (password + salt).repeat(rounds);\n}\n"
        )
    },
    {
        "src/login.ts": (
            'import { derive } from "./passwords";\n\nexport function logIn(user: any) {\n'
            "  return derive(user.password, user.salt, 3);\n}\n"
        ),
        "src/admin.ts": (
            'import * as passwords from "./passwords";\n\nexport const reset = (user: any) =>\n'
            "  passwords.derive(\n    user.password,\n    user.salt,\n    3,\n  );\n"
        ),
    },
    (("src/admin.ts", 4), ("src/login.ts", 4)),
)
JAVA = Changed(
    {
        "shop/Passwords.java": (
            "package shop;\n\nclass Passwords {\n"
            "    static String derive(String password, String salt) {\n"
            "        return password + salt;\n    }\n}\n"
        ),
        "shop/Login.java": (
            "package shop;\n\nclass Login {\n    String logIn(User user) {\n"
            "        return Passwords.derive(user.password, user.salt);\n    }\n}\n"
        ),
        "shop/Admin.java": (
            "package shop;\n\nclass Admin extends Passwords {\n    String reset(User user) {\n"
            "        return derive(user.password, user.salt);\n    }\n}\n"
        ),
    },
    {
        "shop/Passwords.java": (
            "package shop;\n\nclass Passwords {\n"
            "    static String derive(String password, String salt, int rounds) {\n"
            "        return (password + salt).repeat(rounds);\n    }\n}\n"
        )
    },
    {
        "shop/Login.java": (
            "package shop;\n\nclass Login {\n    String logIn(User user) {\n"
            "        return Passwords.derive(user.password, user.salt, 3);\n    }\n}\n"
        ),
        "shop/Admin.java": (
            "package shop;\n\nclass Admin extends Passwords {\n    String reset(User user) {\n"
            "        return derive(user.password, user.salt, 3);\n    }\n}\n"
        ),
    },
    (("shop/Admin.java", 5), ("shop/Login.java", 5)),
)
GO = Changed(
    {
        "shop/passwords.go": (
            "package shop\n\nfunc Derive(password, salt string) string {\n"
            "\treturn password + salt\n}\n"
        ),
        "shop/login.go": (
            "package shop\n\nfunc LogIn(user User) string {\n"
            "\treturn Derive(user.Password, user.Salt)\n}\n"
        ),
        "cmd/admin.go": (
            'package main\n\nimport "example.org/shop"\n\nfunc reset(user shop.User) string {\n'
            "\treturn shop.Derive(user.Password, user.Salt)\n}\n"
        ),
    },
    {
        "shop/passwords.go": (
            "package shop\n\nfunc Derive(password, salt string, rounds int) string {\n"
            "\treturn strings.Repeat(password+salt, rounds)\n}\n"
        )
    },
    {
        "shop/login.go": (
            "package shop\n\nfunc LogIn(user User) string {\n"
            "\treturn Derive(user.Password, user.Salt, 3)\n}\n"
        ),
        "cmd/admin.go": (
            'package main\n\nimport "example.org/shop"\n\nfunc reset(user shop.User) string {\n'
            "\treturn shop.Derive(user.Password, user.Salt, 3)\n}\n"
        ),
    },
    (("cmd/admin.go", 6), ("shop/login.go", 4)),
)
CPP = Changed(
    {
        "include/passwords.hpp": (
            "#pragma once\n#include <string>\n\nnamespace shop {\n"
            "std::string derive(const std::string &password, const std::string &salt);\n}\n"
        ),
        "src/passwords.cpp": (
            '#include "passwords.hpp"\n\nnamespace shop {\n'
            "std::string derive(const std::string &password, const std::string &salt) {\n"
            "  return password + salt;\n}\n}\n"
        ),
        "src/login.cpp": (
            '#include "passwords.hpp"\n\nstd::string log_in(const User &user) {\n'
            "  return shop::derive(user.password, user.salt);\n}\n"
        ),
        "src/admin.cpp": (
            '#include "passwords.hpp"\n\nusing namespace shop;\n\n'
            "std::string reset(const User &user) {\n  return derive(user.password, user.salt);\n}\n"
        ),
    },
    {
        "include/passwords.hpp": (
            "#pragma once\n#include <string>\n\nnamespace shop {\n"
            "std::string derive(const std::string &password, const std::string &salt,\n"
            "                   int rounds);\n}\n"
        ),
        "src/passwords.cpp": (
            '#include "passwords.hpp"\n\nnamespace shop {\n'
            "std::string derive(const std::string &password, const std::string &salt,\n"
            "                   int rounds) {\n"
            "  return repeat(password + salt, rounds);\n}\n}\n"
        ),
    },
    {
        "src/login.cpp": (
            '#include "passwords.hpp"\n\nstd::string log_in(const User &user) {\n'
            "  return shop::derive(user.password, user.salt, 3);\n}\n"
        ),
        "src/admin.cpp": (
            '#include "passwords.hpp"\n\nusing namespace shop;\n\n'
            "std::string reset(const User &user) {\n"
            "  return derive(user.password, user.salt, 3);\n}\n"
        ),
    },
    (("src/admin.cpp", 6), ("src/login.cpp", 4)),
)
RUST = Changed(
    {
        "src/passwords.rs": (
            "pub fn derive(password: &str, salt: &str) -> String {\n"
            '    format!("{password}{salt}")\n}\n'
        ),
        "src/login.rs": (
            "use crate::passwords::derive;\n\npub fn log_in(user: &User) -> String {\n"
            "    derive(&user.password, &user.salt)\n}\n"
        ),
        "src/admin.rs": (
            "use crate::passwords;\n\npub fn reset(user: &User) {\n"
            "    assert_eq!(passwords::derive(&user.password, &user.salt), user.digest);\n}\n"
        ),
    },
    {
        "src/passwords.rs": (
            "pub fn derive(password: &str, salt: &str, rounds: usize) -> String {\n"
            '    format!("{password}{salt}").repeat(rounds)\n}\n'
        )
    },
    {
        "src/login.rs": (
            "use crate::passwords::derive;\n\npub fn log_in(user: &User) -> String {\n"
            "    derive(&user.password, &user.salt, 3)\n}\n"
        ),
        "src/admin.rs": (
            "use crate::passwords;\n\npub fn reset(user: &User) {\n"
            "    assert_eq!(passwords::derive(&user.password, &user.salt, 3), user.digest);\n}\n"
        ),
    },
    (("src/admin.rs", 4), ("src/login.rs", 4)),
)
LANGUAGES = {
    "python": PYTHON,
    "typescript": TYPESCRIPT,
    "java": JAVA,
    "go": GO,
    "cpp": CPP,
    "rust": RUST,
}
