"""Names that a transcript may hold and that no page, list or feed may run or break at."""

HOSTILE = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</script><script>alert(1)</script>",
    "</style><style>*{display:none}</style>",
    "javascript:alert(1)",
    "a | b ` c ** d [x](http://evil.example) _e_",
    "safe\u202egnp.exe",
    "nul\x00byte\x1b[31m",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "{{ 7*7 }}{% include 'page.html' %}",
    "line\nbreak\r| --- |\u2028next",
)  # fmt: skip
