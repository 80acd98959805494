"""Twenty-six kinds of credentials, made up from a seed: none of them opens anything."""

import random
import string

_LETTERS = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"


def synthetic_keys(seed: int = 7) -> dict[str, str]:
    """One made-up value of each kind."""
    draw = random.Random(seed)

    def some(count: int, signs: str = _LETTERS) -> str:
        # The first is a letter and the second a digit, so that no draw lacks either.
        return "a7" + "".join(draw.choice(signs) for _ in range(count - 2))

    upper = string.ascii_uppercase + string.digits
    return {
        "anthropic": f"sk-ant-api03-{some(90)}",
        "openai": f"sk-{some(48)}",
        "openai project": f"sk-proj-{some(64)}",
        "openrouter": f"sk-or-v1-{some(64, _HEX)}",
        "groq": f"gsk_{some(52)}",
        "google": f"AIza{some(35)}",
        "hugging face": f"hf_{some(34)}",
        "nvidia": f"nvapi-{some(64)}",
        "cerebras": f"csk-{some(48, string.ascii_lowercase + string.digits)}",
        "npm": f"npm_{some(36)}",
        "pypi": f"pypi-AgEIcHlwaS5vcmc{some(80)}",
        "github": f"ghp_{some(36)}",
        "github fine-grained": f"github_pat_{some(22)}_{some(59)}",
        "gitlab": f"glpat-{some(20)}",
        "aws": f"AKIA{some(16, upper).upper()}",
        "slack": f"xoxb-{some(12, string.digits)}-{some(24)}",
        "stripe": f"sk_live_{some(24)}",
        "sendgrid": f"SG.{some(22)}.{some(43)}",
        "twilio": f"SK{some(32, _HEX)}",
        "telegram": f"{some(9, string.digits).replace('a', '1')}:{some(35)}",
        "azure storage": f"DefaultEndpointsProtocol=https;AccountKey={some(86)}==",
        "private key": "-----BEGIN RSA PRIVATE KEY-----\n"
        f"{some(64)}\n-----END RSA PRIVATE KEY-----",
        "json web token": f"eyJhbGciOiJIUzI1NiJ9.eyJ{some(40)}.{some(43)}",
        "bearer": f"Authorization: Bearer {some(40)}",
        "password in an address": f"postgres://app:{some(16)}@db.example.org/app",
        "variable": f"DB_PASSWORD={some(18)}",
    }
