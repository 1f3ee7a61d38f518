"""A slow wire: delay.py MILLISECONDS LISTEN:TARGET... passes bytes on between ports of this machine, each after half the delay."""
import asyncio
import sys


async def carry(reader, writer, delay):
    """What comes is sent in its order, each piece so long after it came."""
    loop = asyncio.get_running_loop()
    pieces = asyncio.Queue()

    async def send():
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0, due - loop.time()))
            if not piece:
                writer.close()
                return
            writer.write(piece)
            await writer.drain()

    sender = asyncio.ensure_future(send())
    while True:
        try:
            piece = await reader.read(1 << 16)
        except ConnectionError:
            piece = b""
        pieces.put_nowait((loop.time() + delay, piece))
        if not piece:
            break
    try:
        await sender
    except ConnectionError:
        pass


async def main():
    delay = float(sys.argv[1]) / 2000
    servers = []
    for pair in sys.argv[2:]:
        listen, target = map(int, pair.split(":"))

        async def serve(reader, writer, target=target):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
            await asyncio.gather(carry(reader, far_writer, delay), carry(far_reader, writer, delay))

        servers.append(await asyncio.start_server(serve, "127.0.0.1", listen))
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main())
