"""Tokens that look like those of OIDC issuers; nobody has signed them."""

import base64
import json
from datetime import datetime


def jwt(ends: datetime) -> str:
    """One that ends then."""
    claims = (
        base64.urlsafe_b64encode(json.dumps({"exp": int(ends.timestamp())}).encode()).decode().rstrip("=")
    )
    return f"head.{claims}.signature"
