"""fakesnow's server, answering as Snowflake answers a client that asks for JSON results.    usage: snowflake_app.py PORT

fakesnow sends rows as Arrow, lets everybody in, and knows no time of change. Here
- a login needs the PASSWORD, the TOKEN (OAuth), or a token signed with the half of PUBLIC_KEY (all in the environment);
- rows are JSON in Snowflake's own texts (wire.py): the first in the answer, the rest in gzip chunks that are fetched
  from here, as Snowflake's clients fetch them from a blob store;
- INFORMATION_SCHEMA says when a table was last changed;
- a table whose name has FORBIDDEN in it may not be read.

Tests steer it: GET /test/expire makes all sessions expire, /test/aborted lists aborted requests, /test/hold?seconds=N
makes the next query wait.
"""

import asyncio
import datetime
import gzip
import importlib
import json
import os
import secrets
import sys

import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tables import Changes
from wire import Chunks

fakesnow = importlib.import_module("fakesnow.server")  # the package has a function of that name

PORT = int(sys.argv[1])
EXPIRED = {"data": None, "code": "390112", "success": False, "message": "Your session has expired. Please login again."}
changes, chunks = Changes(), Chunks()
aborted, held_seconds = [], []


async def login(request):
    body = await body_of(request)
    data = body["data"]
    refusal = refused(data)
    if refusal:
        return JSONResponse({"data": None, "success": False, **refusal})
    data.setdefault("SESSION_PARAMETERS", {})
    replace_body(request, body)
    return await fakesnow.login_request(request)


def refused(data):
    """Why a login is refused, in Snowflake's words; None if it is not."""
    kind = data.get("AUTHENTICATOR")
    if kind == "SNOWFLAKE_JWT":
        return None if is_signed(data) else {"code": "390144", "message": "JWT token is invalid."}
    if kind == "OAUTH":
        is_right = data.get("TOKEN") == os.environ["TOKEN"]
        return None if is_right else {"code": "390303", "message": "Invalid OAuth access token."}
    is_right = data.get("PASSWORD") == os.environ["PASSWORD"]
    return None if is_right else {"code": "390100", "message": "Incorrect username or password was specified."}


def is_signed(data):
    try:
        with open(os.environ["PUBLIC_KEY"]) as key:
            claims = jwt.decode(data["TOKEN"], key.read(), algorithms=["RS256"])
        return claims["sub"] == f"{data['ACCOUNT_NAME']}.{data['LOGIN_NAME']}".upper()
    except Exception:
        return False


async def query(request):
    body = await body_of(request)
    sql = body["sqlText"]
    if held_seconds:
        await asyncio.sleep(held_seconds.pop())
    if "FORBIDDEN" in sql.upper() and sql.lstrip().upper().startswith("SELECT"):
        return failed("003001", "SQL access control error:\nInsufficient privileges to operate on table 'FORBIDDEN'.")
    replace_body(request, body)
    answer = await fakesnow.query_request(request)
    result = json.loads(answer.body)
    if not result.get("success"):
        if result.get("code") == "390104":
            return JSONResponse(EXPIRED)
        if isinstance(result.get("data"), dict):
            result["data"].setdefault("queryId", secrets.token_hex(16))  # errors name the query too
        return JSONResponse(result, status_code=answer.status_code)
    changes.note(sql, result["data"])
    if result["data"] and result["data"].get("queryResultFormat") == "arrow":
        chunks.as_json(result["data"], str(request.base_url).rstrip("/"), changes)
    return JSONResponse(result, status_code=answer.status_code)


def failed(code, message):
    data = {"errorCode": code, "sqlState": "42501", "queryId": secrets.token_hex(16)}
    return JSONResponse({"data": data, "code": code, "message": message, "success": False})


async def chunk(request):
    body = chunks.get(request)
    return Response(body, media_type="application/octet-stream") if body else Response(status_code=403)


async def abort(request):
    aborted.append((await body_of(request)).get("requestId"))
    return JSONResponse({"success": True})


async def expire(_request):
    fakesnow.sessions.clear()
    return JSONResponse({"at": datetime.datetime.now().isoformat()})


async def list_aborted(_request):
    return JSONResponse(aborted)


async def hold(request):
    held_seconds.append(float(request.query_params["seconds"]))
    return JSONResponse(held_seconds)


async def body_of(request):
    body = await request.body()
    return json.loads(gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body)


def replace_body(request, body):
    """fakesnow reads the body that Starlette keeps, and unpacks it if a header says so."""
    request._body = json.dumps(body).encode()
    request.scope["headers"] = [header for header in request.scope["headers"] if header[0] != b"content-encoding"]
    request.__dict__.pop("_headers", None)


app = Starlette(
    routes=[
        Route("/session/v1/login-request", login, methods=["POST"]),
        Route("/queries/v1/query-request", query, methods=["POST"]),
        Route("/queries/v1/abort-request", abort, methods=["POST"]),
        Route("/chunks/{key}", chunk),
        Route("/test/expire", expire),
        Route("/test/aborted", list_aborted),
        Route("/test/hold", hold),
        *fakesnow.routes,
    ]
)
uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
