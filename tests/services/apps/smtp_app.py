"""Two mail servers that write what they get as NDJSON.

usage: smtp_app.py PORT TLS_PORT CERTIFICATE KEY MAILS
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

PORT, TLS_PORT, CERTIFICATE, KEY, MAILS = sys.argv[1:]
USER, PASSWORD = b"user", b"pass"


class Keeper:
    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "is_encrypted": session.ssl is not None,
            "is_authenticated": bool(getattr(session, "authenticated", False)),
            "content": envelope.content.decode(errors="replace"),
        }
        with open(MAILS, "a") as file:
            file.write(json.dumps(mail) + "\n")
        return "250 2.0.0 queued"


def authenticate(_server, _session, _envelope, _mechanism, data):
    is_right = (data.login, data.password) == (USER, PASSWORD)
    return AuthResult(success=is_right, handled=is_right)  # not handled: the library itself answers 535


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    plain = Controller(Keeper(), hostname="127.0.0.1", port=int(PORT))
    encrypted = Controller(
        Keeper(), hostname="127.0.0.1", port=int(TLS_PORT),
        tls_context=context, require_starttls=True, auth_required=True, authenticator=authenticate,
    )
    plain.start()
    encrypted.start()
    asyncio.new_event_loop().run_forever()


main()
