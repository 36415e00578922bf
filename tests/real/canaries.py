"""Looks for secrets in what a gateway wrote, in every form that they could have come out in."""

import base64
import urllib.parse


def forms(secret):
    """The secret as it is, and encoded: {what it is called: bytes}."""
    raw = secret.encode()
    found = {"plain": raw, "reversed": raw[::-1], "hex": raw.hex().encode(),
             "HEX": raw.hex().upper().encode(), "bytes of Debug": ", ".join(map(str, raw)).encode()}
    for safe in ("", "/", "+"):
        found[f"URL-encoded, but for {safe!r}"] = urllib.parse.quote(secret, safe=safe).encode()
        found[f"url-encoded, but for {safe!r}"] = found[f"URL-encoded, but for {safe!r}"].lower()
    found["JSON-escaped"] = secret.replace("/", "\\/").encode()
    # Inside a longer text, base64 reads differently by where the secret starts; its middle stays.
    for offset in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            text = encode(bytes(offset) + raw)
            first = (offset * 8 + 5) // 6
            last = (offset + len(raw)) * 8 // 6
            found[f"{name} at {offset}"] = text[first:last]
    return {name: text for name, text in found.items() if len(text) >= 12}


def search(secrets, texts):
    """Every occurrence of any form of any secret: lines for a person, which do not repeat it."""
    hits = []
    for secret_name, secret in secrets.items():
        for form_name, form in forms(secret).items():
            for text_name, text in texts.items():
                at = text.find(form)
                if at >= 0:
                    hits.append(f"{secret_name} ({form_name}) in {text_name} at byte {at}")
    return hits


def planted(secret):
    """Texts that hold the secret once each, so that a search that finds nothing shows itself."""
    raw = secret.encode()
    return {
        "plain": b"before " + raw + b" after",
        "base64": base64.b64encode(b"user:" + raw + b":end"),
        "base64 shifted": base64.b64encode(b"user::" + raw + b":end"),
        "base64 shifted twice": base64.b64encode(b"user:::" + raw + b":end"),
        "hex": b"x" + raw.hex().encode(),
        "URL-encoded": urllib.parse.quote(b"a/" + raw, safe="").encode(),
    }
