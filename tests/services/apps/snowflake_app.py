"""fakesnow's server, answering as Snowflake answers a client that asks for JSON results.    usage: snowflake_app.py PORT

fakesnow sends rows as Arrow, lets everybody in, and knows no time of change. Here
- a login needs the PASSWORD, the TOKEN (OAuth), or a token signed with the half of PUBLIC_KEY (all in the environment);
- rows are JSON in Snowflake's own texts (wire.py): the first in the answer, the rest in gzip chunks that are fetched
  from here, as Snowflake's clients fetch them from a blob store;
- INFORMATION_SCHEMA says when a table was last changed;
- a table whose name has FORBIDDEN in it may not be read.

Tests steer it: GET /test/hold?table=NAME&seconds=N[&skip=M] makes the next statement that names NAME wait, but for the
first M of them, /test/waiting lists those that wait, /test/expire?table=NAME ends the sessions whose statements named
NAME and lets the one that waits go on, /test/aborted lists aborted requests.
"""

import asyncio
import collections
import gzip
import importlib
import json
import os
import secrets
import sys

import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tables import Changes
from wire import Chunks

fakesnow = importlib.import_module("fakesnow.server")  # the package has a function of that name

PORT = int(sys.argv[1])
EXPIRED = {"data": None, "code": "390112", "success": False, "message": "Your session has expired. Please login again."}
changes, chunks = Changes(), Chunks()
aborted, waiting, held_seconds, statements = [], [], {}, collections.defaultdict(list)
may_go_on = collections.defaultdict(asyncio.Event)


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
    statements[request.headers.get("Authorization", "")[17:-1]].append(sql)
    await wait_if_held(sql)
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
        # Others are answered meanwhile: many rows take seconds.
        await run_in_threadpool(chunks.as_json, result["data"], str(request.base_url).rstrip("/"), changes)
    return JSONResponse(result, status_code=answer.status_code)


async def wait_if_held(sql):
    for table in [table for table in held_seconds if table in sql]:
        seconds, skip = held_seconds.pop(table)
        if skip > 0:
            held_seconds[table] = seconds, skip - 1
            continue
        waiting.append(sql)
        await asyncio.wait([asyncio.ensure_future(may_go_on[table].wait())], timeout=seconds)
        waiting.remove(sql)


def failed(code, message):
    data = {"errorCode": code, "sqlState": "42501", "queryId": secrets.token_hex(16)}
    return JSONResponse({"data": data, "code": code, "message": message, "success": False})


async def chunk(request):
    body = chunks.get(request)
    return Response(body, media_type="application/octet-stream") if body else Response(status_code=403)


async def abort(request):
    aborted.append((await body_of(request)).get("requestId"))
    return JSONResponse({"success": True})


async def expire(request):
    name = request.query_params["table"]
    expired = [token for token in fakesnow.sessions if any(name in sql for sql in statements[token])]
    for token in expired:
        del fakesnow.sessions[token]
    may_go_on[name].set()
    return JSONResponse(len(expired))


async def list_aborted(_request):
    return JSONResponse(aborted)


async def hold(request):
    wanted = request.query_params
    may_go_on[wanted["table"]].clear()
    held_seconds[wanted["table"]] = float(wanted["seconds"]), int(wanted.get("skip", 0))
    return JSONResponse(held_seconds)


async def list_waiting(_request):
    return JSONResponse(waiting)


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
        Route("/test/waiting", list_waiting),
        *fakesnow.routes,
    ]
)
# Statements that still wait when the tests are over are nobody's.
uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning", timeout_graceful_shutdown=1)
