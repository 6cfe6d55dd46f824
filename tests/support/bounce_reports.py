"""What a relay sends back about a mail: RFC 3464 and RFC 5965, as short as they can be."""

DOMAIN = "papers.example.org"


def bounce_report(kind: str, fields: str, sent_headers: str | None) -> bytes:
    """A mail of a relay about a mail of ours: what it says, and the headers of what was sent."""
    third = f"Content-Type: text/rfc822-headers\n\n{sent_headers}\n--B" if sent_headers else ""
    lines = f"""From: MAILER-DAEMON@relay.example.org
To: papers@papers.example.org
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="B"

--B
Content-Type: text/plain

Sorry.
--B
Content-Type: message/{kind}

{fields}
--B
{third}--
"""
    return lines.replace("\n--B\n--", "\n--B--").encode()
