"""TLS in front of another server.    usage: tls_proxy.py PORT HOST:PORT CERTIFICATE KEY"""

import asyncio
import ssl
import sys

PORT, TARGET, CERTIFICATE, KEY = sys.argv[1:]
BLOCK_BYTES = 1 << 18


async def copy(reader, writer):
    try:
        while block := await reader.read(BLOCK_BYTES):
            writer.write(block)
            await writer.drain()
    except OSError:  # the other side is gone; ssl.SSLError is one of these too
        pass
    finally:
        writer.close()


async def serve(reader, writer):
    host, port = TARGET.rsplit(":", 1)
    try:
        from_server, to_server = await asyncio.open_connection(host, int(port))
    except OSError:
        return writer.close()
    await asyncio.gather(copy(reader, to_server), copy(from_server, writer))


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    server = await asyncio.start_server(serve, "127.0.0.1", int(PORT), ssl=context, backlog=256)
    await server.serve_forever()


asyncio.run(main())
